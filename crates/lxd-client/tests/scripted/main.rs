//! The client against servers that answer as LXD does, or lie, break or stay silent.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod server;

mod answers;
#[cfg(feature = "facade")]
mod by_facade;
mod dial_trace;
mod exec;
#[cfg(feature = "facade")]
mod facade;
mod files;
mod operations;
#[cfg(feature = "facade")]
#[path = "../shared/raw.rs"]
mod raw;
mod requests;
mod spans;
mod streams;
#[path = "../shared/to.rs"]
mod to;
mod trust;
