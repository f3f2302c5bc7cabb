//! `lxd storage volume`.

mod attach;
mod backup;
mod copy;
mod info;
mod list;

use std::process::ExitCode;

use crate::actions::storage::{self, NewVolumeSnapshot};
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::names::{Names, VolumeName, volume_parts};
use crate::cli::lxd::objects::usual::{self, Usual, done};
use crate::cli::output::Out;

/// The verbs of volumes.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum VolumeCommand {
    /// Lists the volumes of a pool; without one, of all pools of all clouds.
    #[command(visible_alias = "ls")]
    List(list::List),
    /// Shows how a volume is right now, and its snapshots.
    Info(VolumeName),
    #[command(flatten)]
    Usual(Usual<VolumeName>),
    /// Creates a custom volume, by the YAML on the standard input where that is no terminal.
    Create {
        #[command(flatten)]
        volume: VolumeName,
        /// Settings, such as size=10GiB.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
        /// What is in it: filesystem or block.
        #[arg(long = "type", value_name = "TYPE", default_value = "filesystem")]
        content: String,
    },
    /// Gives a volume or a snapshot another name.
    Rename {
        #[command(flatten)]
        volume: VolumeName,
        /// The new name: data, or data/snap0 for a snapshot.
        new_name: String,
    },
    #[command(flatten)]
    Attach(attach::AttachCommand),
    /// Makes a snapshot of a custom volume.
    Snapshot {
        #[command(flatten)]
        volume: VolumeName,
        /// Its name. Default: the server chooses one.
        snapshot: Option<String>,
        /// It stays, whatever the volume's settings say.
        #[arg(long)]
        no_expiry: bool,
        /// Replace the snapshot that has this name.
        #[arg(long, requires = "snapshot")]
        reuse: bool,
    },
    /// Brings a custom volume back to a snapshot.
    Restore {
        #[command(flatten)]
        volume: VolumeName,
        /// The snapshot.
        snapshot: String,
    },
    #[command(flatten)]
    Copy(copy::CopyCommand),
    #[command(flatten)]
    Backup(backup::BackupCommand),
}

pub(super) async fn run(command: &VolumeCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        VolumeCommand::List(options) => list::list(fleet, options, out).await,
        VolumeCommand::Info(volume) => info::info(fleet, volume, out).await,
        VolumeCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        VolumeCommand::Create { volume, settings, content } => {
            custom(volume)?;
            usual::create_with(fleet, volume, settings, [("content_type", Some(content))]).await
        }
        VolumeCommand::Rename { volume, new_name } => {
            let object = volume.object(fleet).await?;
            let new_name = renamed(volume, new_name)?;
            done(volume, async |job| object.rename(new_name, job).await).await
        }
        VolumeCommand::Copy(command) => copy::run(command, fleet, out).await,
        VolumeCommand::Backup(command) => backup::run(command, fleet, out).await,
        VolumeCommand::Attach(command) => attach::run(command, fleet).await,
        VolumeCommand::Snapshot { volume, snapshot, no_expiry, reuse } => {
            let name = custom(volume)?;
            let (client, pool) = volume.client(fleet).await?;
            let new = NewVolumeSnapshot { name: snapshot.clone(), no_expiry: *no_expiry, reuse: *reuse };
            done(volume, async |job| storage::snapshot(&client, pool, name, &new, job).await).await
        }
        VolumeCommand::Restore { volume, snapshot } => {
            let name = custom(volume)?;
            let (client, pool) = volume.client(fleet).await?;
            done(volume, async |job| storage::restore(&client, pool, name, snapshot, job).await).await
        }
    }
}

/// The name of a custom volume, for what works with those only.
fn custom(volume: &VolumeName) -> anyhow::Result<&str> {
    match volume.parts() {
        ("custom", name, None) => Ok(name),
        _ => Err(usage(format!("{:?} is no custom volume", volume.text()))),
    }
}

/// The new name of a volume or a snapshot, which stays with its volume.
fn renamed<'a>(volume: &VolumeName, new: &'a str) -> anyhow::Result<&'a str> {
    let ((_, old, snapshot), (_, new_volume, new_snapshot)) = (volume.parts(), volume_parts(new));
    match (snapshot, new_snapshot) {
        (None, None) => Ok(new_volume),
        (Some(_), Some(new_snapshot)) if new_volume == old => Ok(new_snapshot),
        (Some(_), None) => Ok(new_volume),
        _ => Err(usage(format!("{new:?} is no new name for {:?}", volume.text()))),
    }
}
