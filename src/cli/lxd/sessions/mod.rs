//! What works inside an instance: `lxd exec`, `shell`, `console`, `logs` and `file`.

mod console;
mod exec;
mod file;
mod logs;
mod shell;
mod streams;
mod terminal;

use std::process::ExitCode;

pub(super) use console::Attached;
pub(super) use logs::show as show_log;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands that work inside an instance.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SessionCommand {
    /// Runs a command in an instance, and exits as it did.
    Exec(exec::Exec),
    /// Opens a login shell in an instance, and exits as it did.
    Shell(shell::Shell),
    /// Joins this terminal with an instance's console. Ctrl-a q leaves it.
    Console(console::Console),
    /// Shows the log files that the server keeps of an instance.
    Logs(logs::Logs),
    /// Sends files into an instance, and fetches them.
    #[command(subcommand)]
    File(file::FileCommand),
}

pub(super) async fn run(command: &SessionCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        SessionCommand::Exec(options) => exec::exec(fleet, options).await,
        SessionCommand::Shell(options) => shell::shell(fleet, options).await,
        SessionCommand::Console(options) => console::console(fleet, options).await,
        SessionCommand::Logs(options) => logs::logs(fleet, options, out).await,
        SessionCommand::File(command) => file::run(fleet, command).await,
    }
}
