//! What else a server has: `lxd profile`, `project`, `network`, `storage` and `trust`. The verbs that they have alike are in
//! `usual.rs`, and `names.rs` has a row for each kind.

pub(super) mod cluster;
mod lists;
mod names;
mod network;
mod profile;
mod project;
mod storage;
pub(super) mod trust;
pub(super) mod usual;

use std::process::ExitCode;

pub(super) use trust::Trust;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands for what else a server has.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ObjectCommand {
    /// Works with profiles, which instances share their settings by.
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Works with projects, which keep things of a server apart. There is no current project, and so no switch: --project
    /// names one, or the configuration of the cloud.
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Works with networks, and what belongs to them.
    #[command(subcommand)]
    Network(network::NetworkCommand),
    /// Works with storage pools, and the volumes and buckets in them.
    #[command(subcommand)]
    Storage(storage::StorageCommand),
    /// Has a server trust this node, by a token from `lxc config trust add` there; and shows and changes whom servers trust.
    ///
    /// The token is read from a file, from the configuration, from LXD_TRUST_TOKEN or from the standard input, and never from
    /// the arguments.
    Trust(trust::Trust),
}

pub(super) async fn run(command: &ObjectCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ObjectCommand::Profile(command) => profile::run(command, fleet, out).await,
        ObjectCommand::Project(command) => project::run(command, fleet, out).await,
        ObjectCommand::Network(command) => network::run(command, fleet, out).await,
        ObjectCommand::Storage(command) => storage::run(command, fleet, out).await,
        ObjectCommand::Trust(options) => trust::run(options, fleet, out).await,
    }
}
