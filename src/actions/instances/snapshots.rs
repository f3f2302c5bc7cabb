//! Snapshots of instances.

use lxd_client::{Client, NewSnapshot};

use crate::actions::operation::name_of;
use crate::actions::{ActionError, Job};

/// Makes a snapshot, and gives the name that the server knows it by. With `reuse` it takes the place of the one that has its
/// name, which is gone only once the new one is there.
pub(crate) async fn snapshot(
    client: &Client,
    instance: &str,
    new: &NewSnapshot,
    reuse: bool,
    job: &Job,
) -> Result<String, ActionError> {
    let replaced = match &new.name {
        Some(name) if reuse => set_aside(client, instance, name, job).await?,
        _ => None,
    };
    let made = make(client, instance, new, job).await;
    let Some((name, aside)) = replaced else { return made };
    // What follows is done whether the job is cancelled or not.
    let job = Job::new();
    match made {
        Ok(made) => {
            let deleted = delete_snapshot(client, instance, &aside, &job).await;
            deleted
                .map_err(|error| error.leaving(format!("the replaced snapshot, as {instance}/{aside}")))?;
            Ok(made)
        }
        Err(error) => match rename_snapshot(client, instance, &aside, name, &job).await {
            Ok(()) => Err(error),
            Err(_) => Err(error.leaving(format!("the snapshot {instance}/{name}, as {instance}/{aside}"))),
        },
    }
}

/// Gives the snapshot another name for as long as its successor is made. None where there is no such snapshot.
async fn set_aside<'a>(
    client: &Client,
    instance: &str,
    name: &'a str,
    job: &Job,
) -> Result<Option<(&'a str, String)>, ActionError> {
    let aside = format!("{name}.replaced");
    match rename_snapshot(client, instance, name, &aside, job).await {
        Ok(()) => Ok(Some((name, aside))),
        Err(ActionError::Cloud(error)) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a snapshot; one that was made although the job was cancelled is deleted.
async fn make(client: &Client, instance: &str, new: &NewSnapshot, job: &Job) -> Result<String, ActionError> {
    let operation = job.run(client.instance(instance).create_snapshot_as(new)).await?;
    let ended = job.follow(operation).await?;
    let name = name_of(&ended, "instances_snapshots").or_else(|| new.name.clone()).unwrap_or_default();
    if !job.is_cancelled() || name.is_empty() {
        return Ok(name);
    }
    match delete_snapshot(client, instance, &name, &Job::new()).await {
        Ok(()) => Err(ActionError::cancelled()),
        Err(_) => Err(ActionError::cancelled().leaving(format!("the snapshot {instance}/{name}"))),
    }
}

/// Brings an instance back to a snapshot; with what ran then, where that is wanted and is in the snapshot.
pub(crate) async fn restore(
    client: &Client,
    instance: &str,
    snapshot: &str,
    stateful: bool,
    job: &Job,
) -> Result<(), ActionError> {
    let instance = client.instance(instance);
    let operation = if stateful {
        job.run(instance.restore_stateful(snapshot)).await?
    } else {
        job.run(instance.restore(snapshot)).await?
    };
    job.follow(operation).await.map(drop)
}

/// Gives a snapshot another name.
pub(crate) async fn rename_snapshot(
    client: &Client,
    instance: &str,
    name: &str,
    to: &str,
    job: &Job,
) -> Result<(), ActionError> {
    let operation = job.run(client.instance(instance).snapshot(name).rename(to)).await?;
    job.follow(operation).await.map(drop)
}

/// Deletes a snapshot.
pub(crate) async fn delete_snapshot(
    client: &Client,
    instance: &str,
    name: &str,
    job: &Job,
) -> Result<(), ActionError> {
    let operation = job.run(client.instance(instance).snapshot(name).delete()).await?;
    job.follow(operation).await.map(drop)
}
