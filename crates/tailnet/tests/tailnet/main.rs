//! Everything the crate promises, shown on a sandbox tailnet.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod common;

mod adapters;
mod admission;
mod callers;
mod cancel;
mod defects;
mod dial;
mod embed;
mod fail_closed;
mod faults;
mod forward;
mod headscale;
mod headscale_server;
mod https;
mod join;
mod large;
mod life;
mod listen;
mod local_api;
mod lossy;
mod oauth;
mod prefs;
mod quic;
mod quiet;
mod restart;
mod spans;
mod state_folder;
mod store;
mod streams;
mod udp;
mod whois;
