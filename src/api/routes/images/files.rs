//! Images that come and go as files. An image may have secrets of the instance in it that it was made of, so that fetching one
//! takes the right `edit`, too.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Uri, header};
use axum::response::{IntoResponse, Response};
use lxd_client::{ImageOptions, ImagePart, ImageSource};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{InPath, told};
use crate::actions::Job;
use crate::actions::images::{self, Files, NewAlias};
use crate::api::ask::{Ask, JsonBody};
use crate::api::attachment::attachment;
use crate::api::cloud::{client, within};
use crate::api::connection::Connection;
use crate::api::extract::{Path, Query};
use crate::api::jobs::{JobView, Part, Target};
use crate::api::problem::{Code, Problem};
use crate::api::routes::ProjectInPath;
use crate::api::transfers::{Outgoing, copy, receive};

/// How long the cloud may take to begin to send an image.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an image is to be that is sent.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SentImage {
    /// Its name. One that another image has goes over to it.
    alias: Option<String>,
    /// Whether strangers may have it.
    #[serde(default)]
    public: bool,
    /// The name of its file, for people.
    filename: Option<String>,
}

/// Takes an image in one file, of any length, as it comes. The answer comes once all of it is there, and the cloud unpacks it
/// then. One that is cut off leaves nothing. The job's result has its `fingerprint`.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/image-files", operation_id = "upload_image", tag = "images",
    params(ProjectInPath, SentImage),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
pub(super) async fn upload(
    ask: Ask,
    connection: Connection,
    Path(path): Path<ProjectInPath>,
    Query(SentImage { alias, public, filename }): Query<SentImage>,
    body: Body,
) -> Result<Response, Problem> {
    let target = target(path, alias.as_ref());
    let mut options = options(public);
    if let Some(name) = &filename {
        options = options.filename(name);
    }
    let change = told("upload", filename.unwrap_or_default());
    receive(&ask, connection, body, change, target, move |client, image, job| async move {
        let (files, aliases) = (Files::Unified(image.source()), aliases(alias.as_slice()));
        Ok(json!({"fingerprint": images::import(&client, files, options, &aliases, &job).await?}))
    })
    .await
}

/// An image that the cloud is to fetch.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ImportedImage {
    /// Where it is.
    server: ImageServer,
    /// Its names; ones that other images have go over to this one.
    #[serde(default)]
    aliases: Vec<String>,
    /// The cloud looks for newer ones from time to time.
    #[serde(default)]
    auto_update: bool,
    /// Whether strangers may have it.
    #[serde(default)]
    public: bool,
}

/// An image of an image server, which the cloud reaches by its own network.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImageServer {
    url: String,
    protocol: Protocol,
    /// An alias, or the begin of a fingerprint.
    image: String,
    /// The server's certificate, PEM, where no authority vouches for it. Not for `simplestreams`.
    certificate: Option<String>,
}

/// What an image server speaks.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Simplestreams,
    /// As an LXD does.
    Lxd,
    /// As an Incus does.
    Incus,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Protocol::Simplestreams => "simplestreams",
            Protocol::Lxd => "lxd",
            Protocol::Incus => "incus",
        }
    }
}

/// Has the cloud fetch an image from an image server. The cloud's operation tells how far it is; the job's result has the
/// image's `fingerprint`.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/image-imports", operation_id = "import_image",
    tag = "images", params(ProjectInPath), request_body = ImportedImage,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
