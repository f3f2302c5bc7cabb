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
    /// The same client, for a project. It costs nothing.
    #[must_use]
    pub fn project(&self, project: &str) -> Client {
        let mut client = self.clone();
        client.scope.project = Some(project.into());
        client
    }

    /// The same client, for one member of a cluster. It costs nothing.
    #[must_use]
    pub fn target(&self, member: &str) -> Client {
        let mut client = self.clone();
        client.scope.target = Some(member.into());
        client
    }

    /// The same client, for what is in no project and on no member.
    pub(crate) fn unscoped(&self) -> Client {
        let mut client = self.clone();
        (client.scope.project, client.scope.target) = (None, None);
        client
    }

    /// The same client, whose requests may take this long.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        let mut client = self.clone();
        client.scope.timeout = Some(timeout);
        client
    }

    /// How many connections it and its clones have made so far. Over a long way each costs two round trips,
    /// or three.
    #[must_use]
    pub fn connections_made(&self) -> u64 {
        self.shared.dial.made()
    }

    /// How long the steps of the newest connection took that all requests share, for those who measure the server: ask
    /// for it after a request. When that failed, it shows which step did. `None` before the first, and on a Unix socket.
    #[must_use]
    pub fn dial_trace(&self) -> Option<DialTrace> {
        self.shared.dial.newest()
    }

    /// Whether it goes by a Unix socket.
    pub(crate) fn is_local(&self) -> bool {
        self.shared.base.scheme() == Some(&http::uri::Scheme::HTTP)
    }

    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// The project that its requests are for, where it has one.
    pub(crate) fn own_project(&self) -> Option<&str> {
        self.scope.project.as_deref()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.scope.timeout.unwrap_or(self.shared.timeout)
    }

    /// How long a websocket's server may be silent; as long as it likes on this machine.
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
        Error::Protocol { server: self.name().to_owned(), message: message.to_string() }
    }

    pub(crate) fn broken(&self, source: impl Into<BoxError>) -> Error {
        Error::Broken { server: self.name().to_owned(), source: source.into() }
    }
}

fn misconfigured(message: String) -> Error {
    Error::Config { message }
}
