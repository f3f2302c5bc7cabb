//! `lxd profile device`.

use std::process::ExitCode;

use serde_json::Value;

use crate::actions::objects::{self, Fields, Settings};
use crate::cli::exit::UserError;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::instances::pairs::settings_or_input;
use crate::cli::lxd::objects::names::{Names, ProfileName};
use crate::cli::lxd::objects::usual::{done, get, show};
use crate::cli::output::Out;

/// The verbs of a profile's devices.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DeviceCommand {
    /// Lists the names of the devices.
    #[command(visible_alias = "ls")]
    List(ProfileName),
    /// Shows the devices, as YAML.
    Show(ProfileName),
    /// Adds a device.
    Add {
        #[command(flatten)]
        profile: ProfileName,
        /// The device's name.
        device: String,
        /// Its type, such as disk or nic.
        kind: String,
        /// Its settings.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Removes devices.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        profile: ProfileName,
        /// The devices' names.
        #[arg(required = true, value_name = "DEVICE")]
        devices: Vec<String>,
    },
    /// Prints the value of a device's setting.
    Get(Key),
    /// Changes a device's settings.
    Set {
        #[command(flatten)]
        profile: ProfileName,
        /// The device's name.
        device: String,
        /// The settings; an empty value removes one.
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Removes a device's setting.
    Unset(Key),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    #[command(flatten)]
    profile: ProfileName,
    /// The device's name.
    device: String,
    /// The key.
    key: String,
}

pub(super) async fn run(command: &DeviceCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        DeviceCommand::List(profile) => {
            let devices = devices(fleet, profile).await?;
            let names: Vec<&String> = devices.keys().collect();
            out.print(&names, || names.iter().map(|name| format!("{name}\n")).collect())?;
            Ok(ExitCode::SUCCESS)
        }
        DeviceCommand::Show(profile) => show(&devices(fleet, profile).await?, out),
        DeviceCommand::Add { profile, device, kind, settings: given } => {
            let object = profile.object(fleet).await?;
            let mut given = if given.is_empty() { Settings::new() } else { settings_or_input(given).await? };
            given.insert("type".to_owned(), kind.clone());
            done(profile, async |job| objects::add_device(&object, device, &given, job).await).await
        }
        DeviceCommand::Remove { profile, devices } => {
            let object = profile.object(fleet).await?;
            done(profile, async |job| objects::remove_devices(&object, devices, job).await).await
        }
        DeviceCommand::Get(Key { profile, device, key }) => {
            let devices = devices(fleet, profile).await?;
            let Some(device) = devices.get(device) else {
                let message = format!("{}: there is no device {device}", profile.first());
                return Err(UserError::new(5, message).into());
            };
            get(device.get(key), out)
        }
        DeviceCommand::Set { profile, device, settings: given } => {
            let (object, given) = (profile.object(fleet).await?, settings_or_input(given).await?);
            done(profile, async |job| objects::set_device(&object, device, &given, job).await).await
        }
        DeviceCommand::Unset(Key { profile, device, key }) => {
            let object = profile.object(fleet).await?;
            done(profile, async |job| objects::unset_device(&object, device, key, job).await).await
        }
    }
}

async fn devices(fleet: &Fleet, profile: &ProfileName) -> anyhow::Result<Fields> {
    let object = profile.object(fleet).await?;
    let mut fields = action::run(profile.first(), async |job| object.get(job).await).await?.value;
    Ok(match fields.remove("devices") {
        Some(Value::Object(devices)) => devices,
        _ => Fields::new(),
    })
}
