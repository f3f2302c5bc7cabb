//! Out of an instance.

use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lxd_client::{Download, Entry, FileInfo, FileKind, Files};
use serde::Deserialize;
use utoipa::IntoParams;

use super::list::{Folder, list};
use super::{ArchiveForm, InPath, checked, told};
use crate::actions::archive::{Exact, pack};
use crate::api::ask::Ask;
use crate::api::attachment::attachment;
use crate::api::cloud::{client, within};
use crate::api::connection::Connection;
use crate::api::extract::{Path, Query};
use crate::api::problem::{Code, Problem};
use crate::api::transfers::{Outgoing, Part, copy, part_of};

/// How long the cloud may take to tell what is at a path.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is wanted of an instance.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Pull {
    /// The absolute path, such as `/etc/hosts`. Links are followed.
    path: String,
    /// `tar`: what is there, a folder with all that is in it, as an archive.
    #[param(inline)]
    archive: Option<ArchiveForm>,
}

/// A file or a folder of an instance. A file comes as it is, or the part of it that `Range` asks for; a folder as a list, in
/// JSON, or with `archive=tar` whole. A body that ends early, or with an error, is not all of it.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/files",
    operation_id = "get_instance_files", tag = "files", params(InPath, Pull),
    responses(
        (status = 200, content(
            (Vec<u8> = "application/octet-stream"),
            (Folder = "application/json"),
        )),
        (status = 206, body = Vec<u8>, content_type = "application/octet-stream"),
    ),
)]
pub(super) async fn get(
    ask: Ask,
    connection: Connection,
    method: Method,
    Path(instance): Path<InPath>,
    Query(Pull { path, archive }): Query<Pull>,
) -> Result<Response, Problem> {
    checked(&path)?;
    let files = client(&ask.api, &instance.cloud, &instance.project)?.instance(&instance.instance).files();
    let asked = look(&ask, connection, &instance, &files, path, archive, &method);
    asked.await.map_err(|problem| problem.of_cloud(&instance.cloud))
}

async fn look(
    ask: &Ask,
    connection: Connection,
    instance: &InPath,
    files: &Files,
    path: String,
    archive: Option<ArchiveForm>,
    method: &Method,
) -> Result<Response, Problem> {
    let _session = files.connect().await;
    let (place, info) = within(PATIENCE, async { Ok(files.follow(&path).await?) }).await?;
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let outgoing = |detail| Outgoing::new(ask, connection, &told("file.pull", detail), instance.target());
    match (info.kind, archive) {
        (FileKind::Special, _) => {
            Err(Problem::invalid(format!("{path} is a named pipe, a socket or a device, and no file")))
        }
        (_, Some(ArchiveForm::Tar)) => {
            let name = if name.is_empty() { &instance.instance } else { name };
            let headers = attachment(&format!("{name}.tar"));
            if method == Method::HEAD {
                return Ok(headers.into_response());
            }
            let files = files.clone();
            let outgoing = outgoing(format!("{path} as tar"))?;
            let body = outgoing.send(move |to| async move { pack(&files, &place, info, to).await }).await?;
            Ok((headers, body).into_response())
        }
        (FileKind::Directory, None) => Ok(Json(within(PATIENCE, list(files, place)).await?).into_response()),
        (_, None) => {
            let (mut headers, version) = (attachment(name), version(&info));
            headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            if let Ok(tag) = HeaderValue::from_str(&version) {
                headers.insert(header::ETAG, tag);
            }
            let length = info.size.unwrap_or_default();
            let part = part_of(&ask.headers, length, &version);
            if part == Part::None {
                headers = [(header::CONTENT_RANGE, content_range(format_args!("*/{length}")))]
                    .into_iter()
                    .collect();
                let problem = Problem::new(Code::NoSuchPart, format!("{path} has {length} bytes"));
                return Ok((headers, problem).into_response());
            }
            if method == Method::HEAD {
                let (status, wanted) = describe(&mut headers, part, length);
                headers.insert(header::CONTENT_LENGTH, wanted.into());
                return Ok((status, headers).into_response());
            }
            let outgoing = outgoing(path.clone())?;
            let download = within(PATIENCE, open(files, &place, part)).await?;
            // The file may be another one by now.
            let length = if part == Part::All { download.length().unwrap_or(length) } else { length };
            let (status, wanted) = describe(&mut headers, part, length);
            headers.insert(header::CONTENT_LENGTH, wanted.into());
            let content = Exact::new(path, download, wanted);
            let body = outgoing.send(move |to| copy(content, to)).await?;
            Ok((status, headers, body).into_response())
        }
    }
}

/// What tells a file from what is at its path later.
fn version(info: &FileInfo) -> String {
    format!("\"{:x}-{:x}\"", info.modified.unwrap_or_default(), info.size.unwrap_or_default())
}

fn content_range(range: impl std::fmt::Display) -> HeaderValue {
    HeaderValue::try_from(format!("bytes {range}")).unwrap_or(HeaderValue::from_static("bytes */*"))
}

/// The status of an answer with that part, and how long the part is.
fn describe(headers: &mut HeaderMap, part: Part, length: u64) -> (StatusCode, u64) {
    let Part::Some(first, last) = part else { return (StatusCode::OK, length) };
    headers.insert(header::CONTENT_RANGE, content_range(format_args!("{first}-{last}/{length}")));
    (StatusCode::PARTIAL_CONTENT, last - first + 1)
}

async fn open(files: &Files, path: &str, part: Part) -> Result<Download, Problem> {
    match part {
        Part::Some(first, last) => Ok(files.read_range(path, first..=last).await?),
        _ => match files.read(path).await? {
            Entry::File(_, download) => Ok(download),
            _ => Err(Problem::new(Code::Changed, format!("{path} is no file any more"))),
        },
    }
}
