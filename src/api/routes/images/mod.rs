//! Images: made of instances, sent and fetched as files, copied to other clouds, deleted.

mod files;

use axum::response::Response;
use lxd_client::ImageOptions;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::ProjectInPath;
use crate::actions::copy::Mode;
use crate::actions::images::{self, NewAlias, Published, Wanted};
use crate::api::ask::{Ask, JsonBody};
use crate::api::cloud::place;
use crate::api::extract::Path;
use crate::api::jobs::{Change, JobView, Part, Target};
use crate::api::needs::{Needs, Routes};
use crate::api::problem::Problem;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::Edit), routes!(publish))
        .add(Needs::project(Verb::Edit), routes!(files::upload))
        .add(Needs::project(Verb::Edit), routes!(files::import))
        .add(Needs::project(Verb::Edit), routes!(files::export))
        .add(Needs::project(Verb::Edit), routes!(copy))
        .add(Needs::project(Verb::Edit), routes!(delete))
}

/// An image in a path.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct InPath {
    /// The cloud.
    cloud: String,
    /// The project.
    project: String,
    /// An alias, or the begin of a fingerprint.
    image: String,
}

impl InPath {
    fn target(&self) -> Target {
        Target {
            cloud: self.cloud.clone(),
            project: self.project.clone(),
            object: format!("images/{}", self.image),
        }
    }
}

fn told(action: &'static str, detail: impl Into<String>) -> Change {
    Change { verb: Verb::Edit, action, detail: detail.into() }
}

/// An image that is to be made of an instance.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewImage {
    /// The instance, which has to be stopped.
    instance: String,
    /// A snapshot of it, instead of the instance itself.
    snapshot: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    /// Whether strangers may have it.
    #[serde(default)]
    public: bool,
    /// Take over aliases that are there, and delete the images that had them.
    #[serde(default)]
    reuse: bool,
    /// Stop an instance that runs, and start it again.
    #[serde(default)]
    force: bool,
}

/// Makes an image of an instance or a snapshot. The job's result has its `fingerprint`.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/images", operation_id = "publish_image", tag = "images",
    params(ProjectInPath), request_body = NewImage,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn publish(
    ask: Ask,
    Path(path): Path<ProjectInPath>,
    body: JsonBody<NewImage>,
) -> Result<Response, Problem> {
    let new = body.value;
    let from = place(&ask.api, &path.cloud, &path.project, false).await?;
    let object = format!("instances/{}", new.instance);
    let target = Target { cloud: path.cloud, project: path.project, object };
    let detail = new.aliases.join(" ");
    let part = Part::new(target, move |_, job| async move {
        let published = Published {
            instance: new.instance,
            snapshot: new.snapshot,
            options: ImageOptions::default(),
            public: new.public,
            aliases: new.aliases.iter().map(|name| NewAlias::new(name)).collect(),
            reuse: new.reuse,
            force: new.force,
        };
        Ok(json!({"fingerprint": images::publish(&from, None, &published, &job).await?}))
    });
    ask.change(body.hash, told("publish", detail), vec![part]).await
}

/// A copy of an image that is to be made.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewImageCopy {
    /// The cloud that it goes to. The caller may edit in the project there, too.
    cloud: String,
    /// The project that it goes to.
    project: String,
    /// How its bytes travel: `auto` takes the first way that works.
    #[serde(default)]
    mode: Mode,
    /// Its names there; ones that other images have go over to this one.
    #[serde(default)]
    aliases: Vec<String>,
    /// Its own names too.
    #[serde(default)]
    copy_aliases: bool,
}

/// Copies an image to another cloud or project.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/images/{image}/copy",
    operation_id = "copy_image", tag = "images", params(InPath), request_body = NewImageCopy,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn copy(ask: Ask, Path(path): Path<InPath>, body: JsonBody<NewImageCopy>) -> Result<Response, Problem> {
    let new = body.value;
    ask.may(Verb::Edit, &new.cloud, &new.project).await?;
    let between = path.cloud != new.cloud;
    let from = place(&ask.api, &path.cloud, &path.project, between).await?;
    let to = place(&ask.api, &new.cloud, &new.project, between).await?;
    let detail = format!("to the project {} of {}", new.project, new.cloud);
    let wanted = Wanted {
        image: path.image.clone(),
        mode: new.mode,
        aliases: new.aliases,
        copy_aliases: new.copy_aliases,
        ..Wanted::default()
    };
    let part = Part::new(path.target(), move |_, job| async move {
        Ok(json!(images::copy(&from, &to, &wanted, &job).await?))
    });
    ask.change(body.hash, told("copy", detail), vec![part]).await
}

/// Deletes an image.
#[utoipa::path(
    delete, path = "/clouds/{cloud}/projects/{project}/images/{image}",
    operation_id = "delete_image", tag = "images", params(InPath),
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn delete(ask: Ask, Path(path): Path<InPath>) -> Result<Response, Problem> {
    let part = Part::new(path.target(), move |client, job| async move {
        images::delete(&client, &path.image, &job).await.map(|()| Value::Null)
    });
    ask.change(0, told("delete", ""), vec![part]).await
}
