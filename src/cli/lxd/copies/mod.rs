//! Copies and moves, inside a cloud and between clouds: `lxd copy` and `move`.

mod copy;
mod r#move;
pub(super) mod options;
pub(super) mod outcome;
pub(super) mod place;

use std::process::ExitCode;

pub(super) use options::{ModeArg, WAYS};
pub(super) use place::place;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands that copy and move instances.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CopyCommand {
    /// Copies an instance or a snapshot, inside a cloud or to another one.
    #[command(alias = "cp", after_long_help = options::WAYS)]
    Copy(copy::Copy),
    /// Moves an instance inside a cloud or to another one, or gives an instance or a snapshot another name.
    #[command(alias = "mv", after_long_help = options::WAYS)]
    Move(r#move::Move),
}

pub(super) async fn run(command: &CopyCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        CopyCommand::Copy(options) => copy::copy(fleet, options, out).await,
        CopyCommand::Move(options) => r#move::r#move(fleet, options, out).await,
    }
}
