use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::StatusError;
use crate::ffi::Node;

/// What the node's backend is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
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

/// The node's state at one moment, from [`StateWatch::changed`].
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct State {
    seq: u64,
    /// What the backend is doing.
    #[serde(rename = "state")]
    pub backend: BackendState,
    /// Where a person can log in, when it waits for that.
    #[serde(rename = "login_url", deserialize_with = "none_if_empty")]
    pub login_url: Option<String>,
    /// Why the control server refused the node.
    #[serde(deserialize_with = "none_if_empty")]
    pub error: Option<String>,
    /// What Tailscale's health checks warn of, one sentence each.
    pub health: Vec<String>,
    /// When the node's key expires; `None` when it does not, or that is not known yet.
    #[serde(deserialize_with = "time_of_seconds")]
    pub key_expiry: Option<SystemTime>,
    /// Whether it has expired: [`Tailnet::login`](crate::Tailnet::login) renews it.
    pub expired: bool,
    /// Whether the control server no longer knows the node, which somebody has deleted there, or which was ephemeral and
    /// away for too long. The node needs a login then; with the key of its start it tries that once by itself.
    pub forgotten: bool,
    /// A count of the changes of the network map: nodes that came or went, or changed.
    pub netmap: u64,
}

fn none_if_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(|text| (!text.is_empty()).then_some(text))
}

fn time_of_seconds<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<SystemTime>, D::Error> {
    let seconds = u64::try_from(i64::deserialize(deserializer)?).unwrap_or(0);
    Ok((seconds > 0).then(|| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
}

/// Follows the node's state. It does not keep the node open.
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
    node: std::sync::Weak<Node>,
    seen: u64,
}

impl StateWatch {
    pub(crate) fn new(node: &Arc<Node>) -> StateWatch {
        StateWatch { node: Arc::downgrade(node), seen: 0 }
    }

    /// Waits for a state that this watch has not given yet, and gives the newest; the first time at once.
    ///
    /// Cancel safe: a state is only counted as given when this has returned it.
    ///
    /// # Errors
    /// [`StatusError::Closed`] once the node is closed.
    pub async fn changed(&mut self) -> Result<State, StatusError> {
        self.after(self.seen).await
    }

    /// Gives the state of this moment, whether or not this watch has given it before. Cancel safe.
    ///
    /// # Errors
    /// [`StatusError::Closed`] once the node is closed.
    pub async fn newest(&mut self) -> Result<State, StatusError> {
        self.after(0).await
    }

    async fn after(&mut self, seen: u64) -> Result<State, StatusError> {
        let operation = match self.node.upgrade() {
            Some(node) => node.watch(seen)?,
            None => return Err(StatusError::Closed),
        };
        let state: State = serde_json::from_str(&operation.await?.data)?;
        self.seen = state.seq;
        Ok(state)
    }
}
