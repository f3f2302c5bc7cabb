//! `lxd storage volume export` and `import`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::custom;
use crate::actions::Sink;
use crate::actions::backups::{self, BackupOptions};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::images::{STANDARD, source};
use crate::cli::lxd::objects::names::{Names, PoolName, VolumeName};
use crate::cli::output::{Out, report};

/// The verbs by which volumes become files, and files volumes.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum BackupCommand {
    /// Exports a custom volume with its snapshots to a file.
    Export(Export),
    /// Makes a custom volume of an exported file.
    Import(Import),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    #[command(flatten)]
    volume: VolumeName,
    /// The file, which is there when it is whole; - is the standard output.
    #[arg(default_value = "backup.tar.gz")]
    file: PathBuf,
    /// Leave out the snapshots.
    #[arg(long)]
    volume_only: bool,
    /// Use the storage driver's own format, which only a pool of that driver can read.
    #[arg(long)]
    optimized_storage: bool,
    /// Compress with this program there, such as gzip or zstd; none leaves it as it is.
    #[arg(long, value_name = "PROGRAM")]
    compression: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    #[command(flatten)]
    pool: PoolName,
    /// The file; - is the standard input.
    file: String,
    /// The name of the volume. Default: the one that it had.
    volume: Option<String>,
}

pub(super) async fn run(command: &BackupCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        BackupCommand::Export(options) => export(fleet, options, out).await,
        BackupCommand::Import(options) => import(fleet, options, out).await,
    }
}

async fn export(fleet: &Fleet, options: &Export, out: &Out) -> anyhow::Result<ExitCode> {
    let name = custom(&options.volume)?;
    let (client, pool) = options.volume.client(fleet).await?;
    let volume = client.storage_pool(pool).custom_volume(name);
    let backup = BackupOptions {
        without_snapshots: options.volume_only,
        optimized_storage: options.optimized_storage,
        compression: options.compression.clone(),
    };
    let to_standard = options.file == Path::new(STANDARD);
    let mut standard = tokio::io::stdout();
    let sink = if to_standard { Sink::Stream(&mut standard) } else { Sink::File(&options.file) };
    let done = action::run(options.volume.first(), async |job| {
        backups::export_volume(&volume, &backup, sink, job).await
    })
    .await?;
    for left in &done.left.0 {
        report(&format!("left behind: {left}"));
    }
    if !to_standard {
        let value = json!({"pool": pool, "name": name, "file": options.file, "bytes": done.bytes});
        out.print(&value, || "Backup exported successfully!\n".to_owned())?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn import(fleet: &Fleet, options: &Import, out: &Out) -> anyhow::Result<ExitCode> {
    let (client, pool) = options.pool.client(fleet).await?;
    let (handle, archive) = (client.storage_pool(pool), source(&options.file).await?);
    let name = action::run(options.pool.first(), async |job| {
        backups::import_volume(&handle, archive, options.volume.as_deref(), job).await
    })
    .await?;
    out.print(&json!({"pool": pool, "name": name}), || format!("Volume imported: {pool}/{name}\n"))?;
    Ok(ExitCode::SUCCESS)
}
