//! Everything the crate promises, shown on a sandbox tailnet.

mod common;

mod dial;
mod fail_closed;
mod join;
mod life;
mod streams;
