//! The client against a real LXD or Incus, that of `LXD_DIR`, over TLS on loopback; run by
//! `.ci/with-lxd cargo test -p lxd-client`, and `.ci/with-incus` likewise. Each test leaves the server as it
//! found it.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

mod events;
mod exec;
#[cfg(feature = "facade")]
mod facade;
mod faults;
mod files;
#[path = "../shared/forwarder.rs"]
mod forwarder;
mod images;
mod instances;
#[cfg(feature = "lxc-config")]
mod lxc_config;
mod migration;
mod networks;
mod operations;
mod profiles;
mod projects;
#[cfg(feature = "facade")]
#[path = "../shared/raw.rs"]
mod raw;
mod round_trips;
mod second;
mod server;
mod storage;
#[path = "../shared/to.rs"]
mod to;
