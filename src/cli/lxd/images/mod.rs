//! Images, and instances as files: `lxd image`, `publish`, `export` and `import`.

mod export;
mod import;

use std::process::ExitCode;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands for images and backups.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ImagesCommand {
    /// Makes a backup of an instance and fetches it into a file.
    Export(export::Export),
    /// Creates an instance from the file of a backup.
    Import(import::Import),
}

pub(super) async fn run(command: &ImagesCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ImagesCommand::Export(options) => export::export(fleet, options, out).await,
        ImagesCommand::Import(options) => import::import(fleet, options, out).await,
    }
}

/// A file's name that is the standard input or output.
const STANDARD: &str = "-";
