//! The programs as their users run them.

mod program;

mod lxd_ping;
mod real_lxd;
mod service;
mod unprivileged;
