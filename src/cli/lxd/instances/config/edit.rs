//! `lxd config edit`.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::{Instance, Snapshot, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::target::{Target, What};
use crate::actions::instances::{Settings, SnapshotSettings};
use crate::actions::{instances, server};
use crate::cli::edit::edit;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    /// The instance (berlin:c1), snapshot (berlin:c1/snap0) or server (berlin:). The server of a single cloud may be left out.
    #[arg(default_value = "", hide_default_value = true)]
    of: String,
    /// The member of the cluster whose own settings are meant.
    #[arg(long, value_name = "MEMBER")]
    target: Option<String>,
}

/// What can be changed of a server.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerSettings {
    config: Map<String, Value>,
}

const EXPLANATION: &str = "These are the settings of an instance. A sample:

profiles:
- default
config:
  limits.cpu: 2
devices:
  homedir:
    path: /extra
    source: /home/user
    type: disk

What begins with volatile. is the server's, and has to stay.";

pub(super) async fn run(fleet: &Fleet, options: &Edit) -> anyhow::Result<ExitCode> {
    let target = Target::of(fleet, &options.of, options.target.as_deref()).await?;
    let (client, of) = (&target.client, &options.of);
    let context = || of.clone();
    match target.what {
        What::Server => {
            let read = async || client.server_config().await.with_context(context);
            let part = |read: &Versioned<_>| ServerSettings { config: Map::clone(&read.value) };
            let write = async |before: &Versioned<_>, after: ServerSettings| {
                action::run(of, async |job| server::update(client, Some(before), after.config, job).await)
                    .await
            };
            edit("server's configuration", "", read, part, write).await?;
        }
        What::Instance(name) => {
            let read = async || client.instance(name).get().await.with_context(context);
            let write = async |before: &Versioned<Instance>, after: Settings| {
                let update = async |job: &_| instances::update(client, name, Some(before), &after, job).await;
                action::run(of, update).await
            };
            edit("instance", EXPLANATION, read, |read| Settings::of(read, false), write).await?;
        }
        What::Snapshot(name, snapshot) => {
            let read = async || client.instance(name).snapshot(snapshot).get().await.with_context(context);
            let part = |read: &Versioned<Snapshot>| SnapshotSettings { expires_at: read.expires_at.clone() };
            let write = async |before: &Versioned<Snapshot>, after: SnapshotSettings| {
                let update =
                    async |job: &_| instances::update_snapshot(client, name, before, &after, job).await;
                action::run(of, update).await
            };
            edit("snapshot", "When the snapshot is deleted.", read, part, write).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
