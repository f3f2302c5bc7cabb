//! Async client of the REST API of [LXD](https://canonical.com/lxd) and
//! [Incus](https://linuxcontainers.org/incus/) servers.
//!
//! The client makes no TCP connections of its own. It takes any hyper connector, such as that of the crate `tailnet`, and
//! puts TLS and HTTP/2 on top; it reaches a server on this machine by its Unix socket. It knows a server by the
//! fingerprint of its certificate.
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
//! # Ways to a server
//!
//! Through a tailnet, by the connector of the crate `tailnet`:
//!
//! ```no_run
//! use lxd_client::{Client, ServerTrust};
//!
//! # struct Tailnet<C>(C);
//! # impl<C> Tailnet<C> { fn connector(self) -> C { self.0 } }
//! # fn example(tailnet: Tailnet<impl lxd_client::Connect>) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("https://lxd-berlin:8443".parse()?, tailnet.connector())
//!     .trust(ServerTrust::Fingerprint("9f86d0…".parse()?))
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! By the network of this machine, where nothing forbids that, by hyper's connector for TCP:
//!
//! ```no_run
//! use hyper_util::client::legacy::connect::HttpConnector;
//! use lxd_client::{Client, ServerTrust};
//!
//! # fn example(fingerprint: lxd_client::Fingerprint) -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::builder("https://192.0.2.7:8443".parse()?, HttpConnector::new())
//!     .trust(ServerTrust::Fingerprint(fingerprint))
//!     .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! In any other way, such as a tunnel of one's own, by a service from a URI to a stream:
//!
//! ```no_run
//! use hyper_util::rt::TokioIo;
//! use tokio::net::UnixStream;
//!
//! type Stream = TokioIo<UnixStream>;
//!
//! #[derive(Clone)]
//! struct Tunnel;
//!
//! impl tower_service::Service<http::Uri> for Tunnel {
//!     type Response = Stream;
//!     type Error = std::io::Error;
//!     type Future = std::pin::Pin<Box<dyn Future<Output = std::io::Result<Stream>> + Send>>;
//!
//!     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<()>> {
//!         std::task::Poll::Ready(Ok(()))
//!     }
//!
//!     fn call(&mut self, uri: http::Uri) -> Self::Future {
//!         // `uri` is http://host:port: TLS to the server goes around this.
//!         Box::pin(async { UnixStream::connect("/run/tunnel.socket").await.map(TokioIo::new) })
//!     }
//! }
//! # fn is_one(_: impl lxd_client::Connect) {}
//! # is_one(Tunnel);
//! ```
//!
//! On this machine, by the Unix socket of the server, which trusts whoever may open it: no TLS, no certificate.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! # fn example() -> Result<(), lxd_client::Error> {
//! let found = lxd_client::Client::local(Duration::from_secs(30))?; // where `lxc` looks for it
//! let named = lxd_client::Client::unix("/var/lib/lxd/unix.socket".as_ref(), Duration::from_secs(30))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! All but `aws-lc-rs` are on by default. One of `ring` and `aws-lc-rs` is necessary.
//!
//! | feature | what needs it | without it |
//! |---|---|---|
//! | `facade` | `Facade`, a local server that stock clients take for the remote one | the type is not there |
//! | `images-multipart` | [`ImageHandle::export_to`] of an image in two files | [`Error::Config`] for such an image |
//! | `lxc-config` | `LxcConfig`, the remotes of `lxc` and `incus` | its types are not there |
//! | `native-roots` | [`ServerTrust::SystemRoots`], for servers with a public certificate | [`Error::Config`] from [`ClientBuilder::build`] |
//! | `ring` | TLS by rustls with ring | |
//! | `aws-lc-rs` | TLS by rustls with aws-lc-rs, also where both are on | |
//!
//! # Other crates in the signatures
//!
//! [`bytes`], [`futures_core`], [`http`], [`hyper`], [`hyper_util`], [`rustls`], [`serde_json`] and [`tower_service`] are
//! re-exported: a program that uses their types with this crate needs the same versions. The traits of tokio 1 and serde 1
//! are used as well.
//!
//! # Spans
//!
//! Each request has the span `request{server, method, path}` of `tracing`, and the start of a command has
//! `exec{instance}`, both at the level `DEBUG`. Queries, headers, bodies and arguments are not in them.
//!
//! # Cryptography
//!
//! The client names the provider of cryptography that it uses, so that other crates may use another. rustls on its own does not choose when both are
//! in a program: `rustls::ClientConfig::builder()` panics then ("Could not automatically determine the process-level
//! CryptoProvider"). Either leave ring's part of rustls out, with `default-features = false, features = ["aws-lc-rs"]` for
//! this crate, or make a choice first thing in `main`:
//!
//! ```no_run
//! // Or that of `aws_lc_rs`. An error says that somebody has chosen before.
//! let _ = rustls::crypto::ring::default_provider().install_default();
//! ```
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
#![cfg_attr(docsrs, feature(doc_cfg))]

