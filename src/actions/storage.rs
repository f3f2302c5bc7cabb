//! Storage: snapshots of volumes. Copies of volumes are in `copy`, their backups in `backups`.

use lxd_client::Client;
use serde_json::{Value, json};

use super::objects::{Object, VOLUME, VOLUME_SNAPSHOT, text};
use super::{ActionError, Job};

/// The time of what never expires, as servers have it.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// A snapshot of a volume to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewVolumeSnapshot {
    /// Its name; without one the server chooses.
    pub(crate) name: Option<String>,
    /// It stays, whatever the volume's settings say.
    pub(crate) no_expiry: bool,
    /// It takes the place of the one that has its name, which is gone only once the new one is there.
    pub(crate) reuse: bool,
}

/// Makes a snapshot of a custom volume.
pub(crate) async fn snapshot(
    client: &Client,
    pool: &str,
    volume: &str,
    new: &NewVolumeSnapshot,
    job: &Job,
) -> Result<(), ActionError> {
    let make = async || {
        let mut body = json!({"name": new.name.as_deref().unwrap_or_default()});
        if new.no_expiry {
            body["expires_at"] = Value::from(NEVER);
        }
        let path = ["storage-pools", pool, "volumes", "custom", volume, "snapshots"];
        let operation = job.run(client.post(path).json(&body).operation()).await?;
        job.follow(operation).await.map(drop)
    };
    let Some(name) = new.name.as_deref().filter(|_| new.reuse) else { return make().await };
    let one = |name: &str| Object::new(client, &VOLUME_SNAPSHOT, &[pool, "custom", volume, name]);
    let aside = format!("{name}.replaced");
    match one(name).rename(&aside, job).await {
        Ok(()) => {}
        Err(ActionError::Cloud(error)) if error.is_not_found() => return make().await,
        Err(error) => return Err(error),
    }
    let made = make().await;
    // What follows is done whether the job is cancelled or not.
    let job = Job::new();
    match made {
        Ok(()) => {
            let deleted = one(&aside).delete(&job).await;
            deleted.map_err(|error| error.leaving(format!("the replaced snapshot, as {volume}/{aside}")))
        }
        Err(error) => match one(&aside).rename(name, &job).await {
            Ok(()) => Err(error),
            Err(_) => Err(error.leaving(format!("the snapshot {volume}/{name}, as {volume}/{aside}"))),
        },
    }
}

/// Brings a custom volume back to a snapshot.
pub(crate) async fn restore(
    client: &Client,
    pool: &str,
    volume: &str,
    snapshot: &str,
    job: &Job,
) -> Result<(), ActionError> {
    job.run(client.storage_pool(pool).custom_volume(volume).restore(snapshot)).await
}

/// Makes a volume of a snapshot, inside a cloud. `from` has the pool, the volume and the snapshot; `to` the pool and the name.
pub(crate) async fn copy_snapshot(
    client: &Client,
    from: [&str; 3],
    to_client: &Client,
    project: &str,
    to: [&str; 2],
    job: &Job,
) -> Result<(), ActionError> {
    let ([pool, volume, snapshot], [to_pool, name]) = (from, to);
    let original = Object::new(client, &VOLUME, &[pool, "custom", volume]).get(job).await?;
    let source = json!({
        "type": "copy", "pool": pool, "name": format!("{volume}/{snapshot}"), "project": project,
    });
    let body = json!({
        "name": name, "type": "custom", "content_type": text(&original, "content_type"), "source": source,
    });
    let request = to_client.post(["storage-pools", to_pool, "volumes", "custom"]).json(&body);
    let operation = job.run(request.operation()).await?;
    job.follow(operation).await.map(drop)
}
