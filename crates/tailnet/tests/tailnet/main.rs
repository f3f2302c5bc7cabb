//! Everything the crate promises, shown on a sandbox tailnet.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod admission;
mod common;

mod dial;
mod fail_closed;
mod faults;
mod join;
mod life;
mod listen;
mod local_api;
mod streams;
