//! What changes instances inside their cloud: `lxd launch`, `start`, `config` and so on.

mod config;
mod create;
mod delete;
pub(super) mod pairs;
mod rebuild;
mod rename;
mod snapshot;
mod state;

use std::process::ExitCode;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands that change instances.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum InstanceCommand {
    /// Creates instances from an image and starts them.
    Launch(Box<create::Launch>),
    /// Creates instances from an image, without starting them.
    #[command(alias = "create")]
    Init(Box<create::Create>),
    /// Starts instances; those that are paused go on.
    Start(state::Start),
    /// Stops instances.
    Stop(state::Stop),
    /// Restarts instances.
    Restart(state::Restart),
    /// Stops the processes of instances where they are; `start` has them go on.
    Pause(state::Pause),
    /// Gives an instance or a snapshot another name.
    Rename(rename::Rename),
    /// Makes the root disk of instances anew, from an image or from nothing: all that was on it is lost.
    Rebuild(rebuild::Rebuild),
    /// Deletes instances and snapshots.
    #[command(alias = "rm")]
    Delete(delete::Delete),
    /// Makes a snapshot of an instance.
    Snapshot(snapshot::Snapshot),
    /// Brings an instance back to a snapshot.
    Restore(snapshot::Restore),
    /// The settings of instances and servers.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

pub(super) async fn run(command: &InstanceCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    use InstanceCommand as C;
    match command {
        C::Launch(options) => create::launch(fleet, options, out).await,
        C::Init(options) => create::create(fleet, options, out).await,
        C::Start(options) => state::start(fleet, options).await,
        C::Stop(options) => state::stop(fleet, options).await,
        C::Restart(options) => state::restart(fleet, options).await,
        C::Pause(options) => state::pause(fleet, options).await,
        C::Rename(options) => rename::rename(fleet, options).await,
        C::Rebuild(options) => rebuild::rebuild(fleet, options).await,
        C::Delete(options) => delete::delete(fleet, options).await,
        C::Snapshot(options) => snapshot::snapshot(fleet, options, out).await,
        C::Restore(options) => snapshot::restore(fleet, options).await,
        C::Config(command) => config::run(command, fleet, out).await,
    }
}
