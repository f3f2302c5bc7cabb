//! `lxd export`: an instance as a file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;

use super::STANDARD;
use crate::actions::Sink;
use crate::actions::backups::{self, BackupOptions};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, report};

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The instance, such as berlin:c1.
    instance: String,
    /// The file, which is there when it is whole; - is the standard output.
    #[arg(default_value = "backup.tar.gz")]
    file: PathBuf,
    /// Leave out the snapshots.
    #[arg(long)]
    instance_only: bool,
    /// Use the storage driver's own format, which only a pool of that driver can read.
    #[arg(long)]
    optimized_storage: bool,
    /// Compress with this program there, such as gzip or zstd; none leaves it as it is.
    #[arg(long, value_name = "PROGRAM")]
    compression: Option<String>,
}

pub(super) async fn export(fleet: &Fleet, options: &Export, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, name) = fleet.target(&options.instance)?;
    let client = fleet.client(cloud).await?;
    let backup = BackupOptions {
        without_snapshots: options.instance_only,
        optimized_storage: options.optimized_storage,
        compression: options.compression.clone(),
    };
    let to_standard = options.file == Path::new(STANDARD);
    let mut standard = tokio::io::stdout();
    let sink = if to_standard { Sink::Stream(&mut standard) } else { Sink::File(&options.file) };
    let done = action::run(&options.instance, async |job| {
        backups::export_instance(&client, name, &backup, sink, job).await
    });
    let done = done.await?;
    for left in &done.left.0 {
        report(&format!("left behind: {left}"));
    }
    if !to_standard {
        let value = json!({"cloud": cloud.name, "name": name, "file": options.file, "bytes": done.bytes});
        out.print(&value, || "Backup exported successfully!\n".to_owned())?;
    }
    Ok(ExitCode::SUCCESS)
}
