//! Async client of the REST API of [LXD](https://canonical.com/lxd) and
//! [Incus](https://linuxcontainers.org/incus/) servers.
//!
//! It makes no connections by itself: it takes any hyper connector, such as that of the crate `tailnet`,
//! and puts TLS and HTTP/2 on top. A server is known by the fingerprint of its certificate.
//!
//! ```no_run
//! use lxd_client::{Client, Identity, ServerTrust, TrustToken};
//!
//! # async fn example(connector: impl lxd_client::Connect) -> Result<(), Box<dyn std::error::Error>> {
//! let token: TrustToken = std::env::var("LXD_TRUST_TOKEN")?.parse()?; // from `lxc config trust add`
//! let identity = Identity::load_or_generate("/var/lib/my-service".as_ref(), "my-service")?;
//! let client = Client::builder("https://lxd.example.ts.net:8443".parse()?, connector)
//!     .trust(ServerTrust::Fingerprint(token.fingerprint()))
//!     .identity(identity)
//!     .build()?;
//! client.trust(&token).await?;
//! for instance in client.instances().await? {
//!     println!("{} {}", instance.name, instance.status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Every request has a deadline and ends early when its future is dropped.
//!
//! # How an area is written
//!
//! One file for each area of the API; `profiles.rs` is the model. In it:
//!
//! - A struct for the thing, `Default` and `#[serde(default)]`, with the fields that people use and `rest` for all
//!   others, so that an update sends back what this crate does not know. `null` is read as what is empty
//!   (`nulls.rs`), and an answer of the type is in `samples.json`.
//! - `Client::things()` gives a [`List`], `Client::create_thing` creates, `Client::thing(name)` gives a `ThingHandle`,
//!   which sends nothing; the macro `handle!` defines it with those of `get`, `update`, `patch`, `rename` and
//!   `delete` that its endpoint has.
//! - Paths are arrays of segments, which are encoded. Project and target come from the client.
//! - A request ends with `fetch`, `versioned`, `list`, `done` (which waits where a server makes an operation of
//!   it) or `operation`; the last for what takes long.
//! - What LXD 5.0 lacks begins with `needs("extension")`.
//! - Each endpoint has its line in `endpoints.md`, and its test in `tests/lxd/`.
#![doc = include_str!("endpoints.md")]

#[cfg(any(fuzzing, test))]
mod answers;
mod certificates;
mod client;
mod cluster;
mod connect;
mod console;
mod dial;
mod envelope;
mod error;
mod events;
mod exec;
mod facade;
mod files;
mod filter;
mod fingerprint;
#[cfg(any(fuzzing, test))]
mod fuzz;
mod handle;
mod http1;
mod identity;
mod images;
mod instances;
mod known_servers;
mod list;
mod lively;
mod lxc_config;
mod migrate;
mod networks;
mod nulls;
mod oidc;
mod operation;
mod path;
mod pem;
mod permission;
mod pieces;
mod private;
mod profiles;
mod projects;
mod redacted;
mod request;
mod resources;
mod server;
mod storage;
mod tls;
mod token;
mod transfer;
mod versioned;
mod warnings;
mod websocket;

pub use certificates::{Certificate, CertificateHandle};
pub use client::{Client, ClientBuilder, fetch_fingerprint};
pub use cluster::{
    Cluster, ClusterGroup, ClusterGroupHandle, ClusterMember, ClusterMemberHandle, ClusterMemberState,
    Evacuation, JoinToken,
};
pub use connect::{Connect, Io};
pub use error::{Error, chain, one_line};
pub use events::{Event, EventKind, Events, Lifecycle};
pub use exec::{Exec, ExitStatus, Output, Process, Recorded, Stdin, Stdout};
pub use facade::Facade;
pub use files::{Entry, FileInfo, FileKind, FileOptions, Files, Progress, PushOptions};
pub use filter::Filter;
pub use fingerprint::{Fingerprint, InvalidCertificate, InvalidFingerprint};
#[cfg(fuzzing)]
pub use fuzz::read_anything;
pub use identity::{Identity, IdentityError};
pub use images::{Alias, AliasHandle, Image, ImageFiles, ImageHandle, ImageOptions, ImageSource};
pub use instances::{
    Action, Backup, BackupHandle, Instance, InstanceHandle, InstanceState, NewBackup, NewInstance, Snapshot,
    SnapshotHandle, StateChange,
};
pub use known_servers::KnownServers;
pub use list::List;
pub use lxc_config::{LxcConfig, LxcConfigError, Remote, Tool};
pub use migrate::{Copy, Route};
pub use networks::{
    AclRule, ForwardPort, LoadBalancerBackend, LoadBalancerPort, Network, NetworkAcl, NetworkAclHandle,
    NetworkAddress, NetworkAllocation, NetworkForward, NetworkForwardHandle, NetworkHandle, NetworkLease,
    NetworkLoadBalancer, NetworkLoadBalancerHandle, NetworkPeer, NetworkPeerHandle, NetworkState,
    NetworkZone, NetworkZoneHandle, ZoneEntry, ZoneRecord, ZoneRecordHandle,
};
pub use oidc::OidcLogin;
pub use operation::{Operation, OperationState};
pub use path::Path;
pub use profiles::{Profile, ProfileHandle};
pub use projects::{Project, ProjectHandle, ProjectState, ProjectUsage};
pub use request::Request;
pub use resources::{CpuResources, MemoryResources, Resources};
pub use server::{Auth, Environment, Server};
pub use storage::{
    Bucket, BucketHandle, BucketKey, BucketKeyHandle, NewVolumeBackup, PoolUsage, StoragePool,
    StoragePoolHandle, StoragePoolResources, Volume, VolumeBackup, VolumeBackupHandle, VolumeHandle,
    VolumeKind, VolumeSnapshot, VolumeSnapshotHandle, VolumeState,
};
pub use tls::{Authorities, ServerTrust};
pub use token::{InvalidToken, TrustToken};
pub use transfer::{Download, WithProgress, with_progress};
pub use versioned::Versioned;
pub use warnings::{Warning, WarningHandle};
pub use websocket::{Message, RawStream, WebSocket};
mod sending;
