//! `lxd storage volume attach`, `detach`, `attach-profile` and `detach-profile`.

use std::process::ExitCode;

use super::custom;
use crate::actions::devices;
use crate::actions::objects::{INSTANCE, Kind, Object, PROFILE};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::names::{Names, VolumeName};
use crate::cli::lxd::objects::usual::done;

/// The verbs by which instances and profiles get and lose volumes.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AttachCommand {
    /// Gives an instance a custom volume.
    Attach(Attach),
    /// Takes a custom volume off an instance.
    Detach(Detach),
    /// Gives a profile a custom volume.
    AttachProfile(Attach),
    /// Takes a custom volume off a profile.
    DetachProfile(Detach),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    volume: VolumeName,
    /// The instance or profile.
    #[arg(value_name = "INSTANCE|PROFILE")]
    to: String,
    /// The name of the device (by default the volume's), and the path inside the instance, which a block volume has not.
    #[arg(num_args = 0..=2, value_names = ["DEVICE", "PATH"])]
    device_and_path: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Detach {
    #[command(flatten)]
    volume: VolumeName,
    /// The instance or profile.
    #[arg(value_name = "INSTANCE|PROFILE")]
    from: String,
    /// The name of the device. Default: the only one that is the volume.
    device: Option<String>,
}

pub(super) async fn run(command: &AttachCommand, fleet: &Fleet) -> anyhow::Result<ExitCode> {
    match command {
        AttachCommand::Attach(options) => attach(fleet, options, &INSTANCE).await,
        AttachCommand::AttachProfile(options) => attach(fleet, options, &PROFILE).await,
        AttachCommand::Detach(options) => detach(fleet, options, &INSTANCE).await,
        AttachCommand::DetachProfile(options) => detach(fleet, options, &PROFILE).await,
    }
}

async fn attach(fleet: &Fleet, options: &Attach, kind: &'static Kind) -> anyhow::Result<ExitCode> {
    let Attach { volume, to, device_and_path } = options;
    let name = custom(volume)?;
    let (device, path) = match &device_and_path[..] {
        [device, path, ..] => (device.as_str(), Some(path.as_str())),
        [path] if path.starts_with('/') => (name, Some(path.as_str())),
        [device] => (device.as_str(), None),
        [] => (name, None),
    };
    let (client, pool) = volume.client(fleet).await?;
    let object = Object::new(&client, kind, &[to]);
    done(volume, async |job| devices::attach_volume(&client, pool, name, &object, device, path, job).await)
        .await
}

async fn detach(fleet: &Fleet, options: &Detach, kind: &'static Kind) -> anyhow::Result<ExitCode> {
    let Detach { volume, from, device } = options;
    let name = custom(volume)?;
    let (client, pool) = volume.client(fleet).await?;
    let object = Object::new(&client, kind, &[from]);
    done(volume, async |job| devices::detach_volume(pool, name, &object, device.as_deref(), job).await).await
}
