//! The state of an instance, and how it is changed: `/1.0/instances/{name}/state`.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::InstanceHandle;
use crate::{Error, Operation};

/// How an instance is right now, from [`InstanceHandle::state`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct InstanceState {
    /// `Running`, `Stopped`, `Frozen` or `Error`.
    pub status: String,
    /// The number of its first process, as the server's machine sees it.
    pub pid: i64,
    /// How many processes it has.
    pub processes: i64,
    /// Its memory in bytes: `usage`, `usage_peak`, `swap_usage`, `swap_usage_peak`.
    pub memory: BTreeMap<String, i64>,
    /// Its processor time in nanoseconds: `usage`.
    pub cpu: Map<String, Value>,
    /// Its disks by device: `usage` in bytes.
    pub disk: Map<String, Value>,
    /// Its networks by interface: addresses and counters.
    pub network: Map<String, Value>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl InstanceState {
    /// The processor time it has used.
    #[must_use]
    pub fn cpu_time(&self) -> Duration {
        Duration::from_nanos(self.cpu.get("usage").and_then(Value::as_u64).unwrap_or_default())
    }

    /// Its memory in bytes.
    #[must_use]
    pub fn memory_usage(&self) -> u64 {
        self.memory.get("usage").and_then(|n| u64::try_from(*n).ok()).unwrap_or_default()
    }
}

/// What to do with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Action {
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Stop and start it.
    Restart,
    /// Stop its processes where they are.
    Freeze,
    /// Have them go on.
    Unfreeze,
}

/// A change of an instance's state, for [`InstanceHandle::change_state`].
#[derive(Clone, Debug, Serialize)]
#[must_use = "nothing changes until it is given to an instance"]
pub struct StateChange {
    action: Action,
    force: bool,
    stateful: bool,
    timeout: i64,
}

impl StateChange {
    /// A change that gives the instance as long as it needs.
    pub fn new(action: Action) -> StateChange {
        StateChange { action, force: false, stateful: false, timeout: -1 }
    }

    /// At once, as if its power went out.
    pub fn force(mut self) -> StateChange {
        self.force = true;
        self
    }

    /// Keeps what runs in it over a stop, or brings it back at a start.
    pub fn stateful(mut self) -> StateChange {
        self.stateful = true;
        self
    }

    /// How long the instance may take, in whole seconds; the operation then fails.
    pub fn within(mut self, timeout: Duration) -> StateChange {
        self.timeout = i64::try_from(timeout.as_secs()).unwrap_or(-1);
        self
    }
}

impl InstanceHandle {
    /// `GET /1.0/instances/{name}/state`: how it is right now. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn state(&self) -> Result<InstanceState, Error> {
        self.client.get(&self.path(["state"])[..]).fetch().await
    }

    /// `PUT /1.0/instances/{name}/state`: starts it, stops it and so on.
    ///
    /// # Errors
    /// When it is so already, or there is none of that name.
    pub async fn change_state(&self, change: &StateChange) -> Result<Operation, Error> {
        self.client.put(&self.path(["state"])[..]).json(change).operation().await
    }

    /// Starts it; see [`change_state`](InstanceHandle::change_state).
    ///
    /// # Errors
    /// When it runs already.
    pub async fn start(&self) -> Result<Operation, Error> {
        self.change_state(&StateChange::new(Action::Start)).await
    }

    /// Asks it to shut down; see [`change_state`](InstanceHandle::change_state).
    ///
    /// # Errors
    /// When it is stopped already.
    pub async fn stop(&self) -> Result<Operation, Error> {
        self.change_state(&StateChange::new(Action::Stop)).await
    }

    /// Stops it at once; see [`change_state`](InstanceHandle::change_state).
    ///
    /// # Errors
    /// When it is stopped already.
    pub async fn kill(&self) -> Result<Operation, Error> {
        self.change_state(&StateChange::new(Action::Stop).force()).await
    }

    /// Asks it to shut down and starts it again; see [`change_state`](InstanceHandle::change_state).
    ///
    /// # Errors
    /// When it is stopped.
    pub async fn restart(&self) -> Result<Operation, Error> {
        self.change_state(&StateChange::new(Action::Restart)).await
    }

    /// Stops its processes where they are; see [`change_state`](InstanceHandle::change_state).
    ///
    /// # Errors
    /// When it does not run.
    pub async fn freeze(&self) -> Result<Operation, Error> {
        self.change_state(&StateChange::new(Action::Freeze)).await
    }

    /// Has its processes go on; see [`change_state`](InstanceHandle::change_state).
    ///
    /// # Errors
    /// When it is not frozen.
    pub async fn unfreeze(&self) -> Result<Operation, Error> {
        self.change_state(&StateChange::new(Action::Unfreeze)).await
    }
}
