//! What works inside an instance: `lxd exec` and `file`.

mod exec;
mod file;

use std::process::ExitCode;

use super::fleet::Fleet;

/// The commands that work inside an instance.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SessionCommand {
    /// Runs a command in an instance, and exits as it did.
    Exec(exec::Exec),
    /// Sends files into an instance, and fetches them.
    #[command(subcommand)]
    File(file::FileCommand),
}

pub(super) async fn run(command: &SessionCommand, fleet: &Fleet) -> anyhow::Result<ExitCode> {
    match command {
        SessionCommand::Exec(options) => exec::exec(fleet, options).await,
        SessionCommand::File(command) => file::run(fleet, command).await,
    }
}
