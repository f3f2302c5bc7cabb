//! `lxd network attach`, `detach`, `attach-profile` and `detach-profile`.

use std::process::ExitCode;

use crate::actions::devices;
use crate::actions::objects::{INSTANCE, Kind, Object, PROFILE};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::names::{Names, NetworkName};
use crate::cli::lxd::objects::usual::done;

/// The verbs by which instances and profiles get and lose interfaces.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AttachCommand {
    /// Gives an instance an interface in a network.
    Attach(Attach),
    /// Takes an interface in a network off an instance.
    Detach(Detach),
    /// Gives a profile an interface in a network.
    AttachProfile(Attach),
    /// Takes an interface in a network off a profile.
    DetachProfile(Detach),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Attach {
    #[command(flatten)]
    network: NetworkName,
    /// The instance or profile.
    #[arg(value_name = "INSTANCE|PROFILE")]
    to: String,
    /// The name of the device. Default: the network's.
    device: Option<String>,
    /// The name of the interface inside the instance.
    interface: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Detach {
    #[command(flatten)]
    network: NetworkName,
    /// The instance or profile.
    #[arg(value_name = "INSTANCE|PROFILE")]
    from: String,
    /// The name of the device. Default: the only one that is in the network.
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
    let Attach { network, to, device, interface } = options;
    let (client, name) = network.client(fleet).await?;
    let object = Object::new(&client, kind, &[to]);
    let device = device.as_deref().unwrap_or(name);
    done(network, async |job| {
        devices::attach_network(&client, name, &object, device, interface.as_deref(), job).await
    })
    .await
}

async fn detach(fleet: &Fleet, options: &Detach, kind: &'static Kind) -> anyhow::Result<ExitCode> {
    let Detach { network, from, device } = options;
    let (client, name) = network.client(fleet).await?;
    let object = Object::new(&client, kind, &[from]);
    done(network, async |job| devices::detach_network(name, &object, device.as_deref(), job).await).await
}
