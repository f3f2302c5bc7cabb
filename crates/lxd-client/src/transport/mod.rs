//! From the caller's connector up to HTTP: TLS around its streams, a pool of HTTP/1.1 connections, and pings on
//! websockets.

mod body;
mod connect;
mod connector;
mod dial;
mod http1;
mod keepalive;
mod read_ahead;
pub(crate) mod tls;
mod trace;

use std::time::Duration;

pub(crate) use body::{Body, full, no_body};
pub(crate) use connect::BoxError;
pub use connect::{Connect, Io};
pub(crate) use connector::{BoxConnector, UnixConnector};
pub(crate) use dial::{Dial, NoConnection};
pub(crate) use http1::{Http1, Ready};
pub(crate) use keepalive::KeepAlive;
pub(crate) use read_ahead::Used;
pub use trace::DialTrace;

/// How long a connection is kept that nothing uses. Newer LXD and Incus close one after 30 seconds, so that this side is
/// the first to.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(25);
