//! The client against servers that answer as LXD does, or lie, break or stay silent.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod server;

mod answers;
mod exec;
mod files;
mod operations;
mod requests;
mod streams;
#[path = "../shared/to.rs"]
mod to;
mod trust;
