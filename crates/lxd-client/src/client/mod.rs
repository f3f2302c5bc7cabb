//! A client of one server: what all its clones share, and the project and member that each is for.

mod builder;
mod capabilities;
mod exchange;
mod first_use;
mod limits;

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper_util::client::legacy;

use self::capabilities::Remembered;
use self::limits::Limits;
use crate::Error;
use crate::transport::{Body, BoxError, Dial, DialTrace, Http1};

pub use builder::ClientBuilder;
pub(crate) use capabilities::dialect_header;
pub(crate) use exchange::{ConnectionKind, Head};
pub(crate) use first_use::fetch_certificate;
pub use first_use::fetch_fingerprint;

/// A client of one LXD or Incus server. Clones share its connections, which are kept open and used again.
///
/// Requests go to the default project, and to any member of a cluster, until [`project`](Client::project) and
/// [`target`](Client::target) say otherwise.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    scope: Scope,
}

#[derive(Clone, Debug, Default)]
struct Scope {
    project: Option<Arc<str>>,
    target: Option<Arc<str>>,
    timeout: Option<Duration>,
}

struct Shared {
    http: legacy::Client<Dial, Body>,
    http1: Http1,
    dial: Dial,
    base: Uri,
    /// The server's name in errors.
    name: String,
    timeout: Duration,
    silence: Duration,
    bearer: Option<HeaderValue>,
    limits: Limits,
    remembered: Remembered,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("server", &self.name).finish_non_exhaustive()
    }
}

impl Client {
    /// The same client for a project: its requests go to that project. Nothing is sent, and the connections are shared.
    #[must_use]
    pub fn project(&self, project: &str) -> Client {
        let mut client = self.clone();
        client.scope.project = Some(project.into());
        client
    }

    /// The same client for one member of a cluster: its requests go to that member. Nothing is sent, and the
    /// connections are shared.
    #[must_use]
    pub fn target(&self, member: &str) -> Client {
        let mut client = self.clone();
        client.scope.target = Some(member.into());
        client
    }

    /// The same client without project and member, for things that belong to none.
    pub(crate) fn unscoped(&self) -> Client {
        let mut client = self.clone();
        (client.scope.project, client.scope.target) = (None, None);
        client
    }

    /// The same client with another timeout for its requests.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        let mut client = self.clone();
        client.scope.timeout = Some(timeout);
        client
    }

    /// How many connections this client and its clones have made so far. Each costs two or three round trips to the
    /// server.
    #[must_use]
    pub fn connections_made(&self) -> u64 {
        self.shared.dial.made()
    }

    /// How long each step of the shared connection took, for those who measure a server: call this after a request. When
    /// the request could not connect, it shows which step failed. `None` before the first request, and on a Unix socket.
    #[must_use]
    pub fn dial_trace(&self) -> Option<DialTrace> {
        self.shared.dial.newest()
    }

    /// Whether the server is reached by a Unix socket.
    pub(crate) fn is_local(&self) -> bool {
        self.shared.base.scheme() == Some(&http::uri::Scheme::HTTP)
    }

    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// The project of its requests, when one was chosen.
    pub(crate) fn own_project(&self) -> Option<&str> {
        self.scope.project.as_deref()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.scope.timeout.unwrap_or(self.shared.timeout)
    }

    /// How long the server of a websocket may be silent. `None`, so for ever, on this machine.
    pub(crate) fn silence(&self) -> Option<Duration> {
        (!self.is_local()).then_some(self.shared.silence)
    }

    /// The project and the target, for a query; not the project when the query has one of its own.
    pub(crate) fn scope_query(&self, has_project: bool) -> impl Iterator<Item = (&'static str, &str)> {
        let project = self.scope.project.as_deref().filter(|_| !has_project).map(|p| ("project", p));
        project.into_iter().chain(self.scope.target.as_deref().map(|t| ("target", t)))
    }

    /// An answer that is not the API's.
    pub(crate) fn protocol(&self, message: impl ToString) -> Error {
        Error::Protocol { server: self.name().to_owned(), message: message.to_string(), source: None }
    }

    /// The same for an answer that cannot be read.
    pub(crate) fn malformed(&self, source: impl Into<BoxError>) -> Error {
        let source = source.into();
        let (server, message) = (self.name().to_owned(), source.to_string());
        Error::Protocol { server, message, source: Some(source) }
    }

    pub(crate) fn broken(&self, source: impl Into<BoxError>) -> Error {
        Error::Broken { server: self.name().to_owned(), source: source.into() }
    }
}
