//! Starting and stopping, of one instance or of many.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::response::Response;
use lxd_client::{Action, StateChange};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::InPath;
use crate::actions::instances::{Stateful, change_state, start};
use crate::api::ask::{Ask, JsonBody};
use crate::api::extract::Path;
use crate::api::jobs::{Change, JobView, Part, Target};
use crate::api::needs::{Needs, Routes};
use crate::api::problem::Problem;
use crate::config::Verb;
use crate::inventory::InstanceKey;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::Operate), routes!(one))
        .add(Needs::anywhere(Verb::Operate), routes!(many))
}

/// How the state of an instance is to change.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewState {
    action: StateAction,
    /// Without waiting for what runs in it to end.
    #[serde(default)]
    force: bool,
    /// How many seconds what runs in it gets to end.
    timeout: Option<u32>,
    /// Keeps what runs for the next start; a start without it forgets what was kept.
    stateful: Option<bool>,
}

/// What to do with an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum StateAction {
    Start,
    Stop,
    Restart,
    Freeze,
    Unfreeze,
}

impl StateAction {
    fn name(self) -> &'static str {
        match self {
            StateAction::Start => "start",
            StateAction::Stop => "stop",
            StateAction::Restart => "restart",
            StateAction::Freeze => "freeze",
            StateAction::Unfreeze => "unfreeze",
        }
    }
}

impl NewState {
    fn change(&self) -> Change {
        let detail = if self.force { "by force".to_owned() } else { String::new() };
        Change { verb: Verb::Operate, action: self.action.name(), detail }
    }

    fn part(&self, target: Target, name: String) -> Part {
        let new = self.clone();
        Part::new(target, move |client, job| async move {
            let action = match new.action {
                StateAction::Start => {
                    let stateful =
                        if new.stateful == Some(false) { Stateful::Forget } else { Stateful::Resume };
                    return start(&client, &name, stateful, &job).await.map(|()| Value::Null);
                }
                StateAction::Stop => Action::Stop,
                StateAction::Restart => Action::Restart,
                StateAction::Freeze => Action::Freeze,
                StateAction::Unfreeze => Action::Unfreeze,
            };
            let mut change = StateChange::new(action);
            if new.force {
                change = change.force();
            }
            if new.stateful == Some(true) {
                change = change.stateful();
            }
            if let Some(seconds) = new.timeout {
                change = change.within(Duration::from_secs(seconds.into()));
            }
            change_state(&client, &name, &change, &job).await.map(|()| Value::Null)
        })
    }
}

/// Starts, stops, restarts, freezes or unfreezes an instance.
#[utoipa::path(
    put, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/state",
    operation_id = "change_instance_state", tag = "instances",
    params(InPath), request_body = NewState,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn one(ask: Ask, Path(path): Path<InPath>, body: JsonBody<NewState>) -> Result<Response, Problem> {
    let new = body.value;
    ask.change(body.hash, new.change(), vec![new.part(path.target(), path.instance)]).await
}

/// The same for many instances.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStates {
    state: NewState,
    /// Which, up to 1,000.
    #[schema(max_items = 1000)]
    instances: Vec<InstanceKey>,
}

/// No request is about more instances.
const MOST: usize = 1_000;

/// Starts, stops, restarts, freezes or unfreezes many instances, in any clouds. The outcome of each is a part of the job. Where
/// one of them is not the caller's to operate, nothing is done.
#[utoipa::path(
    post, path = "/instances/state", operation_id = "change_instance_states", tag = "instances",
    request_body = NewStates,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn many(ask: Ask, body: JsonBody<NewStates>) -> Result<Response, Problem> {
    let NewStates { state: new, instances } = body.value;
    let instances: BTreeSet<InstanceKey> = instances.into_iter().collect();
    if instances.is_empty() || instances.len() > MOST {
        return Err(Problem::invalid(format!("instances names 1 to {MOST}")));
    }
    for key in &instances {
        ask.may(Verb::Operate, &key.cloud, &key.project).await?;
    }
    let parts = instances.into_iter().map(|key| {
        let target =
            Target { object: format!("instances/{}", key.name), cloud: key.cloud, project: key.project };
        new.part(target, key.name)
    });
    ask.change(body.hash, new.change(), parts.collect()).await
}
