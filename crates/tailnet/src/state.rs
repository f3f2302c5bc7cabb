//! The state of a node, and a watch of its changes.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::StatusError;
use crate::ffi::{Node, Operation, Success};
use crate::go_json::{self, empty_is_none};

/// What the node's backend is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BackendState {
    /// Nothing yet.
    NoState,
    /// It waits for a login, by key or by a person.
    NeedsLogin,
    /// It waits for an administrator's approval.
    NeedsMachineAuth,
    /// It was stopped.
    Stopped,
    /// It is allowed in and starts up.
    Starting,
    /// It has joined.
    Running,
    /// A state that this version of the crate does not know.
    #[serde(other)]
    Other,
}

/// Its name, as serde has it.
impl fmt::Display for BackendState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The node's state at one moment, from [`StateWatch::changed`].
///
/// With serde it is as `tailscale_watch` of `tailscale.h` gives it; the names stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct State {
    seq: u64,
    /// What the backend is doing.
    #[serde(rename = "state")]
    pub backend: BackendState,
    /// Where a person can log in, when it waits for that.
    #[serde(rename = "login_url", with = "empty_is_none")]
    pub login_url: Option<String>,
    /// Why the control server refused the node.
    #[serde(with = "empty_is_none")]
    pub error: Option<String>,
    /// What Tailscale's health checks warn of, one sentence each.
    pub health: Vec<String>,
    /// When the node's key expires; `None` when it does not, or that is not known yet.
    #[serde(with = "seconds")]
    pub key_expiry: Option<SystemTime>,
    /// Whether it has expired: [`Tailnet::login`](crate::Tailnet::login) renews it.
    pub expired: bool,
    /// Whether the control server no longer knows the node, which somebody has deleted there, or which was ephemeral and
    /// away for too long. The node needs a login then; with the key of its start it tries that once by itself.
    pub forgotten: bool,
    /// A count of the changes of the network map: nodes that came or went, or changed, with their users and tags, and what
    /// they may do. Who remembers an answer of [`whois`](crate::Tailnet::whois) asks anew when it differs.
    pub netmap_version: u64,
}

/// A time is in seconds since 1970, and 0 is none.
mod seconds {
    use super::{Duration, SystemTime};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        time: &Option<SystemTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        serializer.serialize_u64(since.map_or(0, |since| since.as_secs()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SystemTime>, D::Error> {
        let seconds = u64::try_from(i64::deserialize(deserializer)?).unwrap_or(0);
        Ok((seconds > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
    }
}

/// Follows the node's state, from [`Tailnet::watch`](crate::Tailnet::watch). It keeps the node open, as a clone of
/// [`Tailnet`](crate::Tailnet) does.
///
/// ```no_run
/// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), tailnet::StatusError> {
/// let mut watch = tailnet.watch();
/// loop {
///     let state = watch.changed().await?;
///     println!("{:?} {:?}", state.backend, state.health);
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct StateWatch {
    /// The wait of a future that was dropped, or of a poll. The next one continues it.
    pending: Option<Operation>,
    node: Arc<Node>,
    seen: u64,
}

impl StateWatch {
    pub(crate) fn new(node: Arc<Node>) -> StateWatch {
        StateWatch { pending: None, node, seen: 0 }
    }

    /// Waits for a state that this watch has not given yet, and gives the newest; the first time at once.
    ///
    /// Cancel safe: a state is only counted as given when this has returned it.
    ///
    /// # Errors
    /// [`StatusError::Closed`] once the node is closed.
    pub async fn changed(&mut self) -> Result<State, StatusError> {
        poll_fn(|cx| self.poll_changed(cx)).await
    }

    /// Gives the state of this moment, whether or not this watch has given it before. Cancel safe.
    ///
    /// # Errors
    /// [`StatusError::Closed`] once the node is closed.
    pub async fn newest(&mut self) -> Result<State, StatusError> {
        self.pending = None;
        let now = self.wait_after(0)?.await?;
        self.take(&now)
    }

    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<State, StatusError>> {
        let mut operation = match self.pending.take() {
            Some(operation) => operation,
            None => self.wait_after(self.seen)?,
        };
        let Poll::Ready(result) = Pin::new(&mut operation).poll(cx) else {
            self.pending = Some(operation);
            return Poll::Pending;
        };
        Poll::Ready(self.take(&result?))
    }

    /// Starts to wait for a state that is newer than the one of that number.
    fn wait_after(&self, seen: u64) -> Result<Operation, StatusError> {
        Ok(self.node.watch(seen)?)
    }

    fn take(&mut self, success: &Success) -> Result<State, StatusError> {
        let state: State = go_json::read(&success.data)?;
        self.seen = state.seq;
        Ok(state)
    }
}

/// The states that [`changed`](StateWatch::changed) gives, until the node is closed.
impl Stream for StateWatch {
    type Item = Result<State, StatusError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.poll_changed(cx)) {
            Err(StatusError::Closed) => None,
            state => Some(state),
        })
    }
}
