//! One instance with all its parts, its logs and what it has used.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use lxd_client::Client;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::io::ReaderStream;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::InPath;
use crate::api::ask::unquoted;
use crate::api::attachment::attachment;
use crate::api::cloud::{client, within};
use crate::api::counted;
use crate::api::extract::Path;
use crate::api::gate::too_many;
use crate::api::guard::Held;
use crate::api::list::{Freshness, freshness};
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::{Code, Problem};
use crate::api::secrets;
use crate::api::state::Api;
use crate::config::Verb;
use crate::inventory::{InstanceRow, InstanceUsage, Kind, Query, Rates};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::View), routes!(one))
        .add(Needs::project(Verb::View), routes!(usage))
        .add(Needs::project(Verb::View), routes!(logs))
        .add(Needs::project(Verb::View), routes!(log))
}

/// How long the cloud may take to tell of one instance.
const PATIENCE: Duration = Duration::from_secs(10);

/// An instance with all its parts.
#[derive(Serialize, ToSchema)]
struct WholeInstance {
    /// As the list has it. None for one that is too new for it.
    row: Option<InstanceRow>,
    /// As its server tells it now, with its settings, devices, state, snapshots and backups. None where the server does not
    /// answer; without what may be a secret where the caller may not edit.
    #[schema(value_type = Option<Object>)]
    instance: Option<Value>,
    /// Why its server tells nothing now.
    problem: Option<String>,
    /// How fresh the row is.
    cloud: Option<Freshness>,
}

/// An instance with all its parts. The answer's `ETag` is for the `If-Match` of a change.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}",
    operation_id = "get_instance", tag = "instances", params(InPath),
    responses((status = 200, body = WholeInstance)),
)]
async fn one(State(api): State<Api>, caller: Asker, Path(path): Path<InPath>) -> Result<Response, Problem> {
    let key = path.key();
    let query = Query {
        clouds: vec![key.cloud.clone()],
        projects: vec![key.project.clone()],
        kinds: vec![Kind::Instances],
    };
    let snapshot = api.inventory.snapshot(&query);
    let row = snapshot.instances.iter().find(|row| row.key == key);
    api.inventory.look(std::slice::from_ref(&key));
    let client = client(&api, &path.cloud, &path.project)?;
    let asked = within(PATIENCE, whole(&client, &path.instance)).await;
    if let (Err(problem), None) = (&asked, row) {
        return Err(problem.clone().of_cloud(&path.cloud));
    }
    let (told, problem) = match asked {
        Ok(told) => (Some(told), None),
        Err(problem) if problem.is_not_found() => return Err(problem.of_cloud(&path.cloud)),
        Err(problem) => (None, Some(problem.detail().to_owned())),
    };
    let may_edit = caller.rights.allows(Verb::Edit, &path.cloud, &path.project);
    let row = row.map(|row| if may_edit { InstanceRow::clone(row) } else { secrets::without_of_row(row) });
    let (mut instance, etag) = told.map_or((None, None), |(instance, etag)| (Some(instance), etag));
    if let (Some(instance), false) = (&mut instance, may_edit) {
        secrets::without(instance);
    }
    let cloud = freshness(&api, snapshot.clouds.iter().map(AsRef::as_ref)).pop();
    let mut response = Json(WholeInstance { row, instance, problem, cloud }).into_response();
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(&format!("\"{}\"", unquoted(&etag))).ok())
    {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
}

/// What its server tells, and the version of what can be changed.
async fn whole(client: &Client, name: &str) -> Result<(Value, Option<String>), Problem> {
    let handle = client.instance(name);
    let (full, versioned) = tokio::try_join!(handle.get_full(), handle.get())?;
    let value = serde_json::to_value(full).map_err(|error| Problem::new(Code::Failed, error.to_string()))?;
    Ok((value, versioned.etag))
}

/// What an instance has used.
#[derive(Serialize, ToSchema)]
struct Used {
    /// During the last hour, oldest first, at a step of some minutes.
    samples: Vec<InstanceUsage>,
    /// How fast, between each sample and the one before it.
    rates: Vec<Option<Rates>>,
}

/// What an instance has used during the last hour.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/usage",
    operation_id = "get_instance_usage", tag = "instances", params(InPath),
    responses((status = 200, body = Used)),
)]
async fn usage(State(api): State<Api>, Path(path): Path<InPath>) -> Result<Json<Used>, Problem> {
    let key = path.key();
    if !api.inventory.has(&key) {
        return Err(Problem::not_found(format!(
            "{} has no instance {} in {}",
            key.cloud, key.name, key.project
        )));
    }
    api.inventory.look(std::slice::from_ref(&key));
    let samples = api.inventory.usage(&key);
    let rates = samples.windows(2).map(|pair| pair[1].since(&pair[0])).collect();
    Ok(Json(Used { samples, rates }))
}

/// The names of an instance's logs.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/logs",
    operation_id = "list_instance_logs", tag = "instances", params(InPath),
    responses((status = 200, body = Vec<String>)),
)]
async fn logs(State(api): State<Api>, Path(path): Path<InPath>) -> Result<Json<Vec<String>>, Problem> {
    let client = client(&api, &path.cloud, &path.project)?;
    let asked = async { Ok(client.instance(&path.instance).logs().await?) };
    let names = within(PATIENCE, asked).await.map_err(|problem| problem.of_cloud(&path.cloud))?;
    Ok(Json(names.into_iter().map(|name| name.rsplit('/').next().unwrap_or_default().to_owned()).collect()))
}

/// A log in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct LogInPath {
    /// The cloud.
    cloud: String,
    /// The project.
    project: String,
    /// The instance.
    instance: String,
    /// The log's name.
    log: String,
}

/// A log, as text that a browser stores and does not show.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/logs/{log}",
    operation_id = "get_instance_log", tag = "instances", params(LogInPath),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
)]
async fn log(
    State(api): State<Api>,
    caller: Asker,
    Path(path): Path<LogInPath>,
) -> Result<Response, Problem> {
    let client = client(&api, &path.cloud, &path.project)?;
    let held = api.limits.take(Held::Transfer, &caller.node.id).ok_or_else(|| too_many(Held::Transfer))?;
    let asked = async { Ok(client.instance(&path.instance).log(&path.log).await?) };
    let log = within(PATIENCE, asked).await.map_err(|problem| problem.of_cloud(&path.cloud))?;
    let body = counted::body(Body::from_stream(ReaderStream::new(log)), held);
    Ok((attachment(&path.log), body).into_response())
}
