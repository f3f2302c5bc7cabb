//! Volumes of a storage pool: `/1.0/storage-pools/{pool}/volumes`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::io::AsyncRead;

use super::StoragePoolHandle;
use crate::handle::handle;
use crate::path::below;
use crate::redacted;
use crate::{Error, List, Operation};

/// A volume of a storage pool, from [`StoragePoolHandle::volumes`] or [`VolumeHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Volume {
    /// Its name, unique among those of its kind.
    pub name: String,
    /// `custom`, `container`, `virtual-machine` or `image`; see [`VolumeKind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings, such as `size`.
    pub config: BTreeMap<String, String>,
    /// `filesystem`, `block` or `iso`.
    pub content_type: String,
    /// The project it is in.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub project: String,
    /// The cluster's member that it is on.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub location: String,
    /// The URLs of what uses it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Volume { name, kind, description, content_type, project, location, used_by } hides { config, rest });

/// What a volume is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VolumeKind {
    /// Made by a user, for any instance.
    Custom,
    /// The root disk of a container.
    Container,
    /// The root disk of a virtual machine.
    VirtualMachine,
    /// An image, unpacked.
    Image,
}

/// How a volume is right now, from [`VolumeHandle::state`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeState {
    /// How much of it is used; nothing where the pool's driver cannot tell.
    pub usage: super::PoolUsage,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl VolumeKind {
    /// Its name in paths.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            VolumeKind::Custom => "custom",
            VolumeKind::Container => "container",
            VolumeKind::VirtualMachine => "virtual-machine",
            VolumeKind::Image => "image",
        }
    }
}

impl Volume {
    /// A custom volume to create, a file system.
    #[must_use]
    pub fn new(name: &str) -> Volume {
        let custom = VolumeKind::Custom.as_str().to_owned();
        Volume { name: name.to_owned(), kind: custom, ..Volume::default() }
    }
}

handle! {
    /// One volume, which may or may not exist; from [`StoragePoolHandle::volume`].
    VolumeHandle of Volume as "/1.0/storage-pools/{pool}/volumes/{type}/{volume}":
    get, update, patch, rename, delete
}

impl StoragePoolHandle {
    /// `GET /1.0/storage-pools/{pool}/volumes`: all its volumes.
    pub fn volumes(&self) -> List<Volume> {
        List::new(self.client.get(below(&self.path, ["volumes"])))
    }

    /// `GET /1.0/storage-pools/{pool}/volumes/{type}`: its volumes of one kind.
    pub fn volumes_of(&self, kind: VolumeKind) -> List<Volume> {
        List::new(self.client.get(below(&self.path, ["volumes", kind.as_str()])))
    }

    /// `POST /1.0/storage-pools/{pool}/volumes`: creates a custom volume.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_volume(&self, volume: &Volume) -> Result<(), Error> {
        self.client.post(below(&self.path, ["volumes"])).json(volume).done().await
    }

    /// `POST /1.0/storage-pools/{pool}/volumes/custom` with a source: copies a custom volume, with its
    /// snapshots, from a pool of the same server into this one.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn copy_volume(&self, name: &str, from_pool: &str, volume: &str) -> Result<Operation, Error> {
        let source = json!({"type": "copy", "pool": from_pool, "name": volume});
        let body = json!({"name": name, "type": "custom", "source": source});
        self.client.post(below(&self.path, ["volumes", "custom"])).json(&body).operation().await
    }

    /// `POST /1.0/storage-pools/{pool}/volumes/custom` with a backup's archive: creates the volume that is in
    /// it, under another name if one is given. The archive is streamed, and the server keeps it on its disk
    /// first.
    ///
    /// # Errors
    /// When reading the archive fails, or the server refuses it.
    pub async fn import_volume(
        &self,
        archive: impl AsyncRead + Send + 'static,
        name: Option<&str>,
    ) -> Result<Operation, Error> {
        let prefix = self.client.header_prefix().await?;
        let mut request = self.client.post(below(&self.path, ["volumes", "custom"]));
        if let Some(name) = name {
            request = request.header(&format!("{prefix}name"), name);
        }
        request.body_from(archive).operation().await
    }

    /// A handle of a volume. Nothing is sent.
    #[must_use]
    pub fn volume(&self, kind: VolumeKind, name: &str) -> VolumeHandle {
        VolumeHandle::new(&self.client, below(&self.path, ["volumes", kind.as_str(), name]))
    }

    /// The same of a custom volume.
    #[must_use]
    pub fn custom_volume(&self, name: &str) -> VolumeHandle {
        self.volume(VolumeKind::Custom, name)
    }
}

impl VolumeHandle {
    /// `GET /1.0/storage-pools/{pool}/volumes/{type}/{volume}/state`: how it is right now. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn state(&self) -> Result<VolumeState, Error> {
        self.client.get(below(&self.path, ["state"])).fetch().await
    }

    /// `POST /1.0/storage-pools/{pool}/volumes/{type}/{volume}` with a pool: moves it there, under this name.
    ///
    /// # Errors
    /// When something uses it.
    pub async fn move_to(&self, pool: &str, name: &str) -> Result<Operation, Error> {
        self.client.post(&self.path[..]).json(&json!({"name": name, "pool": pool})).operation().await
    }

    /// Brings it back to a snapshot: `PUT /1.0/storage-pools/{pool}/volumes/{type}/{volume}` with `restore`.
    ///
    /// # Errors
    /// When there is no such snapshot.
    pub async fn restore(&self, snapshot: &str) -> Result<(), Error> {
        self.client.put(&self.path[..]).json(&json!({"restore": snapshot})).done().await
    }
}
