//! The clouds: how each is reached, and how much it has.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::api::extract::Path;
use crate::api::list::{Freshness, freshness};
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::{Code, Problem};
use crate::api::state::Api;
use crate::cloud::Cloud;
use crate::cloud::report::Cloud as Report;
use crate::config::Verb;
use crate::inventory::{Query, Snapshot};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::anywhere(Verb::View), routes!(list))
        .add(Needs::cloud(Verb::View), routes!(one))
        .add(Needs::cloud(Verb::View), routes!(check))
}

/// A cloud: how it is reached, and how much of it the caller may see.
#[derive(Serialize, ToSchema)]
struct CloudView {
    #[serde(flatten)]
    report: Report,
    /// How long its API took to answer the newest probes, oldest first, in milliseconds. Null is one that failed.
    latencies: Vec<Option<f64>>,
    /// How fresh its rows are. None for a cloud that is only forwarded.
    freshness: Option<Freshness>,
    /// The projects that the caller may see.
    projects: Vec<String>,
    /// The instances that the caller may see.
    instances: usize,
    /// The same by their status, such as `Running`.
    statuses: BTreeMap<String, usize>,
    /// Operations that have not ended.
    operations: usize,
    /// The images that the caller may see.
    images: usize,
}

fn view(api: &Api, caller: &Caller, cloud: &Cloud) -> CloudView {
    let name = cloud.name();
    let Snapshot { clouds, instances, operations, images, .. } =
        api.inventory.snapshot(&Query { clouds: vec![name.to_owned()], ..Query::default() });
    let may = |project: &str| caller.rights.allows(Verb::View, name, project);
    let mut statuses = BTreeMap::new();
    for row in instances.iter().filter(|row| may(&row.key.project)) {
        *statuses.entry(row.status.clone()).or_default() += 1;
    }
    let row = clouds.first();
    let projects = row.iter().flat_map(|row| &row.projects).filter(|project| may(project));
    CloudView {
        report: cloud.report(),
        latencies: cloud.latencies(),
        freshness: freshness(api, row.map(Arc::as_ref)).pop(),
        projects: projects.cloned().collect(),
        instances: statuses.values().sum(),
        statuses,
        operations: operations.iter().filter(|row| !row.is_final() && may(&row.project)).count(),
        images: images.iter().filter(|row| may(&row.project)).count(),
    }
}

/// The clouds that the caller may see something of. None is asked now.
#[utoipa::path(
    get, path = "/clouds", operation_id = "list_clouds", tag = "clouds", responses((status = 200, body = Vec<CloudView>)),
)]
async fn list(State(api): State<Api>, caller: Asker) -> Json<Vec<CloudView>> {
    let clouds = api.node.clouds();
    let seen = clouds.iter().filter(|cloud| caller.rights.has_cloud(Verb::View, cloud.name()));
    Json(seen.map(|cloud| view(&api, &caller, cloud)).collect())
}

fn find(api: &Api, name: &str) -> Result<Cloud, Problem> {
    api.node.cloud(name).ok_or_else(|| Problem::not_found(format!("there is no cloud {name}")))
}

/// A cloud.
#[utoipa::path(
    get, path = "/clouds/{cloud}", operation_id = "get_cloud", tag = "clouds",
    params(("cloud" = String, Path, description = "Its name.")), responses((status = 200, body = CloudView)),
)]
async fn one(
    State(api): State<Api>,
    caller: Asker,
    Path(name): Path<String>,
) -> Result<Json<CloudView>, Problem> {
    Ok(Json(view(&api, &caller, &find(&api, &name)?)))
}

/// Looks at a cloud now: how it is reached, and whether it answers.
#[utoipa::path(
    post, path = "/clouds/{cloud}/check", operation_id = "check_cloud", tag = "clouds",
    params(("cloud" = String, Path, description = "Its name.")), responses((status = 200, body = CloudView)),
)]
async fn check(
    State(api): State<Api>,
    caller: Asker,
    Path(name): Path<String>,
) -> Result<Json<CloudView>, Problem> {
    let cloud = find(&api, &name)?;
    api.node.check(&name).await.map_err(|error| Problem::new(Code::Failed, error.to_string()))?;
    Ok(Json(view(&api, &caller, &cloud)))
}
