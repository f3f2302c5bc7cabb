//! Storage pools, and the volumes and buckets in them: `/1.0/storage-pools`.

mod backups;
mod buckets;
mod snapshots;
mod volumes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::{at, below};
use crate::redacted;
use crate::{Client, Error, List};

pub use backups::{NewVolumeBackup, VolumeBackup, VolumeBackupHandle};
pub use buckets::{Bucket, BucketHandle, BucketKey, BucketKeyHandle};
pub use snapshots::{VolumeSnapshot, VolumeSnapshotHandle};
pub use volumes::{Volume, VolumeHandle, VolumeKind, VolumeState};

/// A storage pool, from [`Client::storage_pools`] or [`StoragePoolHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StoragePool {
    /// Its name.
    pub name: String,
    /// `dir`, `btrfs`, `lvm`, `zfs`, `ceph` and so on.
    pub driver: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings, such as `source` and `size`.
    pub config: BTreeMap<String, String>,
    /// `Created`, `Pending`, `Errored` and so on.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub status: String,
    /// The URLs of what is in it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(StoragePool { name, driver, description, status, used_by } hides { config, rest });

/// How much a storage pool holds, from [`StoragePoolHandle::resources`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StoragePoolResources {
    /// In bytes.
    pub space: PoolUsage,
    /// In files.
    pub inodes: PoolUsage,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How much there is, and how much of it is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PoolUsage {
    /// How much is used.
    pub used: u64,
    /// How much there is.
    pub total: u64,
}

impl StoragePool {
    /// A pool to create, with this driver.
    #[must_use]
    pub fn new(name: &str, driver: &str) -> StoragePool {
        StoragePool { name: name.to_owned(), driver: driver.to_owned(), ..StoragePool::default() }
    }
}

handle! {
    /// One storage pool, which may or may not exist; from [`Client::storage_pool`].
    StoragePoolHandle of StoragePool as "/1.0/storage-pools/{pool}": get, update, patch, delete
}

impl Client {
    /// `GET /1.0/storage-pools`.
    pub fn storage_pools(&self) -> List<StoragePool> {
        List::new(self.get(["storage-pools"]))
    }

    /// `POST /1.0/storage-pools`: creates a pool. In a cluster it is created on each member first, by clients
    /// with that [`target`](Client::target), and then without.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_storage_pool(&self, pool: &StoragePool) -> Result<(), Error> {
        self.post(["storage-pools"]).json(pool).done().await
    }

    /// A handle of a pool. Nothing is sent.
    #[must_use]
    pub fn storage_pool(&self, name: &str) -> StoragePoolHandle {
        StoragePoolHandle::new(self, at(["storage-pools", name]))
    }
}

impl StoragePoolHandle {
    /// `GET /1.0/storage-pools/{pool}/resources`: how much it holds. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn resources(&self) -> Result<StoragePoolResources, Error> {
        self.client.get(below(&self.path, ["resources"])).fetch().await
    }
}
