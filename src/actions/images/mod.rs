//! Images: what is done with those that a server has, and how they come and go.

mod aliases;
mod copy;
mod export;
mod import;
mod publish;

use lxd_client::{Client, Error, Image, OperationState, Versioned};

pub(crate) use aliases::{NewAlias, give_aliases};
pub(crate) use copy::{Wanted, copy};
pub(crate) use export::{Target, export};
pub(crate) use import::{Files, import};
pub(crate) use publish::{Published, publish};

use super::{ActionError, Job, conflict};

/// The fingerprint of the image that a name stands for: an alias, or the beginning of a fingerprint. An alias comes first.
pub(crate) async fn fingerprint(client: &Client, name: &str, job: &Job) -> Result<String, ActionError> {
    Ok(look(client, name, job).await?.0)
}

/// The image that a name stands for.
pub(crate) async fn get(client: &Client, name: &str, job: &Job) -> Result<Versioned<Image>, ActionError> {
    match look(client, name, job).await? {
        (_, Some(image)) => Ok(image),
        (fingerprint, None) => job.run(client.image(&fingerprint).get()).await.map_err(not_found),
    }
}

/// Asks for both in one round trip. The image is there where the name is a fingerprint.
async fn look(
    client: &Client,
    name: &str,
    job: &Job,
) -> Result<(String, Option<Versioned<Image>>), ActionError> {
    let (alias, image) = (client.image_alias(name), client.image(name));
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let alias = job.run(alias.get()).await.map_err(not_found)?;
        return Ok((alias.value.target, None));
    }
    let both = async { Ok::<_, Error>(tokio::join!(alias.get(), image.get())) };
    match job.run(both).await? {
        (Ok(alias), _) => Ok((alias.value.target, None)),
        (Err(error), image) if error.is_not_found() => {
            let image = image.map_err(|error| not_found(error.into()))?;
            Ok((image.value.fingerprint.clone(), Some(image)))
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// As `lxc` says it.
fn not_found(error: ActionError) -> ActionError {
    match error {
        ActionError::Cloud(error) if error.is_not_found() => {
            ActionError::NotFound("Image not found".to_owned())
        }
        error => error,
    }
}

/// Deletes an image, with its aliases.
pub(crate) async fn delete(client: &Client, name: &str, job: &Job) -> Result<(), ActionError> {
    let fingerprint = fingerprint(client, name, job).await?;
    let operation = job.run(client.image(&fingerprint).delete()).await?;
    job.follow(operation).await.map(drop)
}

/// Has the server look for a newer one. True when there was one.
pub(crate) async fn refresh(client: &Client, name: &str, job: &Job) -> Result<bool, ActionError> {
    let fingerprint = fingerprint(client, name, job).await?;
    let operation = job.run(client.image(&fingerprint).refresh()).await?;
    let ended = job.follow(operation).await?;
    Ok(ended.metadata.get("refreshed").and_then(serde_json::Value::as_bool).unwrap_or_default())
}

/// Changes what an image says of itself, where nobody else does so meanwhile.
pub(crate) async fn change(
    client: &Client,
    name: &str,
    change: impl FnOnce(&mut Image) -> Result<(), ActionError>,
    job: &Job,
) -> Result<(), ActionError> {
    let before = get(client, name, job).await?;
    let mut after = before.value.clone();
    change(&mut after)?;
    update(client, &before, after, job).await
}

/// Replaces what an image says of itself: only where it still is as it was read before.
pub(crate) async fn update(
    client: &Client,
    before: &Versioned<Image>,
    after: Image,
    job: &Job,
) -> Result<(), ActionError> {
    let handle = client.image(&before.fingerprint);
    let mut changed = before.clone();
    changed.value = after;
    match job.run(handle.update(&changed)).await {
        Err(ActionError::Cloud(error)) if error.is_changed_meanwhile() => {
            let now = job.run(handle.get()).await?;
            Err(conflict(&format!("the image {}", before.fingerprint), &before.value, &now.value))
        }
        outcome => outcome,
    }
}

/// The fingerprint of what an operation made.
fn made(ended: &OperationState) -> Option<String> {
    Some(ended.metadata.get("fingerprint")?.as_str()?.to_owned())
}

/// Removes an image that is not wanted after all, and gives the error with what is left.
async fn undo(client: &Client, fingerprint: &str, error: ActionError) -> ActionError {
    let removed = async { client.image(fingerprint).delete().await?.wait().await };
    match tokio::time::timeout(super::REMOVAL, removed).await {
        Ok(Ok(_)) => error,
        Ok(Err(gone)) if gone.is_not_found() => error,
        _ => error.leaving(format!("the image {fingerprint}")),
    }
}
