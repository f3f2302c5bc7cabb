//! What the doctor finds, from the state folder to the API of each cloud.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::api::doctor::{Run, run};
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::config::Verb;
use crate::doctor::Finding;

pub(super) fn routes() -> Routes {
    Routes::default().add(Needs::anywhere(Verb::View), routes!(last, examine))
}

/// What a run of the doctor has found.
#[derive(Serialize, ToSchema)]
struct Report {
    /// When it ended, in seconds since 1970; none before the first one.
    ran_at: Option<u64>,
    /// Without those of clouds that the caller may not see.
    findings: Vec<Finding>,
}

impl Report {
    fn of(run: Option<&Run>, caller: &Caller) -> Report {
        let may_see = |finding: &&Finding| {
            finding.cloud.as_deref().is_none_or(|cloud| caller.rights.has_cloud(Verb::View, cloud))
        };
        let findings = run.iter().flat_map(|run| &run.findings).filter(may_see).cloned().collect();
        Report { ran_at: run.map(|run| run.ran_at), findings }
    }
}

/// What the doctor found when it last ran.
#[utoipa::path(
    get, path = "/doctor", operation_id = "get_doctor", tag = "node", responses((status = 200, body = Report)),
)]
async fn last(State(api): State<Api>, caller: Asker) -> Json<Report> {
    Json(Report::of(api.doctor.last().as_deref(), &caller))
}

/// Runs the doctor now, which takes up to two minutes. All who ask meanwhile get the same run.
#[utoipa::path(
    post, path = "/doctor", operation_id = "run_doctor", tag = "node", responses((status = 200, body = Report)),
)]
async fn examine(State(api): State<Api>, caller: Asker) -> Result<Json<Report>, Problem> {
    Ok(Json(Report::of(Some(&*run(&api).await?), &caller)))
}
