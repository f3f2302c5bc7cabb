//! The connection by which a request came.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::uri::Scheme;

use super::guard::OwnNames;
use super::problem::{Code, Problem};

/// The connection by which a request came. Nothing in a request's own words changes it.
#[derive(Clone, Debug)]
pub(in crate::api) struct Connection {
    pub(in crate::api) peer: SocketAddr,
    /// The node's own end.
    pub(in crate::api) local: SocketAddr,
    /// The port that is listened on.
    pub(in crate::api) port: u16,
    pub(in crate::api) scheme: Scheme,
    pub(in crate::api) door: Door,
}

/// Where it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Door {
    /// At the node, or at a service that it hosts.
    Tailnet,
    /// At the loopback, for development: everybody there is one fixed caller.
    Development,
}

impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Connection, Problem> {
        let known = parts.extensions.get::<Connection>().cloned();
        known.ok_or_else(|| Problem::new(Code::Failed, "the request came by no connection"))
    }
}

/// The names by which the loopback is asked.
pub(in crate::api) fn loopback_names() -> Arc<OwnNames> {
    static NAMES: LazyLock<Arc<OwnNames>> = LazyLock::new(|| {
        let addresses = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        Arc::new(OwnNames::new(["localhost".to_owned()], [], addresses))
    });
    Arc::clone(&NAMES)
}
