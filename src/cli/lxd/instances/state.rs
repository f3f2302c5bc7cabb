//! `lxd start`, `stop`, `restart` and `delete`.

use std::process::ExitCode;
use std::time::Duration;

use lxd_client::Action;

use crate::actions::instances;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    /// The instances, such as berlin:c1.
    #[arg(required = true)]
    pub(crate) instances: Vec<String>,
    /// By force: without asking what runs in them.
    #[arg(short, long)]
    pub(crate) force: bool,
    /// How many seconds an instance gets to stop by itself.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) timeout: u64,
}

/// What a command does with instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Start,
    Stop,
    Restart,
    Delete,
}

/// Changes all instances at once, and reports each one that fails.
pub(super) async fn change(fleet: &Fleet, change: &Change, verb: Verb) -> anyhow::Result<ExitCode> {
    let mut targets = Vec::new();
    for target in &change.instances {
        let (cloud, name) = fleet.target(target)?;
        targets.push((target.clone(), (fleet.client(cloud).await?, name)));
    }
    let within = Duration::from_secs(change.timeout);
    action::run_for_all(targets, async |(client, name), job| {
        let state =
            async |action| instances::change_state(client, name, action, within, change.force, job).await;
        match verb {
            Verb::Start => state(Action::Start).await,
            Verb::Stop => state(Action::Stop).await,
            Verb::Restart => state(Action::Restart).await,
            Verb::Delete => instances::delete(client, name, change.force, job).await,
        }
    })
    .await
}
