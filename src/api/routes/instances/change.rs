//! Making, changing, renaming and deleting instances.

use std::collections::BTreeMap;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::InPath;
use crate::actions::instances::{
    Devices, Origin, Settings, Wanted, create as make, delete as remove, launch, rename as give_name, set,
    update,
};
use crate::actions::{ActionError, changes};
use crate::api::ask::{Ask, JsonBody, unquoted};
use crate::api::extract::{Path, Query};
use crate::api::jobs::{Change, JobView, Part, Target};
use crate::api::needs::{Needs, Routes};
use crate::api::problem::Problem;
use crate::api::routes::ProjectInPath;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::Edit), routes!(create))
        .add(Needs::project(Verb::Edit), routes!(rename, replace, configure, delete))
}

fn told(action: &'static str, detail: impl Into<String>) -> Change {
    Change { verb: Verb::Edit, action, detail: detail.into() }
}

/// An instance that is to be made.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewInstance {
    /// Its name. Without one the server chooses it.
    #[serde(default)]
    name: String,
    /// What it is made of.
    origin: NewOrigin,
    /// A virtual machine; else as the image is.
    #[serde(default)]
    virtual_machine: bool,
    /// To be deleted when it stops.
    #[serde(default)]
    ephemeral: bool,
    /// Its profiles, in this order. Without: `default`.
    profiles: Option<Vec<String>>,
    #[serde(default)]
    config: BTreeMap<String, String>,
    #[serde(default)]
    devices: Devices,
    /// The network for its interface `eth0`.
    network: Option<String>,
    /// The pool for its root disk.
    pool: Option<String>,
    /// Limits by the name of an offer, such as `t2.micro`.
    instance_type: Option<String>,
    #[serde(default)]
    description: String,
    /// It is started too. One that does not start stays, so that its log can be read.
    #[serde(default)]
    start: bool,
}

/// What an instance is made of.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum NewOrigin {
    /// An image of the cloud, by an alias or the begin of a fingerprint.
    Image(String),
    /// An image of an image server, which the cloud fetches by its own network.
    Server {
        url: String,
        /// `simplestreams`, `lxd` or `incus`.
        protocol: String,
        image: String,
    },
    /// Nothing: `{"empty": true}`.
    Empty(bool),
}

impl From<NewInstance> for Wanted {
    fn from(new: NewInstance) -> Wanted {
        Wanted {
            name: new.name,
            origin: match new.origin {
                NewOrigin::Image(name) => Origin::Image(name),
                NewOrigin::Server { url, protocol, image } => Origin::Server { url, protocol, image },
                NewOrigin::Empty(_) => Origin::Nothing,
            },
            virtual_machine: new.virtual_machine,
            ephemeral: new.ephemeral,
            profiles: new.profiles,
            config: new.config,
            devices: new.devices,
            overrides: Devices::new(),
            network: new.network,
            pool: new.pool,
            instance_type: new.instance_type,
            description: new.description,
        }
    }
}

/// Makes an instance. The job's result has its `name`.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances", operation_id = "create_instance", tag = "instances",
    params(ProjectInPath), request_body = NewInstance,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn create(
    ask: Ask,
    Path(path): Path<ProjectInPath>,
    body: JsonBody<NewInstance>,
) -> Result<Response, Problem> {
    let start = body.value.start;
    let wanted = Wanted::from(body.value);
    let object = format!("instances/{}", wanted.name);
    let target = Target { cloud: path.cloud, project: path.project, object };
    let part = Part::new(target, move |client, job| async move {
        let name = match start {
            true => launch(&client, &wanted, &job).await?,
            false => make(&client, &wanted, &job).await?,
        };
        Ok(json!({"name": name}))
    });
    ask.change(body.hash, told("create", ""), vec![part]).await
}

/// Another name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewName {
    name: String,
}

/// Gives an instance, which must be stopped, another name.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}",
    operation_id = "rename_instance", tag = "instances", params(InPath), request_body = NewName,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn rename(ask: Ask, Path(path): Path<InPath>, body: JsonBody<NewName>) -> Result<Response, Problem> {
    let to = body.value.name;
    let change = told("rename", format!("to {to}"));
    let part = Part::new(path.target(), move |client, job| async move {
        give_name(&client, &path.instance, &to, &job).await.map(|()| Value::Null)
    });
    ask.change(body.hash, change, vec![part]).await
}

/// Replaces the settings of an instance; with `If-Match` and the `ETag` that came with them only where nobody has changed them
/// since.
#[utoipa::path(
    put, path = "/clouds/{cloud}/projects/{project}/instances/{instance}",
    operation_id = "replace_instance", tag = "instances", params(InPath), request_body = Settings,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn replace(ask: Ask, Path(path): Path<InPath>, body: JsonBody<Settings>) -> Result<Response, Problem> {
    let (settings, version) = (body.value, ask.version());
    let part = Part::new(path.target(), move |client, job| async move {
        let Some(version) = version else {
            return update(&client, &path.instance, None, &settings, &job).await.map(|()| Value::Null);
        };
        let now = job.run(client.instance(&path.instance).get()).await?;
        if now.etag.as_deref().map(unquoted) != Some(version.as_str()) {
            return Err(changed(&path.instance, &settings, &Settings::of(&now, false)));
        }
        update(&client, &path.instance, Some(&now), &settings, &job).await.map(|()| Value::Null)
    });
    ask.change(body.hash, told("replace", ""), vec![part]).await
}

/// What is another now than the settings that were sent; their values may be secrets.
fn changed(name: &str, sent: &Settings, now: &Settings) -> ActionError {
    let places: Vec<String> = changes(sent, now).into_iter().map(|changed| changed.place).collect();
    ActionError::Conflict(format!(
        "{name} was changed after it was read, and nothing was written; it now differs from what was sent in: {}",
        if places.is_empty() { "nothing".to_owned() } else { places.join(", ") }
    ))
}

/// Settings that are to be others.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewConfig {
    /// By their keys; null unsets one.
    config: BTreeMap<String, Option<String>>,
}

/// Sets and unsets keys of an instance's configuration.
#[utoipa::path(
    patch, path = "/clouds/{cloud}/projects/{project}/instances/{instance}",
    operation_id = "configure_instance", tag = "instances", params(InPath), request_body = NewConfig,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn configure(
    ask: Ask,
    Path(path): Path<InPath>,
    body: JsonBody<NewConfig>,
) -> Result<Response, Problem> {
    let config = body.value.config;
    let keys: Vec<&str> = config.keys().map(String::as_str).collect();
    let change = told("configure", keys.join(" "));
    let part = Part::new(path.target(), move |client, job| async move {
        set(&client, &path.instance, &config, &job).await.map(|()| Value::Null)
    });
    ask.change(body.hash, change, vec![part]).await
}

/// How an instance is deleted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct Removal {
    /// Also one that runs, which is stopped first.
    force: bool,
}

/// Deletes an instance with its snapshots.
#[utoipa::path(
    delete, path = "/clouds/{cloud}/projects/{project}/instances/{instance}",
    operation_id = "delete_instance", tag = "instances", params(InPath, Removal),
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn delete(
    ask: Ask,
    Path(path): Path<InPath>,
    Query(Removal { force }): Query<Removal>,
) -> Result<Response, Problem> {
    let part = Part::new(path.target(), move |client, job| async move {
        remove(&client, &path.instance, force, &job).await.map(|()| Value::Null)
    });
    ask.change(u64::from(force), told("delete", if force { "by force" } else { "" }), vec![part]).await
}
