//! Copies of custom volumes from one server to another.

use serde_json::{Value, json};

use super::{Copying, Ends, Route, begin};
use crate::path::below;
use crate::storage::{StoragePoolHandle, Volume, VolumeHandle};
use crate::{Error, Operation};

/// A copy of a custom volume to make on another server, for [`VolumeHandle::begin_copy_to`].
#[derive(Clone, Debug)]
#[must_use = "nothing is copied until it is given to a volume"]
pub struct VolumeMigration {
    name: String,
    route: Route,
    volume_only: bool,
    refresh: bool,
}

impl VolumeMigration {
    /// A copy of this name, through this process, with its snapshots.
    pub fn new(name: &str) -> VolumeMigration {
        VolumeMigration { name: name.to_owned(), route: Route::Relay, volume_only: false, refresh: false }
    }

    /// Another way.
    pub fn route(mut self, route: Route) -> VolumeMigration {
        self.route = route;
        self
    }

    /// Without the snapshots.
    pub fn volume_only(mut self) -> VolumeMigration {
        self.volume_only = true;
        self
    }

    /// Into a volume that is there, of which only what differs is changed. For servers that have the API extension
    /// `custom_volume_refresh`.
    pub fn refresh(mut self) -> VolumeMigration {
        self.refresh = true;
        self
    }
}

impl VolumeHandle {
    /// Begins a copy of this custom volume into a pool of another server. Not cancel safe: a dropped future may leave an
    /// operation on a server that waits for the other one, and fails after some seconds.
    ///
    /// # Errors
    /// When a server refuses it.
    pub async fn begin_copy_to(
        &self,
        pool: &StoragePoolHandle,
        migration: &VolumeMigration,
    ) -> Result<Copying, Error> {
        let volume = self.get().await?.value;
        let ends = VolumeEnds { source: self, pool, migration, volume };
        begin(&self.client, &pool.client, &migration.route, &ends).await
    }
}

struct VolumeEnds<'a> {
    source: &'a VolumeHandle,
    pool: &'a StoragePoolHandle,
    migration: &'a VolumeMigration,
    volume: Volume,
}

impl Ends for VolumeEnds<'_> {
    async fn send(&self, target: Option<Value>) -> Result<Operation, Error> {
        let mut body = json!({
            "name": self.volume.name, "migration": true, "volume_only": self.migration.volume_only,
        });
        if let Some(target) = target {
            body["target"] = target;
        }
        self.source.client.post(&self.source.path[..]).json(&body).operation().await
    }

    async fn receive(&self, mut source: Value) -> Result<Operation, Error> {
        source["type"] = "migration".into();
        source["name"] = self.volume.name.as_str().into();
        source["volume_only"] = self.migration.volume_only.into();
        let mut request = self.pool.client.post(below(&self.pool.path, ["volumes", "custom"]));
        if self.migration.refresh {
            source["refresh"] = true.into();
            request = request.needs("custom_volume_refresh");
        }
        // The others are the source's own, such as maps of users.
        let mut config = self.volume.config.clone();
        config.retain(|key, _| !key.starts_with("volatile."));
        let body = json!({
            "name": self.migration.name, "type": "custom", "config": config,
            "description": self.volume.description, "content_type": self.volume.content_type, "source": source,
        });
        request.json(&body).operation().await
    }
}
