//! What a cloud has beside instances, as its server tells it: it is read here, and changed by the commands.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use futures_util::future::try_join_all;
use lxd_client::Client;
use serde_json::{Map, Value};
use utoipa_axum::routes;

use super::ProjectInPath;
use crate::access::Caller;
use crate::actions::objects::{self, Kind};
use crate::actions::{ActionError, Job};
use crate::api::cloud::{bare_client, client, within};
use crate::api::extract::Path;
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::Problem;
use crate::api::secrets;
use crate::api::state::Api;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::View), routes!(images))
        .add(Needs::project(Verb::View), routes!(profiles))
        .add(Needs::project(Verb::View), routes!(networks))
        .add(Needs::project(Verb::View), routes!(volumes))
        .add(Needs::cloud(Verb::View), routes!(projects))
        .add(Needs::cloud(Verb::View), routes!(pools))
        .add(Needs::whole_cloud(Verb::View), routes!(warnings))
        .add(Needs::whole_cloud(Verb::View), routes!(members))
}

/// How long a cloud may take to tell.
const PATIENCE: Duration = Duration::from_secs(15);

/// Things as their server tells them.
type Things = Json<Vec<Map<String, Value>>>;

async fn in_project(
    api: &Api,
    caller: &Caller,
    ProjectInPath { cloud, project }: &ProjectInPath,
    kind: &Kind,
    names: &[&str],
) -> Result<Things, Problem> {
    let client = client(api, cloud, project)?;
    let asked = async { Ok(objects::list(&client, kind, names, &Job::new()).await?) };
    let things = within(PATIENCE, asked).await.map_err(|problem| problem.of_cloud(cloud))?;
    Ok(Json(plain(things, caller.rights.allows(Verb::Edit, cloud, project))))
}

async fn of_server(api: &Api, caller: &Caller, cloud: &str, kind: &Kind) -> Result<Things, Problem> {
    let client = bare_client(api, cloud)?;
    let asked = async { Ok(objects::list(&client, kind, &[], &Job::new()).await?) };
    let things = within(PATIENCE, asked).await.map_err(|problem| problem.of_cloud(cloud))?;
    Ok(Json(plain(things, caller.rights.whole_cloud(Verb::Edit, cloud))))
}

/// The things without what may be a secret, but for those who may edit.
fn plain(things: Vec<Map<String, Value>>, may_edit: bool) -> Vec<Map<String, Value>> {
    let mut things = Value::from_iter(things);
    if !may_edit {
        secrets::without(&mut things);
    }
    serde_json::from_value(things).unwrap_or_default()
}

/// The images of a project.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/images", operation_id = "list_images", tag = "images",
    params(ProjectInPath), responses((status = 200, body = Vec<Object>)),
)]
async fn images(
    State(api): State<Api>,
    caller: Asker,
    Path(path): Path<ProjectInPath>,
) -> Result<Things, Problem> {
    in_project(&api, &caller, &path, &objects::IMAGE, &[]).await
}

/// The profiles of a project.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/profiles", operation_id = "list_profiles", tag = "profiles",
    params(ProjectInPath), responses((status = 200, body = Vec<Object>)),
)]
async fn profiles(
    State(api): State<Api>,
    caller: Asker,
    Path(path): Path<ProjectInPath>,
) -> Result<Things, Problem> {
    in_project(&api, &caller, &path, &objects::PROFILE, &[]).await
}

/// The networks that a project uses.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/networks", operation_id = "list_networks", tag = "networks",
    params(ProjectInPath), responses((status = 200, body = Vec<Object>)),
)]
async fn networks(
    State(api): State<Api>,
    caller: Asker,
    Path(path): Path<ProjectInPath>,
) -> Result<Things, Problem> {
    in_project(&api, &caller, &path, &objects::NETWORK, &[]).await
}

/// The storage volumes of a project, of all pools.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/volumes", operation_id = "list_volumes", tag = "storage",
    params(ProjectInPath), responses((status = 200, body = Vec<Object>)),
)]
async fn volumes(
    State(api): State<Api>,
    caller: Asker,
    Path(path): Path<ProjectInPath>,
) -> Result<Things, Problem> {
    let ProjectInPath { cloud, project } = &path;
    let client = client(&api, cloud, project)?;
    let asked = async {
        let pools = objects::list(&client, &objects::POOL, &[], &Job::new()).await?;
        let lists = pools.iter().map(|pool| of_pool(client.clone(), objects::text(pool, "name").to_owned()));
        Ok(try_join_all(lists.collect::<Vec<_>>()).await?.concat())
    };
    let volumes = within(PATIENCE, asked).await.map_err(|problem| problem.of_cloud(cloud))?;
    Ok(Json(plain(volumes, caller.rights.allows(Verb::Edit, cloud, project))))
}

/// The volumes of a pool, which is named in each.
async fn of_pool(client: Client, pool: String) -> Result<Vec<Map<String, Value>>, ActionError> {
    let mut volumes = objects::list(&client, &objects::POOL_VOLUME, &[&pool], &Job::new()).await?;
    for volume in &mut volumes {
        volume.insert("pool".to_owned(), pool.clone().into());
    }
    Ok(volumes)
}

/// The projects of a cloud that the caller may see.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects", operation_id = "list_projects", tag = "projects",
    params(("cloud" = String, Path, description = "The cloud.")), responses((status = 200, body = Vec<Object>)),
)]
async fn projects(
    State(api): State<Api>,
    caller: Asker,
    Path(cloud): Path<String>,
) -> Result<Things, Problem> {
    let Json(mut projects) = of_server(&api, &caller, &cloud, &objects::PROJECT).await?;
    projects.retain(|project| caller.rights.allows(Verb::View, &cloud, objects::text(project, "name")));
    Ok(Json(projects))
}

/// The storage pools of a cloud.
#[utoipa::path(
    get, path = "/clouds/{cloud}/storage-pools", operation_id = "list_storage_pools", tag = "storage",
    params(("cloud" = String, Path, description = "The cloud.")), responses((status = 200, body = Vec<Object>)),
)]
async fn pools(State(api): State<Api>, caller: Asker, Path(cloud): Path<String>) -> Result<Things, Problem> {
    of_server(&api, &caller, &cloud, &objects::POOL).await
}

/// What a cloud warns of.
#[utoipa::path(
    get, path = "/clouds/{cloud}/warnings", operation_id = "list_warnings", tag = "warnings",
    params(("cloud" = String, Path, description = "The cloud.")), responses((status = 200, body = Vec<Object>)),
)]
async fn warnings(
    State(api): State<Api>,
    caller: Asker,
    Path(cloud): Path<String>,
) -> Result<Things, Problem> {
    of_server(&api, &caller, &cloud, &objects::WARNING).await
}

/// The members of a cluster; none where the server is none.
#[utoipa::path(
    get, path = "/clouds/{cloud}/cluster/members", operation_id = "list_cluster_members", tag = "cluster",
    params(("cloud" = String, Path, description = "The cloud.")), responses((status = 200, body = Vec<Object>)),
)]
async fn members(
    State(api): State<Api>,
    caller: Asker,
    Path(cloud): Path<String>,
) -> Result<Things, Problem> {
    match of_server(&api, &caller, &cloud, &objects::CLUSTER_MEMBER).await {
        Err(problem) if problem.detail().contains("clustered") => Ok(Json(Vec::new())),
        members => members,
    }
}
