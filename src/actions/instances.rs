//! Instances: start, stop, restart and delete.

use std::time::Duration;

use lxd_client::{Action, Client, StateChange};

use super::{ActionError, Job};

/// Starts, stops or restarts an instance, and waits for that.
pub(crate) async fn change_state(
    client: &Client,
    name: &str,
    action: Action,
    within: Duration,
    force: bool,
    job: &Job,
) -> Result<(), ActionError> {
    let mut change = StateChange::new(action).within(within);
    if force {
        change = change.force();
    }
    let operation = job.run(client.instance(name).change_state(&change)).await?;
    job.follow(operation).await.map(drop)
}

/// Deletes an instance with its snapshots; by force also one that runs, which is stopped first.
pub(crate) async fn delete(client: &Client, name: &str, force: bool, job: &Job) -> Result<(), ActionError> {
    let instance = client.instance(name);
    if force {
        return job.run(instance.delete_forced()).await;
    }
    let operation = job.run(instance.delete()).await?;
    job.follow(operation).await.map(drop)
}
