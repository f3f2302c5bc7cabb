//! Backups of instances and volumes, as files: made by the server, fetched from there, and brought back to any server.
//!
//! A server keeps a backup only while it is fetched. Each one expires, so that a client that is killed leaves none for ever.

use std::time::Duration;

use futures_util::StreamExt;
use lxd_client::{
    BackupHandle, Client, Download, Error, ImportOptions, NewBackup, NewVolumeBackup, Operation,
    OperationState, StoragePoolHandle, VolumeBackupHandle, VolumeHandle,
};

use super::operation::name_of;
use super::sink::Writing;
use super::upload::Source;
use super::{ActionError, Job, Left, REMOVAL, Sink};

/// How long the server keeps a backup that nobody deletes, in seconds; as with `lxc export`.
const LIFETIME: u64 = 24 * 60 * 60;

/// The waits in seconds before a transfer that broke goes on where it was. Bytes that arrive begin them anew.
const PAUSES: [u64; 5] = [1, 2, 4, 8, 16];

/// What an export did.
#[derive(Debug)]
pub(crate) struct Exported {
    /// How many bytes the file has.
    pub(crate) bytes: u64,
    /// A backup at the server that could not be deleted.
    pub(crate) left: Left,
}

/// How a backup is made.
#[derive(Clone, Debug, Default)]
pub(crate) struct BackupOptions {
    /// Without snapshots.
    pub(crate) without_snapshots: bool,
    /// In the storage driver's own format.
    pub(crate) optimized_storage: bool,
    /// `gzip`, `zstd`, `none` and so on; without it the server chooses.
    pub(crate) compression: Option<String>,
}

/// Makes a backup of an instance at its server, fetches it, and deletes it there.
pub(crate) async fn export_instance(
    client: &Client,
    name: &str,
    options: &BackupOptions,
    to: Sink<'_>,
    job: &Job,
) -> Result<Exported, ActionError> {
    let instance = client.instance(name);
    let backup = NewBackup {
        name: Some(new_name()),
        expires_at: Some(crate::clock::rfc3339(crate::clock::now() + LIFETIME)),
        instance_only: options.without_snapshots,
        optimized_storage: options.optimized_storage,
        compression_algorithm: options.compression.clone(),
    };
    let kept = Kept::Instance(instance.backup(backup.name.as_deref().unwrap_or_default()));
    export(kept, async || instance.create_backup(&backup).await, to, job).await
}

/// The same of a volume of a storage pool.
pub(crate) async fn export_volume(
    volume: &VolumeHandle,
    options: &BackupOptions,
    to: Sink<'_>,
    job: &Job,
) -> Result<Exported, ActionError> {
    let backup = NewVolumeBackup {
        name: Some(new_name()),
        expires_at: Some(crate::clock::rfc3339(crate::clock::now() + LIFETIME)),
        volume_only: options.without_snapshots,
        optimized_storage: options.optimized_storage,
        compression_algorithm: options.compression.clone(),
    };
    let kept = Kept::Volume(volume.backup(backup.name.as_deref().unwrap_or_default()));
    export(kept, async || volume.create_backup(&backup).await, to, job).await
}

/// Makes a backup of an instance, which the server keeps, and gives its name; an empty one where the server chose it and does
/// not tell it. One that was made although the job was cancelled is deleted.
pub(crate) async fn create_backup(
    client: &Client,
    instance: &str,
    new: &NewBackup,
    job: &Job,
) -> Result<String, ActionError> {
    job.stage("the server makes the backup");
    // Not to be cancelled: the server may have begun.
    let operation = client.instance(instance).create_backup(new).await?;
    let ended = job.follow(operation).await?;
    let name = name_of(&ended, "backups").or_else(|| new.name.clone()).unwrap_or_default();
    if !job.is_cancelled() || name.is_empty() {
        return Ok(name);
    }
    let left = Kept::Instance(client.instance(instance).backup(&name)).remove().await;
    Err(left.map_or_else(ActionError::cancelled, |_| {
        ActionError::cancelled().leaving(format!("the backup {instance}/{name}"))
    }))
}

/// Deletes a backup that the server keeps.
pub(crate) async fn delete_backup(
    client: &Client,
    instance: &str,
    backup: &str,
    job: &Job,
) -> Result<(), ActionError> {
    let operation = job.run(client.instance(instance).backup(backup).delete()).await?;
    job.follow(operation).await.map(drop)
}

