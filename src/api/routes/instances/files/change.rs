//! Making, moving and deleting files in an instance.

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::{At, InPath, checked, told};
use crate::actions::files::{Making, New, create as make, delete as remove, rename as give_path};
use crate::api::ask::{Ask, JsonBody, hash_of};
use crate::api::extract::{Path, Query};
use crate::api::jobs::{JobView, Part};
use crate::api::problem::Problem;

/// What is to be made in an instance.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub(super) enum NewFile {
    /// An empty file.
    File(NewOwner),
    Folder(NewOwner),
    Symlink {
        /// Where it leads, as it is to be written.
        target: String,
        #[serde(flatten)]
        owner: NewOwner,
    },
}

/// Whose it is to be.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(super) struct NewOwner {
    /// The owner's number; else root.
    uid: Option<u32>,
    /// The group's number; else root.
    gid: Option<u32>,
    /// Makes the folders above it that are not there.
    parents: bool,
}

/// Makes an empty file, a folder or a symbolic link, where nothing is.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/files",
    operation_id = "create_instance_file", tag = "files", params(InPath, At), request_body = NewFile,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
pub(super) async fn create(
    ask: Ask,
    Path(instance): Path<InPath>,
    Query(at): Query<At>,
    body: JsonBody<NewFile>,
) -> Result<Response, Problem> {
    at.checked()?;
    let (kind, owner) = match &body.value {
        NewFile::File(owner) => ("file", *owner),
        NewFile::Folder(owner) => ("folder", *owner),
        NewFile::Symlink { target, .. } if target.is_empty() || target.contains('\0') => {
            return Err(Problem::invalid("a link leads somewhere"));
        }
        NewFile::Symlink { owner, .. } => ("symlink", *owner),
    };
    let change = told("file.create", format!("{} as {kind}", at.path));
    let part = Part::new(instance.target(), move |client, job| async move {
        let new = match &body.value {
            NewFile::File(_) => New::File,
            NewFile::Folder(_) => New::Folder,
            NewFile::Symlink { target, .. } => New::Symlink(target),
        };
        let making = Making { uid: owner.uid, gid: owner.gid, mode: None, parents: owner.parents };
        make(&client, &instance.instance, &at.path, &new, false, &making, &job).await.map(|()| Value::Null)
    });
    ask.change(body.hash, change, vec![part]).await
}

/// What is to have another path.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPath {
    /// The absolute path of a file, a link or a folder. A link itself is moved.
    from: String,
    /// The absolute path that it is to have, its name with it.
    to: String,
    /// In the place of a file or link that is there.
    #[serde(default)]
    replace: bool,
}

/// Gives a file, a link or a folder another name or another folder, inside one file system of the instance.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/files/move",
    operation_id = "move_instance_file", tag = "files", params(InPath), request_body = NewPath,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
pub(super) async fn rename(
    ask: Ask,
    Path(instance): Path<InPath>,
    body: JsonBody<NewPath>,
) -> Result<Response, Problem> {
    let NewPath { from, to, replace } = body.value;
    checked(&from)?;
    checked(&to)?;
    let change = told("file.move", format!("{from} to {to}"));
    let part = Part::new(instance.target(), move |client, job| async move {
        give_path(&client, &instance.instance, &from, &to, replace, &job).await.map(|()| Value::Null)
    });
    ask.change(body.hash, change, vec![part]).await
}

/// What is to be deleted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Removal {
    /// The absolute path. A link itself is deleted.
    path: String,
    /// A folder with everything in it.
    #[serde(default)]
    recursive: bool,
}

/// Deletes a file, a link or an empty folder; with `recursive` also a folder with everything in it.
#[utoipa::path(
    delete, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/files",
    operation_id = "delete_instance_file", tag = "files", params(InPath, Removal),
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
pub(super) async fn delete(
    ask: Ask,
    Path(instance): Path<InPath>,
    Query(Removal { path, recursive }): Query<Removal>,
) -> Result<Response, Problem> {
    checked(&path)?;
    let all = if recursive { " with all that is in it" } else { "" };
    let change = told("file.delete", format!("{path}{all}"));
    let body = hash_of(&(&path, recursive));
    let part = Part::new(instance.target(), move |client, job| async move {
        remove(&client, &instance.instance, &path, recursive, &job).await.map(|()| Value::Null)
    });
    ask.change(body, change, vec![part]).await
}
