//! Backups of a volume: `…/volumes/custom/{name}/backups`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::VolumeHandle;
use crate::handle::handle;
use crate::path::below;
use crate::transfer::Download;
use crate::{Error, List, Operation};

/// A backup of a volume, which the server keeps until it is deleted or expires.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct VolumeBackup {
    /// Its name; in lists some servers have `volume/name`.
    pub name: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When the server will delete it; the year 1 for never.
    pub expires_at: String,
    /// Without the volume's snapshots.
    pub volume_only: bool,
    /// In the storage driver's own format.
    pub optimized_storage: bool,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A backup to make, for [`VolumeHandle::create_backup`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewVolumeBackup {
    /// Its name; without one the server chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the server may delete it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Without the volume's snapshots.
    pub volume_only: bool,
    /// In the storage driver's own format.
    pub optimized_storage: bool,
    /// `gzip`, `zstd`, `none` and so on; without it the server chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression_algorithm: Option<String>,
}

handle! {
    /// One backup, which may or may not exist; from [`VolumeHandle::backup`].
    VolumeBackupHandle of VolumeBackup
    as "/1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups/{backup}": get, rename, delete
}

impl VolumeHandle {
    /// `GET /1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups`.
    pub fn backups(&self) -> List<VolumeBackup> {
        List::new(self.client.get(below(&self.path, ["backups"])))
    }

    /// `POST /1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups`: makes a backup on the server.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_backup(&self, backup: &NewVolumeBackup) -> Result<Operation, Error> {
        self.client.post(below(&self.path, ["backups"])).json(backup).operation().await
    }

    /// A handle of a backup. Nothing is sent.
    #[must_use]
    pub fn backup(&self, name: &str) -> VolumeBackupHandle {
        VolumeBackupHandle::new(&self.client, below(&self.path, ["backups", name]))
    }
}

impl VolumeBackupHandle {
    /// `GET /1.0/storage-pools/{pool}/volumes/{type}/{volume}/backups/{backup}/export`: the backup's archive,
    /// as a stream.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn export(&self) -> Result<Download, Error> {
        self.export_from(0).await
    }

    /// The same from this byte on: the rest of an archive whose transfer broke.
    ///
    /// # Errors
    /// Those of [`export`](VolumeBackupHandle::export); [`Error::Protocol`] when the server begins elsewhere.
    pub async fn export_from(&self, offset: u64) -> Result<Download, Error> {
        self.client.get(below(&self.path, ["export"])).download_from(offset).await
    }
}
