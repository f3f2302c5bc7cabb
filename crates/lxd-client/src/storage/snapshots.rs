//! Snapshots of a volume: `…/volumes/custom/{name}/snapshots`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::VolumeHandle;
use crate::handle::handle;
use crate::path::below;
use crate::redacted;
use crate::{Error, List, Operation};

/// A snapshot of a volume, from [`VolumeHandle::snapshots`] or [`VolumeSnapshotHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeSnapshot {
    /// Its name, unique in the volume; in lists some servers have `volume/name`.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// When the server will delete it; none or the year 1 for never.
    pub expires_at: Option<String>,
    /// The volume's settings at that time.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub config: BTreeMap<String, String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(VolumeSnapshot { name, description, expires_at } hides { config, rest });

handle! {
    /// One snapshot, which may or may not exist; from [`VolumeHandle::snapshot`].
    VolumeSnapshotHandle of VolumeSnapshot
    as "/1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots/{snapshot}":
    get, update, patch, rename, delete
}

impl VolumeHandle {
    /// `GET /1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots`.
    pub fn snapshots(&self) -> List<VolumeSnapshot> {
        List::new(self.client.get(below(&self.path, ["snapshots"])))
    }

    /// `POST /1.0/storage-pools/{pool}/volumes/{type}/{volume}/snapshots`: makes a snapshot.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_snapshot(&self, name: &str) -> Result<Operation, Error> {
        self.client.post(below(&self.path, ["snapshots"])).json(&json!({"name": name})).operation().await
    }

    /// A handle of a snapshot. Nothing is sent.
    #[must_use]
    pub fn snapshot(&self, name: &str) -> VolumeSnapshotHandle {
        VolumeSnapshotHandle::new(&self.client, below(&self.path, ["snapshots", name]))
    }
}
