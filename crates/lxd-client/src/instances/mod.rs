//! Instances, which are containers and virtual machines: `/1.0/instances`.

mod backups;
mod create;
mod extras;
mod snapshots;
mod state;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::redacted;
use crate::{Client, Error, List, Operation, Versioned};

pub use backups::{Backup, BackupHandle, ImportOptions, NewBackup};
pub use create::NewInstance;
pub use snapshots::{NewSnapshot, Snapshot, SnapshotHandle};
pub use state::{Action, InstanceState, StateChange};

/// A container or virtual machine, from [`Client::instances`] or [`InstanceHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Instance {
    /// Its name, unique in its project.
    pub name: String,
    /// `Running`, `Stopped`, `Frozen` or `Error`.
    pub status: String,
    /// `container` or `virtual-machine`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its processor architecture, such as `x86_64`.
    pub architecture: String,
    /// The project it is in.
    pub project: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings; those of `volatile.` are the server's, and an update must keep them.
    pub config: BTreeMap<String, String>,
    /// Devices by name, each with its `type` and settings.
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    /// The profiles that are applied to it, in their order.
    pub profiles: Vec<String>,
    /// Whether it is deleted when it stops.
    pub ephemeral: bool,
    /// Its state, in a list [with state](List::with_state).
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub state: Option<InstanceState>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Instance { name, status, kind, architecture, project, description, profiles, ephemeral, state } hides { config, devices, rest });

/// One instance, which may or may not exist; from [`Client::instance`].
#[derive(Clone, Debug)]
pub struct InstanceHandle {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Client {
    /// `GET /1.0/instances?recursion=1`: the instances of the project, in one round trip.
    pub fn instances(&self) -> List<Instance> {
        List::new(self.get(["instances"]))
    }

    /// A handle of an instance. Nothing is sent.
    #[must_use]
    pub fn instance(&self, name: &str) -> InstanceHandle {
        InstanceHandle { client: self.clone(), name: name.to_owned() }
    }

    /// `PUT /1.0/instances`: starts, stops, restarts or freezes all instances of the project.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn change_all_instances(&self, change: &StateChange) -> Result<Operation, Error> {
        self.put(["instances"]).json(&json!({"state": change})).operation().await
    }
}

impl List<Instance> {
    /// With the state, snapshots and backups of each, in the same round trip.
    pub fn with_state(self) -> List<Instance> {
        self.recursion(2)
    }
}

impl InstanceHandle {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path<'a, const N: usize>(&'a self, below: [&'a str; N]) -> Vec<&'a str> {
        ["instances", &self.name].into_iter().chain(below).collect()
    }

    /// `GET /1.0/instances/{name}`. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn get(&self) -> Result<Versioned<Instance>, Error> {
        self.client.get(&self.path([])[..]).versioned().await
    }

    /// `GET /1.0/instances/{name}?recursion=1`: the same with its state, snapshots and backups. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn get_full(&self) -> Result<Instance, Error> {
        self.client.get(&self.path([])[..]).query("recursion", 1).fetch().await
    }

    /// `PUT /1.0/instances/{name}`: replaces its configuration.
    ///
    /// # Errors
    /// [`Error::is_changed_meanwhile`] when somebody else changed it since it was read.
    pub async fn update(&self, instance: &Versioned<Instance>) -> Result<Operation, Error> {
        self.client.put(&self.path([])[..]).if_match(instance).json(&instance.value).operation().await
    }

    /// `PATCH /1.0/instances/{name}`: sets what is in `changes` and leaves the rest, other than
    /// the description, which LXD 5.0 empties when it is not among them.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn patch(&self, changes: &impl Serialize) -> Result<(), Error> {
        self.client.patch(&self.path([])[..]).json(changes).done().await
    }

    /// `POST /1.0/instances/{name}`: gives it another name. It must be stopped.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the new name is taken.
    pub async fn rename(&self, name: &str) -> Result<Operation, Error> {
        self.client.post(&self.path([])[..]).json(&json!({"name": name})).operation().await
    }

    /// `DELETE /1.0/instances/{name}`: deletes it. It must be stopped.
    ///
    /// # Errors
    /// When it runs, or there is none of that name.
    pub async fn delete(&self) -> Result<Operation, Error> {
        self.client.delete(&self.path([])[..]).operation().await
    }

    /// Kills it when it runs, deletes it, and waits for that: four round trips, and two for one that is
    /// stopped.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn delete_forced(&self) -> Result<(), Error> {
        let stop = async { self.change_state(&StateChange::new(Action::Stop).force()).await?.wait().await };
        let stopped = stop.await;
        let deleted = async { self.delete().await?.wait().await.map(drop) };
        match (stopped, deleted.await) {
            // It was ephemeral: it went as it stopped.
            (Ok(_), Err(error)) if error.is_not_found() => Ok(()),
            (Err(error @ (Error::NotTrusted { .. } | Error::NotAllowed { .. })), Err(_)) => Err(error),
            (_, deleted) => deleted,
        }
    }

    /// `POST /1.0/instances/{name}/rebuild`: makes its root disk anew from an image, or from nothing.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before LXD 5.14.
    pub async fn rebuild(&self, source: &Value) -> Result<Operation, Error> {
        let request = self.client.post(&self.path(["rebuild"])[..]).needs("instances_rebuild");
        request.json(&json!({"source": source})).operation().await
    }
}
