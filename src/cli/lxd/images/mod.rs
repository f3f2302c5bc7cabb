//! Images, and instances as files: `lxd image`, `publish`, `export` and `import`.

mod export;
mod image;
mod import;
mod publish;

use std::process::ExitCode;

pub(super) use import::source;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands for images and backups.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ImagesCommand {
    /// Works with images.
    #[command(subcommand)]
    Image(image::ImageCommand),
    /// Makes an image of an instance or a snapshot.
    Publish(publish::Publish),
    /// Makes a backup of an instance and fetches it into a file.
    Export(export::Export),
    /// Creates an instance from the file of a backup.
    Import(import::Import),
}

pub(super) async fn run(command: &ImagesCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ImagesCommand::Image(command) => image::run(command, fleet, out).await,
        ImagesCommand::Publish(options) => publish::publish(fleet, options, out).await,
        ImagesCommand::Export(options) => export::export(fleet, options, out).await,
        ImagesCommand::Import(options) => import::import(fleet, options, out).await,
    }
}

/// A file's name that is the standard input or output.
pub(super) const STANDARD: &str = "-";
