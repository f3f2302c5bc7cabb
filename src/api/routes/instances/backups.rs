//! Backups of an instance: made and kept by its server, fetched, and brought back as a new instance.
//!
//! A backup has all of an instance in it, its secrets too, so each of these takes the right `edit`.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Response};
use lxd_client::{Download, ImportOptions, NewBackup};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::InPath;
use crate::actions::backups::{create_backup, delete_backup, import_instance};
use crate::api::ask::{Ask, JsonBody};
use crate::api::attachment::attachment;
use crate::api::cloud::{client, within};
use crate::api::connection::Connection;
use crate::api::extract::{Path, Query};
use crate::api::jobs::{Change, JobView, Part, Target};
use crate::api::needs::{Needs, Routes};
use crate::api::problem::{Code, Problem};
use crate::api::routes::ProjectInPath;
use crate::api::transfers::{Outgoing, copy, ending, receive};
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::Edit), routes!(create))
        .add(Needs::project(Verb::Edit), routes!(delete))
        .add(Needs::project(Verb::Edit), routes!(export))
        .add(Needs::project(Verb::Edit), routes!(import))
}

/// How long the cloud may take to begin to send a backup.
const PATIENCE: Duration = Duration::from_secs(30);

/// A backup in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct BackupInPath {
    /// The cloud.
    cloud: String,
    /// The project.
    project: String,
    /// The instance.
    instance: String,
    /// The backup.
    backup: String,
}

impl BackupInPath {
    fn target(&self) -> Target {
        Target {
            cloud: self.cloud.clone(),
            project: self.project.clone(),
            object: format!("instances/{}/backups/{}", self.instance, self.backup),
        }
    }
}

fn told(action: &'static str, detail: impl Into<String>) -> Change {
    Change { verb: Verb::Edit, action, detail: detail.into() }
}

/// A backup that is to be made.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
struct WantedBackup {
    /// Its name. Without one the server chooses it.
    name: Option<String>,
    /// When the server deletes it, RFC 3339. Without, it stays until somebody does.
    expires_at: Option<String>,
    /// Without the instance's snapshots.
    instance_only: bool,
    /// In the storage driver's own format, which only a pool of that driver can read.
    optimized_storage: bool,
    /// `gzip`, `zstd`, `none` and so on. Without, the server chooses.
    compression: Option<String>,
}

/// Makes a backup, which the server keeps. The job's result has its `name`.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/backups",
    operation_id = "create_backup", tag = "backups", params(InPath), request_body = WantedBackup,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn create(
    ask: Ask,
    Path(path): Path<InPath>,
    body: JsonBody<WantedBackup>,
) -> Result<Response, Problem> {
    let wanted = body.value;
    let detail = wanted.name.clone().unwrap_or_default();
    let part = Part::new(path.target(), move |client, job| async move {
        let new = NewBackup {
            name: wanted.name,
            expires_at: wanted.expires_at,
            instance_only: wanted.instance_only,
            optimized_storage: wanted.optimized_storage,
            compression_algorithm: wanted.compression,
        };
        Ok(json!({"name": create_backup(&client, &path.instance, &new, &job).await?}))
    });
    ask.change(body.hash, told("backup.create", detail), vec![part]).await
}

/// Deletes a backup.
#[utoipa::path(
    delete, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/backups/{backup}",
    operation_id = "delete_backup", tag = "backups", params(BackupInPath),
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn delete(ask: Ask, Path(path): Path<BackupInPath>) -> Result<Response, Problem> {
    let part = Part::new(path.target(), move |client, job| async move {
        delete_backup(&client, &path.instance, &path.backup, &job).await.map(|()| Value::Null)
    });
    ask.change(0, told("backup.delete", ""), vec![part]).await
}

/// A backup as a file, to keep it elsewhere. A body that ends early, or with an error, is not all of it.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/backups/{backup}/export",
    operation_id = "export_backup", tag = "backups", params(BackupInPath),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
)]
async fn export(
    ask: Ask,
    connection: Connection,
    method: Method,
    Path(path): Path<BackupInPath>,
) -> Result<Response, Problem> {
    let of_cloud = |problem: Problem| problem.of_cloud(&path.cloud);
    let backup = client(&ask.api, &path.cloud, &path.project)?.instance(&path.instance).backup(&path.backup);
    let outgoing = Outgoing::new(&ask, connection, &told("backup.export", ""), path.target())?;
    let download = within(PATIENCE, async { Ok(backup.export().await?) }).await.map_err(of_cloud)?;
    let length = download.length();
    let (content, ending) = within(PATIENCE, begun(download)).await.map_err(of_cloud)?;
    let mut headers = attachment(&format!("{}-{}{ending}", path.instance, path.backup));
    if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    if method == Method::HEAD {
        return Ok(headers.into_response());
    }
    let body = outgoing.send(move |to| copy(content, to)).await?;
    Ok((headers, body).into_response())
}

/// What is sent, and the ending of its name, which its first bytes tell.
async fn begun(download: Download) -> Result<(BufReader<Download>, &'static str), Problem> {
    let mut content = BufReader::new(download);
    let begin =
        content.fill_buf().await.map_err(|error| Problem::new(Code::Unreachable, error.to_string()))?;
    let ending = ending(begin);
    Ok((content, ending))
}

/// What an instance of a backup is to be.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Restored {
    /// Its name. Without: the one in the backup.
    name: Option<String>,
    /// Its storage pool. Without: the one of the same name as before.
    pool: Option<String>,
}

/// Makes an instance of a backup, of any length, as it comes. The answer comes once all of it is there, and the cloud unpacks it
/// then. One that is cut off leaves nothing. The job's result has the instance's `name`.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/backups", operation_id = "import_backup", tag = "backups",
    params(ProjectInPath, Restored),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn import(
    ask: Ask,
    connection: Connection,
    Path(path): Path<ProjectInPath>,
    Query(Restored { name, pool }): Query<Restored>,
    body: Body,
) -> Result<Response, Problem> {
    let object = format!("instances/{}", name.as_deref().unwrap_or_default());
    let target = Target { cloud: path.cloud, project: path.project, object };
    let options = ImportOptions { name, pool, ..ImportOptions::default() };
    receive(&ask, connection, body, told("backup.import", ""), target, move |client, body, job| async move {
        let archive = body.archive().await?;
        Ok(json!({"name": import_instance(&client, archive, &options, &job).await?}))
    })
    .await
}