pub(super) async fn import(
    ask: Ask,
    Path(path): Path<ProjectInPath>,
    body: JsonBody<ImportedImage>,
) -> Result<Response, Problem> {
    let ImportedImage { server, aliases: names, auto_update, public } = body.value;
    let uri: Option<Uri> = server.url.parse().ok();
    let Some(host) = uri.as_ref().and_then(Uri::host) else {
        return Err(Problem::invalid(format!("url={} is no address of a server", server.url)));
    };
    let change = told("import", format!("{} of {host}", server.image));
    let mut source = ImageSource::remote(&server.url, server.protocol.name(), &server.image);
    if let Some(pem) = &server.certificate {
        source = source.certificate(pem);
    }
    let mut options = options(public);
    if auto_update {
        options = options.auto_update();
    }
    let part = Part::new(target(path, names.first()), move |client, job| async move {
        let (files, aliases) = (Files::Elsewhere(source), aliases(&names));
        Ok(json!({"fingerprint": images::import(&client, files, options, &aliases, &job).await?}))
    });
    ask.change(body.hash, change, vec![part]).await
}

fn target(path: ProjectInPath, alias: Option<&String>) -> Target {
    let object = format!("images/{}", alias.map(String::as_str).unwrap_or_default());
    Target { cloud: path.cloud, project: path.project, object }
}

fn options(public: bool) -> ImageOptions {
    let options = ImageOptions::default();
    if public { options.public() } else { options }
}

fn aliases(names: &[String]) -> Vec<NewAlias> {
    names.iter().map(|name| NewAlias::new(name)).collect()
}

/// What of an image is wanted.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of an image that is in two files: which one.
    #[param(inline)]
    part: Option<WantedPart>,
}

/// A file of an image that is in two.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum WantedPart {
    /// What it says of itself.
    Metadata,
    /// Its root disk.
    Rootfs,
}

impl WantedPart {
    fn name(self) -> &'static str {
        match self {
            WantedPart::Metadata => "metadata",
            WantedPart::Rootfs => "rootfs",
        }
    }
}

impl From<WantedPart> for ImagePart {
    fn from(part: WantedPart) -> ImagePart {
        match part {
            WantedPart::Metadata => ImagePart::Metadata,
            WantedPart::Rootfs => ImagePart::Rootfs,
        }
    }
}

/// An image as a file. One that is in two files, as those of virtual machines usually are, is fetched file by file:
/// `part=metadata` and `part=rootfs`; without a part it is refused (`conflict`). A body that ends early, or with an error, is
/// not the image.
#[utoipa::path(
    get, path = "/clouds/{cloud}/projects/{project}/images/{image}/export",
    operation_id = "export_image", tag = "images", params(InPath, Wanted),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream")),
)]
pub(super) async fn export(
    ask: Ask,
    connection: Connection,
    method: Method,
    Path(path): Path<InPath>,
    Query(Wanted { part }): Query<Wanted>,
) -> Result<Response, Problem> {
    let client = client(&ask.api, &path.cloud, &path.project)?;
    let change = told("export", part.map(WantedPart::name).unwrap_or_default());
    let outgoing = Outgoing::new(&ask, connection, &change, path.target())?;
    let open = async {
        let fingerprint = images::fingerprint(&client, &path.image, &Job::new()).await?;
        let part = part.map(ImagePart::from);
        let file = client.image(&fingerprint).open(part).await.map_err(of_parts)?;
        Ok((fingerprint, file))
    };
    let opened = within(PATIENCE, open).await;
    let (fingerprint, file) = opened.map_err(|problem| problem.of_cloud(&path.cloud))?;
    let mut headers = attachment(&match (file.name(), part) {
        (Some(name), _) => name.to_owned(),
        (None, Some(part)) => format!("{fingerprint}.{}", part.name()),
        (None, None) => fingerprint,
    });
    if let Some(length) = file.length() {
        headers.insert(header::CONTENT_LENGTH, length.into());
    }
    if method == Method::HEAD {
        return Ok(headers.into_response());
    }
    let body = outgoing.send(move |to| copy(file, to)).await?;
    Ok((headers, body).into_response())
}

/// What an image has that is not as it was asked for.
fn of_parts(error: lxd_client::Error) -> Problem {
    match &error {
        lxd_client::Error::Config { .. } => Problem::new(Code::Conflict, error.to_string()).remedy(
            "an image in one file is fetched without a part; of one in two files, part=metadata and part=rootfs",
        ),
        _ => error.into(),
    }
}
