//! What was begun here.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::access::audit::Outcome;
use crate::api::ask::Ask;
use crate::api::extract::Path;
use crate::api::jobs::{Begun, Change, JobView, Target};
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::Problem;
use crate::api::replica;
use crate::api::state::Api;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default().add(Needs::ANY, routes!(list)).add(Needs::ANY, routes!(one, cancel))
}

/// Whether the caller may see a part of it at least.
fn may_see(caller: &Caller, job: &Begun) -> bool {
    job.by.node_id == caller.node.id
        || job.parts.iter().any(|part| {
            let (cloud, project) = (&part.target.cloud, &part.target.project);
            caller.rights.allows(Verb::View, cloud, project) || caller.rights.allows(job.verb, cloud, project)
        })
}

/// What callers have begun at this node, the newest first: what goes on, and what ended within a day, up to 1,000 jobs.
#[utoipa::path(
    get, path = "/jobs", operation_id = "list_jobs", tag = "jobs",
    responses((status = 200, body = Vec<JobView>)),
)]
async fn list(State(api): State<Api>, caller: Asker) -> Json<Vec<JobView>> {
    let jobs = api.jobs.all();
    let seen = jobs.iter().filter(|job| may_see(&caller, job));
    Json(seen.map(|job| JobView::of(&api, job, &caller)).collect())
}

fn find(api: &Api, caller: &Caller, id: &str) -> Result<Arc<Begun>, Problem> {
    let job = api.jobs.get(id).filter(|job| may_see(caller, job));
    job.ok_or_else(|| {
        let none = Problem::not_found(format!("this node knows no job {id}"));
        let none = none.remedy("a job is known to the node alone that does it, for a day after its end");
        replica::unknown(&api.name(), &format!("the job {id}"), id, none)
    })
}

/// A job.
#[utoipa::path(
    get, path = "/jobs/{job}", operation_id = "get_job", tag = "jobs",
    params(("job" = String, Path, description = "Its number.")),
    responses((status = 200, body = JobView)),
)]
async fn one(
    State(api): State<Api>,
    caller: Asker,
    Path(id): Path<String>,
) -> Result<Json<JobView>, Problem> {
    Ok(Json(JobView::of(&api, &*find(&api, &caller, &id)?, &caller)))
}

/// Cancels a job: its clouds are asked to cancel their operations, and what was made so far is removed.
#[utoipa::path(
    delete, path = "/jobs/{job}", operation_id = "cancel_job", tag = "jobs",
    params(("job" = String, Path, description = "Its number.")),
    responses((status = 202, body = JobView)),
)]
async fn cancel(ask: Ask, Path(id): Path<String>) -> Result<(StatusCode, Json<JobView>), Problem> {
    let job = find(&ask.api, &ask.caller, &id)?;
    for Target { cloud, project, .. } in job.parts.iter().map(|part| &part.target) {
        ask.may(job.verb, cloud, project).await?;
    }
    if job.ended.borrow().is_none() {
        let change = Change { verb: job.verb, action: "cancel", detail: job.action.to_owned() };
        let pending = ask.pending(&change, &of_whole(&job)).await?;
        job.job.cancel();
        pending.end(Outcome::Done).await;
    }
    Ok((StatusCode::ACCEPTED, Json(JobView::of(&ask.api, &job, &ask.caller))))
}

/// The job as the thing that a request changes, in the place of its first part.
fn of_whole(job: &Begun) -> Target {
    let first = job.parts.first().map(|part| part.target.clone());
    let Target { cloud, project, .. } = first.unwrap_or_default();
    Target { cloud, project, object: format!("jobs/{}", job.id) }
}
