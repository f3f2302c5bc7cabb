//! Copies and moves of instances, inside a cloud and between clouds.

use std::collections::BTreeMap;

use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::InPath;
use crate::actions::copy::{Mode, Moved, Overrides, Place, Profiles, Source, Wanted, copy, move_instance};
use crate::actions::instances::Devices;
use crate::api::ask::{Ask, JsonBody};
use crate::api::cloud::place;
use crate::api::extract::Path;
use crate::api::jobs::{Change, JobView, Part};
use crate::api::needs::{Needs, Routes};
use crate::api::problem::Problem;
use crate::config::Verb;

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::project(Verb::Edit), routes!(make))
        .add(Needs::project(Verb::Edit), routes!(carry))
}

/// A copy that is to be made.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewCopy {
    /// The cloud that it goes to. The caller may edit in the project there, too.
    cloud: String,
    /// The project that it goes to.
    project: String,
    /// Its name there. Without: that of the source.
    name: Option<String>,
    /// A snapshot of the instance, instead of the instance itself.
    snapshot: Option<String>,
    /// How its bytes travel between clouds: `auto` takes the first way that works, and a copy by `relay` goes through this node.
    #[serde(default)]
    mode: Mode,
    /// Without the snapshots.
    #[serde(default)]
    instance_only: bool,
    /// Without the state of what runs.
    #[serde(default)]
    stateless: bool,
    /// Brings an instance that is there up to date.
    #[serde(default)]
    refresh: bool,
    /// Passes over files that change meanwhile.
    #[serde(default)]
    allow_inconsistent: bool,
    /// Its profiles. Without: those of the source.
    profiles: Option<Vec<String>>,
    /// Settings that differ from those of the source.
    #[serde(default)]
    config: BTreeMap<String, String>,
    /// Settings of devices that differ.
    #[serde(default)]
    devices: Devices,
    /// The pool of its root disk.
    pool: Option<String>,
    /// The member of the cluster there.
    member: Option<String>,
}

/// What a copy or a move works with.
struct Sides {
    from: Place,
    source: Source,
    to: Place,
    wanted: Wanted,
    detail: String,
}

async fn sides(ask: &Ask, path: &InPath, new: NewCopy) -> Result<Sides, Problem> {
    ask.may(Verb::Edit, &new.cloud, &new.project).await?;
    let name = new.name.unwrap_or_else(|| path.instance.clone());
    let between = path.cloud != new.cloud;
    let from = place(&ask.api, &path.cloud, &path.project, between).await?;
    let to = place(&ask.api, &new.cloud, &new.project, between).await?;
    let detail = format!("to instances/{name} in the project {} of {}", new.project, new.cloud);
    let wanted = Wanted {
        name,
        mode: new.mode,
        overrides: Overrides {
            profiles: new.profiles.map_or_else(Profiles::default, Profiles::Only),
            config: new.config,
            devices: new.devices,
            pool: new.pool,
            ephemeral: None,
        },
        instance_only: new.instance_only,
        stateless: new.stateless,
        refresh: new.refresh,
        allow_inconsistent: new.allow_inconsistent,
        member: new.member,
    };
    let source = Source { instance: path.instance.clone(), snapshot: new.snapshot };
    Ok(Sides { from, source, to, wanted, detail })
}

/// Copies an instance or a snapshot, also to another cloud. The copy is held against its source before the job is done. The job
/// belongs to this node; its result says which way the bytes took.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/copy",
    operation_id = "copy_instance", tag = "instances", params(InPath), request_body = NewCopy,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn make(ask: Ask, Path(path): Path<InPath>, body: JsonBody<NewCopy>) -> Result<Response, Problem> {
    let Sides { from, source, to, wanted, detail } = sides(&ask, &path, body.value).await?;
    let part = Part::new(path.target(), move |_, job| async move {
        Ok(json!(copy(&from, &source, &to, &wanted, &job).await?))
    });
    ask.change(body.hash, Change { verb: Verb::Edit, action: "copy", detail }, vec![part]).await
}

/// Moves an instance, also to another cloud. It is deleted where it was once the copy was found to be whole.
#[utoipa::path(
    post, path = "/clouds/{cloud}/projects/{project}/instances/{instance}/move",
    operation_id = "move_instance", tag = "instances", params(InPath), request_body = NewCopy,
    responses((status = 200, body = JobView), (status = 202, body = JobView)),
)]
async fn carry(ask: Ask, Path(path): Path<InPath>, body: JsonBody<NewCopy>) -> Result<Response, Problem> {
    let Sides { from, source, to, wanted, detail } = sides(&ask, &path, body.value).await?;
    let part = Part::new(path.target(), move |_, job| async move {
        Ok(match move_instance(&from, &source, &to, &wanted, &job).await? {
            Moved::ByServer => Value::Null,
            Moved::ByCopy(copied) => json!(copied),
        })
    });
    ask.change(body.hash, Change { verb: Verb::Edit, action: "move", detail }, vec![part]).await
}
