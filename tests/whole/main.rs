//! The programs as their users run them.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod node;
mod program;

mod clouds;
mod commands;
mod examples;
mod instances;
mod kill;
mod lxd_ping;
mod machines;
mod membership;
mod proxies;
mod real_lxd;
mod reload;
mod service;
mod soak;
mod terminal;
mod unprivileged;
mod verbs_instances;
