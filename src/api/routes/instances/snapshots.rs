//! Snapshots of an instance.

use axum::response::Response;
use lxd_client::NewSnapshot;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::InPath;
use crate::actions::instances::{delete_snapshot, rename_snapshot, restore, snapshot};
use crate::api::ask::{Ask, JsonBody};
use crate::api::extract::Path;
use crate::api::jobs::{Change, JobView, Part, Target};
use crate::api::needs::{Needs, Routes};
use crate::api::problem::Problem;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::Edit), routes!(create))
        .add(Needs::project(Verb::Edit), routes!(rename, delete))
        .add(Needs::project(Verb::Edit), routes!(bring_back))
}

/// A snapshot in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct SnapshotInPath {
    /// The cloud.
    cloud: String,
    /// The project.
    project: String,
    /// The instance.
    instance: String,
    /// The snapshot.
    snapshot: String,
}

impl SnapshotInPath {
    fn target(&self) -> Target {
        Target {
            cloud: self.cloud.clone(),
            project: self.project.clone(),
            object: format!("instances/{}/snapshots/{}", self.instance, self.snapshot),
        }
    }
}

fn change(action: &'static str, detail: impl Into<String>) -> Change {
    Change { verb: Verb::Edit, action, detail: detail.into() }
}

/// A snapshot that is to be made.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct WantedSnapshot {
    /// Its name. Without one the server chooses it.
    name: Option<String>,
    /// With what runs in the instance.
    stateful: bool,
    /// When the server deletes it, RFC 3339.
    expires_at: Option<String>,
    /// In the place of the one that has its name, which goes once the new one is there.
    reuse: bool,
}

/// Makes a snapshot. The job's result has its `name`.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/snapshots",
    operation_id = "create_snapshot", tag = "snapshots",
    params(InPath), request_body = WantedSnapshot,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn create(
    ask: Ask,
    Path(path): Path<InPath>,
    body: JsonBody<WantedSnapshot>,
) -> Result<Response, Problem> {
    let wanted = body.value;
    let detail = wanted.name.clone().unwrap_or_default();
    let part = Part::new(path.target(), move |client, job| async move {
        let mut new = NewSnapshot::default();
        (new.name, new.stateful, new.expires_at) = (wanted.name, wanted.stateful, wanted.expires_at);
        let name = snapshot(&client, &path.instance, &new, wanted.reuse, &job).await?;
        Ok(json!({"name": name}))
    });
    ask.change(body.hash, change("snapshot.create", detail), vec![part]).await
}

/// Another name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewName {
    name: String,
}

/// Gives a snapshot another name.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/snapshots/{snapshot}",
    operation_id = "rename_snapshot", tag = "snapshots",
    params(SnapshotInPath), request_body = NewName,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn rename(
    ask: Ask,
    Path(path): Path<SnapshotInPath>,
    body: JsonBody<NewName>,
) -> Result<Response, Problem> {
    let to = body.value.name;
    let told = change("snapshot.rename", format!("to {to}"));
    let part = Part::new(path.target(), move |client, job| async move {
        rename_snapshot(&client, &path.instance, &path.snapshot, &to, &job).await.map(|()| Value::Null)
    });
    ask.change(body.hash, told, vec![part]).await
}

/// Deletes a snapshot.
#[utoipa::path(
    delete, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/snapshots/{snapshot}",
    operation_id = "delete_snapshot", tag = "snapshots", params(SnapshotInPath),
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn delete(ask: Ask, Path(path): Path<SnapshotInPath>) -> Result<Response, Problem> {
    let part = Part::new(path.target(), move |client, job| async move {
        delete_snapshot(&client, &path.instance, &path.snapshot, &job).await.map(|()| Value::Null)
    });
    ask.change(0, change("snapshot.delete", ""), vec![part]).await
}

/// How an instance goes back to a snapshot.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct Restore {
    /// With what ran then.
    stateful: bool,
}

/// Brings an instance back to a snapshot.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/snapshots/{snapshot}/restore",
    operation_id = "restore_snapshot", tag = "snapshots",
    params(SnapshotInPath), request_body = Restore,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn bring_back(
    ask: Ask,
    Path(path): Path<SnapshotInPath>,
    body: JsonBody<Restore>,
) -> Result<Response, Problem> {
    let Restore { stateful } = body.value;
    let part = Part::new(path.target(), move |client, job| async move {
        restore(&client, &path.instance, &path.snapshot, stateful, &job).await.map(|()| Value::Null)
    });
    ask.change(body.hash, change("snapshot.restore", ""), vec![part]).await
}
