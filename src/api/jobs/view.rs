//! A job as its callers see it.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Begin, Begun};
use crate::access::Caller;
use crate::api::problem::{Code, Problem, ProblemDetails};
use crate::api::state::Api;
use crate::clock::rfc3339;
use crate::config::Verb;

/// A job: what somebody has begun here. It is this node's alone; the operations that it consists of are the clouds' own.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct JobView {
    pub(in crate::api) id: String,
    /// The node that does it, by its short MagicDNS name. No other one knows of it.
    node: String,
    /// Such as `start`.
    action: &'static str,
    status: Status,
    /// Who began it.
    by: By,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    /// What is done with each thing.
    pub(in crate::api) parts: Vec<PartView>,
}

/// How a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum Status {
    Running,
    Done,
    Failed,
    Cancelled,
    /// Some parts of it failed, or were cancelled.
    Partly,
}

/// Who began something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::api) struct By {
    /// The user's login name; none for a node with tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    login: Option<String>,
    /// The stable ID of the node that asked.
    pub(in crate::api) node_id: String,
    /// Its name.
    node: String,
}

impl By {
    pub(in crate::api) fn of(caller: &Caller) -> By {
        By {
            login: caller.login().map(str::to_owned),
            node_id: caller.node.id.clone(),
            node: caller.node.name.clone(),
        }
    }
}

/// What is done with one thing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct PartView {
    cloud: String,
    project: String,
    /// Such as `instances/web`.
    object: String,
    status: Status,
    /// What goes on, in the cloud's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    stage: String,
    /// How many bytes have been moved.
    #[serde(skip_serializing_if = "is_zero")]
    bytes: u64,
    /// How many there are, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// The cloud's operations for it.
    pub(in crate::api) operations: Vec<OperationLink>,
    /// What came of it, such as the name of what was made.
    #[serde(skip_serializing_if = "Value::is_null")]
    #[schema(value_type = Object)]
    result: Value,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemDetails>)]
    problem: Option<Problem>,
}

/// An operation of a cloud.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(in crate::api) struct OperationLink {
    id: String,
    /// Where every node tells of it.
    pub(in crate::api) href: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl JobView {
    /// The job as a caller may see it: of its parts those in places that the caller may view.
    pub(in crate::api) fn of(api: &Api, begun: &Begun, caller: &Caller) -> JobView {
        let ended = *begun.ended.borrow();
        let seen = begun.parts.iter().filter(|part| {
            caller.rights.allows(Verb::View, &part.target.cloud, &part.target.project)
                || caller.rights.allows(begun.verb, &part.target.cloud, &part.target.project)
        });
        let parts: Vec<PartView> = seen.map(PartView::of).collect();
        let status = match ended {
            None => Status::Running,
            Some(_) => whole(&parts),
        };
        JobView {
            id: begun.id.clone(),
            node: api.name().to_string(),
            action: begun.action,
            status,
            by: begun.by.clone(),
            created_at: rfc3339(begun.created_at),
            ended_at: ended.map(rfc3339),
            parts,
        }
    }
}

/// The status of the whole that has ended.
fn whole(parts: &[PartView]) -> Status {
    let mut statuses = parts.iter().map(|part| part.status);
    match statuses.next() {
        Some(first) if statuses.all(|status| status == first) => first,
        Some(_) => Status::Partly,
        None => Status::Done,
    }
}

impl PartView {
    fn of(part: &Begin) -> PartView {
        let progress = part.job.progress();
        let outcome = part.outcome.borrow().clone();
        let operations = part.job.operations();
        let cloud = &part.target.cloud;
        let operations = operations
            .into_iter()
            .map(|id| OperationLink { href: format!("/api/v1/clouds/{cloud}/operations/{id}"), id });
        let (status, result, problem) = match outcome {
            None => (Status::Running, Value::Null, None),
            Some(Ok(result)) => (Status::Done, result, None),
            Some(Err(problem)) if problem.code() == Code::Cancelled => {
                (Status::Cancelled, Value::Null, Some(problem))
            }
            Some(Err(problem)) => (Status::Failed, Value::Null, Some(problem)),
        };
        PartView {
            cloud: cloud.clone(),
            project: part.target.project.clone(),
            object: part.target.object.clone(),
            status,
            stage: progress.stage,
            bytes: progress.bytes,
            total: progress.total,
            operations: operations.collect(),
            result,
            problem,
        }
    }
}
