//! Backups of an instance: `/1.0/instances/{name}/backups`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::io::AsyncRead;

use super::InstanceHandle;
use crate::path::form;
use crate::transfer::Download;
use crate::{Client, Error, List, Operation};

/// A backup of an instance, which the server keeps until it is deleted or expires.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Backup {
    /// Its name; from a server it is `instance/name`.
    pub name: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When the server will delete it; the year 1 for never.
    pub expires_at: String,
    /// Without the instance's snapshots.
    pub instance_only: bool,
    /// In the storage driver's own format.
    pub optimized_storage: bool,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A backup to make, for [`InstanceHandle::create_backup`].
#[derive(Clone, Debug, Default, Serialize)]
pub struct NewBackup {
    /// Its name; without one the server chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// When the server may delete it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Without the instance's snapshots.
    pub instance_only: bool,
    /// In the storage driver's own format.
    pub optimized_storage: bool,
    /// `gzip`, `zstd`, `none` and so on; without it the server chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression_algorithm: Option<String>,
}

/// What an instance of a backup is to be, for [`Client::import_instance_with`].
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Its name; without one, that in the backup.
    pub name: Option<String>,
    /// The storage pool; without one, that of the same name as before.
    pub pool: Option<String>,
    /// Settings of devices that replace those in the backup, by device.
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
}

/// One backup, which may or may not exist; from [`InstanceHandle::backup`].
#[derive(Clone, Debug)]
pub struct BackupHandle {
    client: Client,
    instance: String,
    name: String,
}

impl InstanceHandle {
    /// `GET /1.0/instances/{name}/backups`.
    pub fn backups(&self) -> List<Backup> {
        List::new(self.client.get(&self.path(["backups"])[..]))
    }

    /// `POST /1.0/instances/{name}/backups`: makes a backup on the server.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_backup(&self, backup: &NewBackup) -> Result<Operation, Error> {
        self.client.post(&self.path(["backups"])[..]).json(backup).operation().await
    }

    /// A handle of a backup. Nothing is sent.
    #[must_use]
    pub fn backup(&self, name: &str) -> BackupHandle {
        BackupHandle { client: self.client.clone(), instance: self.name.clone(), name: name.to_owned() }
    }
}

impl BackupHandle {
    fn path(&self) -> [&str; 4] {
        ["instances", &self.instance, "backups", &self.name]
    }

    /// `GET /1.0/instances/{name}/backups/{backup}`. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn get(&self) -> Result<Backup, Error> {
        self.client.get(self.path()).fetch().await
    }

    /// `POST /1.0/instances/{name}/backups/{backup}`: gives it another name.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the new name is taken.
    pub async fn rename(&self, name: &str) -> Result<Operation, Error> {
        self.client.post(self.path()).json(&json!({"name": name})).operation().await
    }

    /// `DELETE /1.0/instances/{name}/backups/{backup}`.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn delete(&self) -> Result<Operation, Error> {
        self.client.delete(self.path()).operation().await
    }

    /// `GET /1.0/instances/{name}/backups/{backup}/export`: the backup's archive, as a stream.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn export(&self) -> Result<Download, Error> {
        self.export_from(0).await
    }

    /// The same from this byte on: the rest of an archive whose transfer broke.
    ///
    /// # Errors
    /// Those of [`export`](BackupHandle::export); [`Error::Protocol`] when the server begins elsewhere.
    pub async fn export_from(&self, offset: u64) -> Result<Download, Error> {
        let [a, b, c, d] = self.path();
        self.client.get([a, b, c, d, "export"]).download_from(offset).await
    }
}

impl Client {
    /// `POST /1.0/instances` with a backup's archive: creates the instance that is in it, under another
    /// name if one is given. The archive is streamed, and the server keeps it on its disk first.
    ///
    /// # Errors
    /// When reading the archive fails, or the server refuses it.
    pub async fn import_instance(
        &self,
        archive: impl AsyncRead + Send + 'static,
        name: Option<&str>,
        pool: Option<&str>,
    ) -> Result<Operation, Error> {
        let options = ImportOptions {
            name: name.map(str::to_owned),
            pool: pool.map(str::to_owned),
            ..ImportOptions::default()
        };
        self.import_instance_with(archive, &options).await
    }

    /// The same, with all that can be said of the instance.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for devices before LXD 5.21; those of [`import_instance`](Client::import_instance).
    pub async fn import_instance_with(
        &self,
        archive: impl AsyncRead + Send + 'static,
        options: &ImportOptions,
    ) -> Result<Operation, Error> {
        let prefix = self.header_prefix().await?;
        let mut request = self.post(["instances"]);
        for (header, value) in [("name", &options.name), ("pool", &options.pool)] {
            if let Some(value) = value {
                request = request.header(&format!("{prefix}{header}"), value);
            }
        }
        if !options.devices.is_empty() {
            let settings = |settings: &BTreeMap<String, String>| {
                form(settings.iter().map(|(k, v)| (k.as_str(), v.as_str())))
            };
            let devices: Vec<_> =
                options.devices.iter().map(|(name, device)| (name.as_str(), settings(device))).collect();
            let devices = form(devices.iter().map(|(name, device)| (*name, device.as_str())));
            request = request.needs("import_instance_devices").header(&format!("{prefix}devices"), &devices);
        }
        request.body_from(archive).operation().await
    }
}
