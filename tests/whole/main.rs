//! The programs as their users run them.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

mod node;
mod program;

mod access;
mod api;
mod api_backups;
mod api_failures;
mod api_files;
mod api_images;
mod api_real;
mod api_terminals;
mod clouds;
mod commands;
mod completion;
mod contract;
mod copies;
mod copy_failures;
mod copy_links;
mod dialects;
mod examples;
mod headscale;
mod https;
mod image_failures;
mod images;
mod instances;
mod inventory;
mod kill;
mod looks;
mod lxd_ping;
mod machines;
mod membership;
mod objects;
mod pair;
mod proxies;
mod real_lxd;
mod reload;
mod replica_failures;
mod replicas;
mod scripted;
mod service;
mod session_files;
mod sessions;
mod soak;
mod terminal;
mod twins;
mod unprivileged;
mod verbs;
mod verbs_instances;
mod websocket;
