//! Deleting and renaming.

use lxd_client::{Action, Client, Error, StateChange};

use super::state::change_state;
use crate::actions::{ActionError, Job};

/// Deletes an instance with its snapshots; by force also one that runs, which is stopped first.
pub(crate) async fn delete(client: &Client, name: &str, force: bool, job: &Job) -> Result<(), ActionError> {
    let instance = client.instance(name);
    let ephemeral = if force {
        let found = job.run(instance.get()).await?;
        if found.status != "Stopped" {
            change_state(client, name, &StateChange::new(Action::Stop).force(), job).await?;
        }
        found.ephemeral
    } else {
        false
    };
    let deleted = async { job.follow(job.run(instance.delete()).await?).await.map(drop) };
    match deleted.await {
        // It went by itself as it stopped.
        Err(ActionError::Cloud(error)) if ephemeral && error.is_not_found() => Ok(()),
        Err(ActionError::Cloud(Error::Api { message, .. })) if message.contains("is running") => {
            let words = "The instance is currently running, stop it first or pass --force";
            Err(ActionError::Refused(words.to_owned()))
        }
        deleted => deleted,
    }
}

/// Gives an instance another name. It must be stopped.
pub(crate) async fn rename(client: &Client, name: &str, to: &str, job: &Job) -> Result<(), ActionError> {
    let operation = job.run(client.instance(name).rename(to)).await?;
    job.follow(operation).await.map(drop)
}
