//! Starting and stopping.

use lxd_client::{Action, Client, StateChange};
use serde_json::Value;

use crate::actions::{ActionError, Job};

/// What is to become of a state that was kept when the instance was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stateful {
    /// It goes on from there.
    Resume,
    /// It is forgotten.
    Forget,
}

/// Changes the state of an instance, and waits for that.
pub(crate) async fn change_state(
    client: &Client,
    name: &str,
    change: &StateChange,
    job: &Job,
) -> Result<(), ActionError> {
    let operation = job.run(client.instance(name).change_state(change)).await?;
    job.follow(operation).await.map(drop)
}

/// Starts an instance; one that is frozen goes on.
pub(crate) async fn start(
    client: &Client,
    name: &str,
    state: Stateful,
    job: &Job,
) -> Result<(), ActionError> {
    let instance = job.run(client.instance(name).get()).await?;
    let kept = instance.rest.get("stateful").and_then(Value::as_bool).unwrap_or_default();
    let change = if instance.status == "Frozen" {
        StateChange::new(Action::Unfreeze)
    } else if kept && state == Stateful::Resume {
        StateChange::new(Action::Start).stateful()
    } else {
        StateChange::new(Action::Start)
    };
    change_state(client, name, &change, job).await
}
