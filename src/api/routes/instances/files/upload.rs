//! Into an instance.

use axum::body::Body;
use axum::response::Response;
use lxd_client::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::IntoParams;

use super::{ArchiveForm, InPath, checked, told};
use crate::actions::archive::{Owner, unpack};
use crate::actions::files::{Making, Sent, push};
use crate::actions::{ActionError, Job};
use crate::api::ask::Ask;
use crate::api::connection::Connection;
use crate::api::extract::{Path, Query};
use crate::api::jobs::JobView;
use crate::api::problem::Problem;
use crate::api::transfers::{Incoming, receive};

/// Where it goes, and how it is made.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Push {
    /// The absolute path of the file; of the folder that an archive goes into.
    path: String,
    /// `tar`: the body is an archive.
    #[param(inline)]
    archive: Option<ArchiveForm>,
    /// The owner's number. Without: root, or as the file that is replaced; of an archive as it says.
    uid: Option<u32>,
    /// The group's number.
    gid: Option<u32>,
    /// The permissions of a file, such as `0644`.
    mode: Option<String>,
    /// Makes the folders above it that are not there.
    #[serde(default)]
    parents: bool,
}

/// Writes a file, of any length, as it comes. It replaces what is there once it is whole: one that is cut off changes nothing.
/// A link is followed.
///
/// With `archive=tar`, makes what the archive has in the folder, with modes, owners and links, and replaces what is there. A
/// path that leads out of the folder, by its name or by a link, a device, and a named pipe are refused. What is whole before
/// a failure stays.
#[utoipa::path(
    put, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/files",
    operation_id = "put_instance_files", tag = "files", params(InPath, Push),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = JobView)),
)]
pub(super) async fn put(
    ask: Ask,
    connection: Connection,
    Path(instance): Path<InPath>,
    Query(to): Query<Push>,
    body: Body,
) -> Result<Response, Problem> {
    checked(&to.path)?;
    let mode = to.mode.as_deref().map(octal).transpose()?;
    if mode.is_some() && to.archive.is_some() {
        return Err(Problem::invalid("an archive has the modes of its files: leave mode out"));
    }
    let making = Making { uid: to.uid, gid: to.gid, mode, parents: to.parents };
    let form = if to.archive.is_some() { " as tar" } else { "" };
    let change = told("file.push", format!("{}{form}", to.path));
    let (target, name) = (instance.target(), instance.instance);
    let work = move |client, incoming, job| async move {
        match to.archive {
            None => write(&client, &name, &to.path, &making, incoming, &job).await,
            Some(ArchiveForm::Tar) => fill(&client, &name, &to.path, &making, incoming, &job).await,
        }
    };
    receive(&ask, connection, body, change, target, work).await
}

fn octal(mode: &str) -> Result<u32, Problem> {
    let read = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777);
    read.ok_or_else(|| Problem::invalid(format!("mode={mode} is not octal, such as 0644")))
}

/// Writes a file.
async fn write(
    client: &Client,
    instance: &str,
    path: &str,
    making: &Making,
    incoming: Incoming,
    job: &Job,
) -> Result<Value, ActionError> {
    push(client, instance, vec![Sent::Stream(incoming.source())], path, false, making, job).await?;
    Ok(json!({"path": path}))
}

/// Makes what an archive has.
async fn fill(
    client: &Client,
    instance: &str,
    folder: &str,
    making: &Making,
    incoming: Incoming,
    job: &Job,
) -> Result<Value, ActionError> {
    let files = client.instance(instance).files();
    if making.parents {
        let inside = format!("{}/-", folder.trim_end_matches('/'));
        job.run(files.create_parents(&inside, &making.folder())).await?;
    }
    let owner = Owner { uid: making.uid, gid: making.gid };
    let entries = unpack(&files, folder, incoming, owner, job).await?;
    Ok(json!({"path": folder, "entries": entries}))
}