/// Creates the instance that is in a backup's archive, and gives its name. A cancel while the archive is sent leaves
/// nothing; after that the server goes on to the end.
pub(crate) async fn import_instance(
    client: &Client,
    archive: Source,
    options: &ImportOptions,
    job: &Job,
) -> Result<String, ActionError> {
    if let Some(name) = &options.name {
        let (instance, connection) = (client.instance(name), client.clone());
        // Before a long archive is sent for nothing.
        let (found, _) = tokio::join!(job.run(instance.get()), connection.open_ahead());
        match found {
            Ok(_) => return Err(ActionError::Refused(format!("Instance {name:?} already exists"))),
            Err(ActionError::Cloud(error)) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    job.stage("sending");
    let (reader, sent) = archive.sending(job);
    let operation = sent.through(client.import_instance_with(reader, options), job).await?;
    let named = options.name.clone();
    let ended = unpack(operation, "instance", named.as_deref(), job).await?;
    Ok(name_of(&ended, "instances").or(named).unwrap_or_default())
}

/// Creates the volume that is in a backup's archive, and gives its name; otherwise as [`import_instance`].
pub(crate) async fn import_volume(
    pool: &StoragePoolHandle,
    archive: Source,
    name: Option<&str>,
    job: &Job,
) -> Result<String, ActionError> {
    if let Some(name) = name {
        match job.run(pool.custom_volume(name).get()).await {
            Ok(_) => return Err(ActionError::Refused(format!("Volume {name:?} already exists"))),
            Err(ActionError::Cloud(error)) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
    }
    job.stage("sending");
    let (reader, sent) = archive.sending(job);
    let operation = sent.through(pool.import_volume(reader, name), job).await?;
    let ended = unpack(operation, "volume", name, job).await?;
    let created = name_of(&ended, "storage_volumes").or_else(|| name_of(&ended, "storage-volumes"));
    Ok(created.or(name.map(str::to_owned)).unwrap_or_default())
}

/// A backup that a server keeps.
enum Kept {
    Instance(BackupHandle),
    Volume(VolumeBackupHandle),
}

impl Kept {
    async fn export_from(&self, offset: u64) -> Result<Download, Error> {
        match self {
            Kept::Instance(backup) => backup.export_from(offset).await,
            Kept::Volume(backup) => backup.export_from(offset).await,
        }
    }

    async fn delete(&self) -> Result<(), Error> {
        match self {
            Kept::Instance(backup) => backup.delete().await?.wait().await.map(drop),
            Kept::Volume(backup) => backup.delete().await,
        }
    }

    /// Deletes it, and gives what is left where that fails.
    async fn remove(&self) -> Option<String> {
        match tokio::time::timeout(REMOVAL, self.delete()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) if error.is_not_found() => None,
            Ok(Err(_)) | Err(_) => Some("the backup at the server, which deletes it after a day".to_owned()),
        }
    }
}

/// Names are random, so that two exports at once are not in each other's way.
fn new_name() -> String {
    format!("kolaboree-{:08x}", fastrand::u32(..))
}

async fn export(
    kept: Kept,
    create: impl AsyncFnOnce() -> Result<Operation, Error>,
    to: Sink<'_>,
    job: &Job,
) -> Result<Exported, ActionError> {
    let mut writing = to.open().await?;
    job.stage("the server makes the backup");
    // Not to be cancelled: the server may have begun, and would keep what nobody deletes.
    let operation = create().await?;
    let fetched = async {
        job.follow(operation).await?;
        fetch(&kept, &mut writing, job).await
    };
    let fetched = fetched.await;
    let left = kept.remove().await;
    match fetched {
        Ok(bytes) => {
            writing.finish().await?;
            Ok(Exported { bytes, left: Left(left.into_iter().collect()) })
        }
        Err(error) => Err(left.into_iter().fold(error, ActionError::leaving)),
    }
}

/// Writes the whole archive. Where the connection breaks it goes on from there.
async fn fetch(kept: &Kept, to: &mut Writing<'_>, job: &Job) -> Result<u64, ActionError> {
    job.stage("fetching");
    let mut download = job.run(kept.export_from(0)).await?;
    let total = download.length();
    let (mut bytes, mut pauses) = (0, PAUSES.iter());
    loop {
        let broken = match job.run(async { Ok::<_, Error>(download.next().await) }).await? {
            Some(Ok(chunk)) => {
                job.run(to.write(&chunk)).await?;
                bytes += chunk.len() as u64;
                job.moved(bytes, total);
                pauses = PAUSES.iter();
                continue;
            }
            None if total.is_none_or(|total| bytes == total) => return Ok(bytes),
            None => std::io::ErrorKind::UnexpectedEof.into(),
            Some(Err(error)) => error,
        };
        let mut error =
            Error::Local { message: "the backup broke off on its way".to_owned(), source: broken };
        download = loop {
            let Some(pause) = pauses.next() else { return Err(error.into()) };
            tokio::select! {
                () = job.cancelled() => return Err(ActionError::Cancelled(Left::default())),
                () = tokio::time::sleep(Duration::from_secs(*pause)) => {}
            }
            match job.run(kept.export_from(bytes)).await {
                Ok(download) => break download,
                Err(ActionError::Cloud(again)) if again.is_retryable() => error = again,
                Err(other) => return Err(other),
            }
        };
    }
}

/// Follows what a server makes of an archive. A failed one the server removes itself; one whose end nobody knows is told.
async fn unpack(
    operation: Operation,
    kind: &str,
    name: Option<&str>,
    job: &Job,
) -> Result<OperationState, ActionError> {
    job.stage("the server unpacks it");
    job.follow(operation).await.map_err(|error| match error {
        // The server's own words are about the volume of that name.
        ActionError::Cloud(Error::Operation { message, .. }) if message.contains("already exists") => {
            let named = name.map_or_else(|| "that the backup names".to_owned(), |name| format!("{name:?}"));
            ActionError::Refused(format!(
                "there is already the {} {named}: give another name ({message})",
                kind
            ))
        }
        // That is how tar says it.
        ActionError::Cloud(Error::Operation { id, message, state }) if message.contains("Wrote only") => {
            let message = format!("no space left in the storage pool: {message}");
            Error::Operation { id, message, state }.into()
        }
        ActionError::Cloud(Error::Operation { .. }) | ActionError::Cancelled(_) => error,
        unknown => {
            let name = name.map(|name| format!(" {name}")).unwrap_or_default();
            unknown.leaving(format!("perhaps the {kind}{name}, or a part of it"))
        }
    })
}
