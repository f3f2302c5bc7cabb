//! The requests about the inventory: the rows, their changes, names.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Query as Parameters, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde::Deserialize;

use super::answer::{Answer, Refusal, Served, refusal};
use super::fields::{Fields, Narrowed};
use super::names::{self, AskedNames};
use super::protocol::{CloudNames, FailureCode, endpoints};
use crate::clock::now;
use crate::inventory::{
    InstanceKey, InstanceUsage, Inventory, Item, Kind, Overview, Query, Revision, Snapshot, Update,
};
use crate::node::Node;

/// How long an answer waits for what is not known of instances.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is older, in seconds, is fetched anew: nobody has looked for so long.
const OLD: u64 = 300;

pub(super) fn routes() -> Router<Served> {
    Router::new()
        .route(endpoints::INVENTORY, get(rows))
        .route(endpoints::INVENTORY_OVERVIEW, get(overview))
        .route(endpoints::INVENTORY_USAGE, get(usage))
        .route(endpoints::INVENTORY_CHANGES, get(changes))
        .route(endpoints::INVENTORY_NAMES, get(all_names))
        .route(endpoints::INVENTORY_LOOK, post(look))
}

/// The query of a request; lists have commas between their items.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    clouds: String,
    projects: String,
    kinds: String,
    fields: String,
    since: Option<Revision>,
}

impl Asked {
    fn query(&self) -> Result<Query, Refusal> {
        let list = |text: &str| -> Vec<String> {
            text.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
        };
        let kinds = list(&self.kinds).into_iter().map(|kind| {
            serde_json::from_value::<Kind>(kind.clone().into())
                .map_err(|_| refusal(FailureCode::Invalid, format!("there is no kind of rows {kind:?}")))
        });
        Ok(Query {
            clouds: list(&self.clouds),
            projects: list(&self.projects),
            kinds: kinds.collect::<Result<_, _>>()?,
        })
    }
}

async fn rows(
    State(inventory): State<Inventory>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Response, Refusal> {
    let fields = Fields::parse(&asked.fields)
        .map_err(|name| refusal(FailureCode::Invalid, format!("an instance has no field {name:?}")))?;
    let query = asked.query()?;
    let snapshot =
        if fields.need_a_look() { looked_at(&inventory, &query).await } else { inventory.snapshot(&query) };
    let json = serde_json::to_vec(&Narrowed(&snapshot, &fields))
        .map_err(|error| refusal(FailureCode::Invalid, error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// The rows with their state, which is fetched where it is not known. Of a cloud that does not answer now it is not awaited.
async fn looked_at(inventory: &Inventory, query: &Query) -> Snapshot {
    inventory.look_at_all(query);
    let snapshot = inventory.snapshot(query);
    if is_known(&snapshot) {
        return snapshot;
    }
    let mut changes = inventory.subscribe(Some(snapshot.revision));
    let known = async {
        loop {
            changes.next().await;
            let snapshot = inventory.snapshot(query);
            if is_known(&snapshot) {
                return snapshot;
            }
        }
    };
    tokio::time::timeout(PATIENCE, known).await.unwrap_or_else(|_| inventory.snapshot(query))
}

/// Whether the state and the snapshots of all instances are known whose clouds answer.
fn is_known(snapshot: &Snapshot) -> bool {
    let fresh = |name: &str| {
        let mut clouds = snapshot.clouds.iter().filter(|cloud| cloud.name == name);
        clouds.any(|cloud| cloud.filled && cloud.stale_since.is_none())
    };
    let since = now().saturating_sub(OLD);
    snapshot.instances.iter().all(|row| {
        let state = !row.is_running() || row.state.as_ref().is_some_and(|state| state.at >= since);
        (state && row.snapshots.is_some()) || !fresh(&row.key.cloud)
    })
}

/// The changes as lines of JSON, until the client reads no more or the node stops.
async fn changes(
    State(node): State<Node>,
    State(inventory): State<Inventory>,
    Parameters(asked): Parameters<Asked>,
) -> Result<Response, Refusal> {
    let query = asked.query()?;
    let changes = inventory.subscribe(asked.since);
    let lines = stream::unfold((changes, node.stopping()), move |(mut changes, stopping)| {
        let query = query.clone();
        async move {
            let update = stopping.run_until_cancelled(changes.next()).await?;
            let line = serde_json::to_vec(&narrowed(update, &query)).map(|mut line| {
                line.push(b'\n');
                Bytes::from(line)
            });
            Some((line, (changes, stopping)))
        }
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

/// What of an update is about the rows that are asked for. It may be empty: the revision goes on all the same.
fn narrowed(update: Update, query: &Query) -> Update {
    let is_asked_for = |item: &Item| {
        let (kind, cloud, project) = match item {
            Item::Instance(row) => (Kind::Instances, &row.key.cloud, &row.key.project),
            Item::InstanceGone(key) => (Kind::Instances, &key.cloud, &key.project),
            Item::Operation(row) => (Kind::Operations, &row.cloud, &row.project),
            Item::OperationGone(key) => {
                return query.has_kind(Kind::Operations) && query.has_cloud(&key.cloud);
            }
            Item::Image(row) => (Kind::Images, &row.cloud, &row.project),
            Item::ImageGone(key) => (Kind::Images, &key.cloud, &key.project),
            Item::Cloud(row) => return query.has_cloud(&row.name),
            Item::CloudGone(name) => return query.has_cloud(name),
        };
        query.has_kind(kind) && query.has_cloud(cloud) && query.has_project(project)
    };
    match update {
        Update::Changes(mut changes) => {
            changes.retain(|change| is_asked_for(&change.item));
            Update::Changes(changes)
        }
        Update::Reset(mut all) => {
            all.clouds.retain(|row| query.has_cloud(&row.name));
            all.instances.retain(|row| is_asked_for(&Item::Instance(row.clone())));
            all.operations.retain(|row| is_asked_for(&Item::Operation(row.clone())));
            all.images.retain(|row| is_asked_for(&Item::Image(row.clone())));
            Update::Reset(all)
        }
    }
}

async fn overview(State(inventory): State<Inventory>) -> Json<Overview> {
    Json(inventory.overview())
}

async fn usage(
    State(inventory): State<Inventory>,
    Parameters(key): Parameters<InstanceKey>,
) -> Answer<Vec<InstanceUsage>> {
    if !inventory.has(&key) {
        let InstanceKey { cloud, project, name } = &key;
        let error = format!("the inventory has no instance {cloud}:{name} in the project {project}");
        return Err(refusal(FailureCode::NotFound, error));
    }
    inventory.look(std::slice::from_ref(&key));
    Ok(Json(inventory.usage(&key)))
}

async fn look(State(inventory): State<Inventory>, Json(query): Json<Query>) {
    inventory.look_at_all(&query);
}

async fn all_names(
    State(node): State<Node>,
    State(inventory): State<Inventory>,
    State(asked): State<AskedNames>,
) -> Answer<Vec<CloudNames>> {
    Ok(Json(names::of(&node, &inventory, &asked)))
}
