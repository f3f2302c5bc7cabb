//! Snapshots of instances.

use lxd_client::{Client, NewSnapshot};

use crate::actions::operation::name_of;
use crate::actions::{ActionError, Job};

/// Makes a snapshot, and gives the name that the server knows it by; an empty one where the server chose it and it cannot be
/// told. With `reuse` it takes the place of the one that has its
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
    let handle = client.instance(instance);
    // LXD 5.0 does not tell the name that it chose: it is the one that is new.
    let before = match &new.name {
        Some(_) => Vec::new(),
        None => job.run(handle.snapshots().names()).await?,
    };
    let operation = job.run(handle.create_snapshot_as(new)).await?;
    let ended = job.follow(operation).await?;
    let name = match name_of(&ended, "instances_snapshots").or_else(|| new.name.clone()) {
        Some(name) => name,
        None => the_new_one(&before, handle.snapshots().names().await?).unwrap_or_default(),
    };
    if !job.is_cancelled() || name.is_empty() {
        return Ok(name);
    }
    match delete_snapshot(client, instance, &name, &Job::new()).await {
        Ok(()) => Err(ActionError::cancelled()),
        Err(_) => Err(ActionError::cancelled().leaving(format!("the snapshot {instance}/{name}"))),
    }
}

/// The name that was not there before. None where there are several: somebody else made one too.
fn the_new_one(before: &[String], after: Vec<String>) -> Option<String> {
    let mut new = after.into_iter().filter(|name| !before.contains(name));
    let first = new.next();
    first.filter(|_| new.next().is_none())
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

#[cfg(test)]
mod tests {
    use super::the_new_one;

    #[test]
    fn a_name_that_the_server_does_not_tell_is_the_new_one_if_there_is_one_alone() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        for (before, after, new) in [
            (&[][..], &["snap0"][..], Some("snap0")),
            (&["snap0", "daily"], &["daily", "snap0", "snap1"], Some("snap1")),
            (&["snap0"], &["snap0", "snap1", "theirs"], None),
            (&["snap0"], &["snap0"], None),
        ] {
            assert_eq!(the_new_one(&names(before), names(after)).as_deref(), new);
        }
    }
}
