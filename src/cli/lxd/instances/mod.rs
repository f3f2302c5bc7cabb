//! What changes instances: `lxd launch`, `start`, `stop`, `restart` and `delete`.

mod launch;
mod state;

use std::process::ExitCode;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands that change instances.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum InstanceCommand {
    /// Creates an instance from an image of the server's and starts it.
    Launch(launch::Launch),
    /// Starts instances.
    Start(state::Change),
    /// Stops instances.
    Stop(state::Change),
    /// Restarts instances.
    Restart(state::Change),
    /// Deletes instances.
    #[command(alias = "rm")]
    Delete(state::Change),
}

pub(super) async fn run(command: &InstanceCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        InstanceCommand::Launch(options) => launch::launch(fleet, options, out).await,
        InstanceCommand::Start(change) => state::change(fleet, change, state::Verb::Start).await,
        InstanceCommand::Stop(change) => state::change(fleet, change, state::Verb::Stop).await,
        InstanceCommand::Restart(change) => state::change(fleet, change, state::Verb::Restart).await,
        InstanceCommand::Delete(change) => state::change(fleet, change, state::Verb::Delete).await,
    }
}
