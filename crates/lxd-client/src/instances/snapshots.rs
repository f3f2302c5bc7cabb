//! Snapshots of an instance: `/1.0/instances/{name}/snapshots`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::InstanceHandle;
use crate::redacted;
use crate::{Client, Error, List, Operation, Versioned};

/// A snapshot of an instance, from [`InstanceHandle::snapshots`] or [`SnapshotHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Snapshot {
    /// Its name, unique in the instance.
    pub name: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When the server will delete it; the year 1 for never.
    pub expires_at: String,
    /// Whether what ran is in it.
    pub stateful: bool,
    /// The instance's settings at that time.
    pub config: BTreeMap<String, String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Snapshot { name, created_at, expires_at, stateful } hides { config, rest });

/// A snapshot to make, for [`InstanceHandle::create_snapshot_as`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewSnapshot {
    /// Its name; without one the server chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// With what runs in the instance.
    pub stateful: bool,
    /// When the server may delete it, RFC 3339: the year 1 for never. Without it, as the instance's settings say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
}

/// One snapshot, which may or may not exist; from [`InstanceHandle::snapshot`].
#[derive(Clone, Debug)]
pub struct SnapshotHandle {
    client: Client,
    instance: String,
    name: String,
}

impl InstanceHandle {
    /// `GET /1.0/instances/{name}/snapshots`.
    pub fn snapshots(&self) -> List<Snapshot> {
        List::new(self.client.get(&self.path(["snapshots"])[..]))
    }

    /// `POST /1.0/instances/{name}/snapshots`: makes a snapshot.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_snapshot(&self, name: &str, stateful: bool) -> Result<Operation, Error> {
        let snapshot = NewSnapshot { name: Some(name.to_owned()), stateful, expires_at: None };
        self.create_snapshot_as(&snapshot).await
    }

    /// `POST /1.0/instances/{name}/snapshots`: makes a snapshot that expires, does not, or is named by the server.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_snapshot_as(&self, snapshot: &NewSnapshot) -> Result<Operation, Error> {
        self.client.post(&self.path(["snapshots"])[..]).json(snapshot).operation().await
    }

    /// Brings the instance back to a snapshot: `PUT /1.0/instances/{name}` with `restore`.
    ///
    /// # Errors
    /// When there is no such snapshot.
    pub async fn restore(&self, snapshot: &str) -> Result<Operation, Error> {
        self.client.put(&self.path([])[..]).json(&json!({"restore": snapshot})).operation().await
    }

    /// The same with what ran in the instance when the snapshot was made, which has that.
    ///
    /// # Errors
    /// When there is no such snapshot, or it has no state.
    pub async fn restore_stateful(&self, snapshot: &str) -> Result<Operation, Error> {
        let body = json!({"restore": snapshot, "stateful": true});
        self.client.put(&self.path([])[..]).json(&body).operation().await
    }

    /// A handle of a snapshot. Nothing is sent.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> SnapshotHandle {
        SnapshotHandle { client: self.client.clone(), instance: self.name.clone(), name: name.to_owned() }
    }
}

impl SnapshotHandle {
    fn path(&self) -> [&str; 4] {
        ["instances", &self.instance, "snapshots", &self.name]
    }

    /// `GET /1.0/instances/{name}/snapshots/{snapshot}`. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn get(&self) -> Result<Versioned<Snapshot>, Error> {
        self.client.get(self.path()).versioned().await
    }

    /// `PUT /1.0/instances/{name}/snapshots/{snapshot}`: changes when it expires.
    ///
    /// # Errors
    /// [`Error::is_changed_meanwhile`] when somebody else changed it since it was read.
    pub async fn update(&self, snapshot: &Versioned<Snapshot>) -> Result<(), Error> {
        let body = json!({"expires_at": snapshot.expires_at});
        self.client.put(self.path()).if_match(snapshot).json(&body).done().await
    }

    /// `PATCH /1.0/instances/{name}/snapshots/{snapshot}`.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn patch(&self, changes: &impl Serialize) -> Result<(), Error> {
        self.client.patch(self.path()).json(changes).done().await
    }

    /// `POST /1.0/instances/{name}/snapshots/{snapshot}`: gives it another name.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the new name is taken.
    pub async fn rename(&self, name: &str) -> Result<Operation, Error> {
        self.client.post(self.path()).json(&json!({"name": name})).operation().await
    }

    /// `DELETE /1.0/instances/{name}/snapshots/{snapshot}`.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn delete(&self) -> Result<Operation, Error> {
        self.client.delete(self.path()).operation().await
    }
}