// What people do with a server: one module for each area of its API.
mod certificates;
mod cluster;
mod console;
mod events;
mod exec;
mod files;
mod images;
mod instances;
mod migration;
mod networks;
mod profiles;
mod projects;
mod resources;
mod server;
mod storage;
mod warnings;

// For stock clients, and from their settings.
#[cfg(feature = "facade")]
mod facade;
#[cfg(feature = "lxc-config")]
mod lxc_config;

// One request, and what comes of it.
mod list;
mod operation;
mod pause;
mod permission;
mod request;
mod websocket;

// How requests get to a server: the client, long bodies, connections.
mod client;
mod transfer;
mod transport;

// Who the client is, and by what it knows a server.
mod fingerprint;
mod identity;
mod known_servers;
mod oidc;
mod pem;
mod private;
mod provider;
mod token;

// The forms of requests and answers.
#[cfg(any(fuzzing, test))]
mod answers;
mod envelope;
mod error;
mod filter;
#[cfg(any(fuzzing, test))]
mod fuzz;
mod handle;
mod io_error;
mod nulls;
mod path;
mod redacted;
mod sending;
mod versioned;

pub use {bytes, futures_core, http, hyper, hyper_util, rustls, serde_json, tower_service};

pub use certificates::{Certificate, CertificateHandle, PendingToken, Subject};
pub use client::{Client, ClientBuilder, fetch_fingerprint};
pub use cluster::{
    Cluster, ClusterGroup, ClusterGroupHandle, ClusterMember, ClusterMemberHandle, ClusterMemberState,
    Evacuation, JoinToken,
};
pub use error::{Error, chain, one_line};
pub use events::{Event, EventKind, Events, Lifecycle};
pub use exec::{Exec, ExitStatus, Output, Process, Recorded, Stdin, Stdout};
#[cfg(feature = "facade")]
pub use facade::Facade;
pub use files::{
    Entry, FileCount, FileInfo, FileKind, FileOptions, Files, FilesSession, Listed, Progress, PushOptions,
};
pub use filter::Filter;
pub use fingerprint::{Fingerprint, InvalidCertificate, InvalidFingerprint};
#[cfg(fuzzing)]
pub use fuzz::read_anything;
pub use identity::{Identity, IdentityError};
pub use images::{
    Alias, AliasHandle, ExportedNames, Image, ImageFile, ImageFiles, ImageHandle, ImageOptions, ImagePart,
    ImageSource,
};
pub use instances::{
    Action, Backup, BackupHandle, ImportOptions, Instance, InstanceHandle, InstanceState, NewBackup,
    NewInstance, NewSnapshot, Snapshot, SnapshotHandle, StateChange,
};
pub use known_servers::KnownServers;
pub use list::List;
#[cfg(feature = "lxc-config")]
pub use lxc_config::{LxcConfig, LxcConfigError, Remote, Tool};
pub use migration::{CopyEnds, CopyProgress, Copying, Migration, Route, VolumeMigration};
pub use networks::{
    AclRule, ForwardPort, LoadBalancerBackend, LoadBalancerPort, Network, NetworkAcl, NetworkAclHandle,
    NetworkAddress, NetworkAllocation, NetworkForward, NetworkForwardHandle, NetworkHandle, NetworkLease,
    NetworkLoadBalancer, NetworkLoadBalancerHandle, NetworkPeer, NetworkPeerHandle, NetworkState,
    NetworkZone, NetworkZoneHandle, ZoneEntry, ZoneRecord, ZoneRecordHandle,
};
pub use oidc::OidcLogin;
pub use operation::{Operation, OperationState};
pub use path::ApiPath;
pub use private::{PrivateSocket, SocketFile};
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
pub use token::{InvalidToken, TrustToken};
pub use transfer::{Download, WithProgress, with_progress};
pub use transport::tls::{Authorities, InvalidAuthorities, ServerTrust};
pub use transport::{Connect, DialTrace, Io};
pub use versioned::Versioned;
pub use warnings::{Warning, WarningHandle};
pub use websocket::{Message, RawStream, WebSocket};

/// Compiles the example of the crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
