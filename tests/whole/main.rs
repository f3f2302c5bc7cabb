//! The programs as their users run them.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod program;

mod lxd_ping;
mod real_lxd;
mod service;
mod unprivileged;
