//! The clouds' own operations, whoever began them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use lxd_client::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::access::Caller;
use crate::actions::Job;
use crate::api::ask::Ask;
use crate::api::extract::{Path, Query};
use crate::api::jobs::{By, Change, JobView, Part, Target};
use crate::api::list::{Key, List, Page, Place, freshness, items, json, rights_of, tagged};
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::Problem;
use crate::api::state::Api;
use crate::config::Verb;
use crate::inventory::{Kind, OperationRow, Query as Rows};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::anywhere(Verb::View), routes!(list))
        .add(Needs::cloud(Verb::View), routes!(one, cancel))
}

/// An operation of a cloud, and who began it.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct OperationView {
    #[serde(flatten)]
    row: OperationRow,
    /// Who began it, where it was begun by this API at this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<By>,
    /// The job that it belongs to, at this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

impl OperationView {
    fn of(api: &Api, row: &OperationRow) -> OperationView {
        let job = api.jobs.of_operation(&row.cloud, &row.id);
        OperationView {
            row: row.clone(),
            by: job.as_ref().map(|job| job.by.clone()),
            job: job.map(|job| job.id.clone()),
        }
    }
}

/// Which operations are asked for. Lists have commas between their items.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Of these clouds.
    cloud: String,
    /// Of these projects.
    project: String,
    /// `true`: those that go on; `false`: those that have ended.
    running: Option<bool>,
}

/// The operations of all clouds, the newest first: those that go on, and those that ended within five minutes.
#[utoipa::path(
    get, path = "/operations", operation_id = "list_operations", tag = "operations", params(Filter, Page),
    responses((status = 200, body = List<OperationView>)),
)]
async fn list(
    State(api): State<Api>,
    caller: Asker,
    headers: HeaderMap,
    uri: Uri,
    Query(filter): Query<Filter>,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let query = Rows {
        clouds: items(&filter.cloud),
        projects: items(&filter.project),
        kinds: vec![Kind::Operations],
    };
    let snapshot = api.inventory.snapshot(&query);
    let clouds = snapshot.clouds.iter().filter(|row| caller.rights.has_cloud(Verb::View, &row.name));
    let clouds = freshness(&api, clouds.map(Arc::as_ref));
    let seen = snapshot.operations.iter().filter(|row| {
        may_see(&caller, row) && filter.running.is_none_or(|running| running != row.is_final())
    });
    let paged =
        page.of(seen, true, |row| Place::new(Key::text(&row.created_at), [&row.cloud, &row.id, ""]))?;
    let depends_on = (uri.to_string(), &caller.node.id, rights_of(&caller));
    let version = api.epoch.id_of(snapshot.revision);
    Ok(tagged(&headers, &version, depends_on, || {
        let items = paged.items.iter().map(|row| OperationView::of(&api, row)).collect();
        json(List::<OperationView> { items, next: paged.next, total: paged.total, clouds: clouds.clone() })
    }))
}

/// Whether the caller may see it. One that is of no project is for those who may see the whole cloud.
fn may_see(caller: &Caller, row: &OperationRow) -> bool {
    match row.project.as_str() {
        "" => caller.rights.whole_cloud(Verb::View, &row.cloud),
        project => caller.rights.allows(Verb::View, &row.cloud, project),
    }
}

/// An operation in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct InPath {
    /// The cloud.
    cloud: String,
    /// Its number, the cloud's own.
    operation: String,
}

fn find(api: &Api, caller: &Caller, path: &InPath) -> Result<Arc<OperationRow>, Problem> {
    let query = Rows { clouds: vec![path.cloud.clone()], kinds: vec![Kind::Operations], ..Rows::default() };
    let rows = api.inventory.snapshot(&query).operations;
    let found = rows.into_iter().find(|row| row.id == path.operation && may_see(caller, row));
    found.ok_or_else(|| Problem::not_found(format!("{} has no operation {}", path.cloud, path.operation)))
}

/// An operation. Whichever node is asked, the answer is the same.
#[utoipa::path(
    get, path = "/clouds/{cloud}/operations/{operation}", operation_id = "get_operation", tag = "operations",
    params(InPath), responses((status = 200, body = OperationView)),
)]
async fn one(
    State(api): State<Api>,
    caller: Asker,
    Path(path): Path<InPath>,
) -> Result<Json<OperationView>, Problem> {
    Ok(Json(OperationView::of(&api, &*find(&api, &caller, &path)?)))
}

/// Asks the cloud to cancel an operation. It takes the right to edit in its project.
#[utoipa::path(
    delete, path = "/clouds/{cloud}/operations/{operation}", operation_id = "cancel_operation", tag = "operations",
    params(InPath), responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn cancel(ask: Ask, Path(path): Path<InPath>) -> Result<Response, Problem> {
    let row = find(&ask.api, &ask.caller, &path)?;
    ask.may(Verb::Edit, &row.cloud, &row.project).await?;
    let object = format!("operations/{}", row.id);
    let target = Target { cloud: row.cloud.clone(), project: row.project.clone(), object };
    let part = Part::new(target, {
        let id = row.id.clone();
        move |client: Client, job: Job| async move {
            job.run(client.operation(&id).cancel()).await.map(|()| Value::Null)
        }
    });
    ask.change(0, Change { verb: Verb::Edit, action: "cancel", detail: row.description.clone() }, vec![part])
        .await
}
