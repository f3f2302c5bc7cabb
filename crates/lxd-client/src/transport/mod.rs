//! From the caller's connector up to HTTP: TLS around its streams, a pool of HTTP/1.1 connections, and pings on
//! websockets.

mod body;
mod by_facade;
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
pub(crate) use by_facade::{ByFacade, NO_ANSWER, UNSENT};
pub(crate) use connect::BoxError;
pub use connect::{Connect, Io};
pub(crate) use connector::{BoxConnector, UnixConnector};
pub(crate) use dial::{Dial, NoConnection};
pub(crate) use http1::{Http1, Ready};
#[cfg(feature = "facade")]
pub(crate) use keepalive::Heard;
pub(crate) use keepalive::KeepAlive;
pub(crate) use read_ahead::Used;
pub use trace::DialTrace;

/// How long an idle connection is kept. Newer LXD and Incus close it after 30 seconds; this side has to be the first.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(25);
