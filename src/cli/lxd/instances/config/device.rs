//! `lxd config device`.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::show::print;
use super::target::instance;
use crate::actions::instances::{DeviceChange, change_devices, expanded_devices, missing};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::instances::pairs::{pair, settings};
use crate::cli::output::Out;

/// The devices of an instance.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DeviceCommand {
    /// Adds a device.
    Add {
        /// The instance, such as berlin:c1.
        instance: String,
        /// The device's name.
        device: String,
        /// Its type, such as disk or nic.
        kind: String,
        /// Its settings.
        #[arg(value_name = "KEY=VALUE", value_parser = pair)]
        settings: Vec<(String, String)>,
    },
    /// Prints a setting of a device.
    Get {
        /// The instance, such as berlin:c1.
        instance: String,
        /// The device's name.
        device: String,
        /// The key.
        key: String,
    },
    /// Lists the devices that the instance has of its own.
    #[command(alias = "ls")]
    List {
        /// The instance, such as berlin:c1.
        instance: String,
    },
    /// Gives the instance a device of its own in place of the one of its profiles, with other settings.
    Override {
        /// The instance, such as berlin:c1.
        instance: String,
        /// The device's name.
        device: String,
        /// The other settings.
        #[arg(value_name = "KEY=VALUE", value_parser = pair)]
        settings: Vec<(String, String)>,
    },
    /// Removes devices.
    #[command(alias = "rm")]
    Remove {
        /// The instance, such as berlin:c1.
        instance: String,
        /// The devices' names.
        #[arg(required = true)]
        devices: Vec<String>,
    },
    /// Sets keys of a device.
    Set {
        /// The instance, such as berlin:c1.
        instance: String,
        /// The device's name.
        device: String,
        /// The settings: KEY=VALUE, several if you like, or KEY VALUE.
        #[arg(required = true, value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Shows the devices that the instance has of its own, with their settings.
    Show {
        /// The instance, such as berlin:c1.
        instance: String,
    },
    /// Unsets a key of a device.
    Unset {
        /// The instance, such as berlin:c1.
        instance: String,
        /// The device's name.
        device: String,
        /// The key.
        key: String,
    },
}

pub(super) async fn run(command: &DeviceCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    use DeviceCommand as C;
    match command {
        C::Add { instance, device, kind, settings } => {
            let settings = settings.iter().cloned().chain([("type".to_owned(), kind.clone())]).collect();
            let done = format!("Device {device} added to");
            change(fleet, instance, &DeviceChange::Add(device.clone(), settings), &done, out).await
        }
        C::Override { instance, device, settings } => {
            let settings = settings.iter().cloned().collect();
            let done = format!("Device {device} overridden for");
            change(fleet, instance, &DeviceChange::Override(device.clone(), settings), &done, out).await
        }
        C::Remove { instance, devices } => {
            let done = format!("Device {} removed from", devices.join(", "));
            change(fleet, instance, &DeviceChange::Remove(devices.clone()), &done, out).await
        }
        C::Set { instance, device, settings: words } => {
            let wanted = DeviceChange::Set(device.clone(), settings(words)?);
            change(fleet, instance, &wanted, "", out).await
        }
        C::Unset { instance, device, key } => {
            let wanted = DeviceChange::Set(device.clone(), [(key.clone(), String::new())].into());
            change(fleet, instance, &wanted, "", out).await
        }
        C::Get { instance: text, device, key } => {
            let (client, name) = instance(fleet, text).await?;
            let found = client.instance(name).get().await.with_context(|| text.clone())?;
            let settings = found
                .devices
                .get(device)
                .ok_or_else(|| missing(device, &expanded_devices(&found)))
                .with_context(|| text.clone())?;
            let value = settings.get(key);
            let shown = value.cloned().unwrap_or_default() + "\n";
            out.print(&json!({"device": device, "key": key, "value": value}), || shown)?;
            Ok(ExitCode::SUCCESS)
        }
        C::List { instance: text } => {
            let (client, name) = instance(fleet, text).await?;
            let found = client.instance(name).get().await.with_context(|| text.clone())?;
            let names: Vec<&str> = found.devices.keys().map(String::as_str).collect();
            out.print(&names, || names.join("\n") + "\n")?;
            Ok(ExitCode::SUCCESS)
        }
        C::Show { instance: text } => {
            let (client, name) = instance(fleet, text).await?;
            let found = client.instance(name).get().await.with_context(|| text.clone())?;
            print(out, &found.devices)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Makes the change, and says so in the words of `lxc`, if there are any.
async fn change(
    fleet: &Fleet,
    text: &str,
    wanted: &DeviceChange,
    done: &str,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let (client, name) = instance(fleet, text).await?;
    action::run(text, async |job| change_devices(&client, name, wanted, job).await).await?;
    if !done.is_empty() {
        out.print(&json!({"message": format!("{done} {name}")}), || format!("{done} {name}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}
