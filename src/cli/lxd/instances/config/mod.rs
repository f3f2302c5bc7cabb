//! `lxd config`: the settings of instances and of servers.

mod device;
mod edit;
mod keys;
mod metadata;
mod show;
mod target;
mod template;

use std::process::ExitCode;

use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::{Trust, trust};
use crate::cli::output::Out;

/// The settings of instances and of servers: berlin:c1 is an instance, berlin: the server itself.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ConfigCommand {
    /// Prints the value of a key.
    Get(keys::Get),
    /// Sets keys.
    Set(keys::Set),
    /// Unsets a key.
    Unset(keys::Unset),
    /// Shows all settings of an instance, a snapshot or a server.
    Show(show::Show),
    /// Edits them as YAML: in your editor, or from the standard input.
    Edit(edit::Edit),
    /// The devices of an instance.
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// What an instance has from its image.
    #[command(subcommand)]
    Metadata(metadata::MetadataCommand),
    /// The templates of files of an instance.
    #[command(subcommand)]
    Template(template::TemplateCommand),
    /// The same as `lxd trust`, under the name that `lxc` has for it.
    #[command(hide = true)]
    Trust(Trust),
}

pub(super) async fn run(command: &ConfigCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Get(options) => keys::get(fleet, options, out).await,
        ConfigCommand::Set(options) => keys::set(fleet, options).await,
        ConfigCommand::Unset(options) => keys::unset(fleet, options).await,
        ConfigCommand::Show(options) => show::show(fleet, options, out).await,
        ConfigCommand::Edit(options) => edit::run(fleet, options).await,
        ConfigCommand::Device(command) => device::run(command, fleet, out).await,
        ConfigCommand::Metadata(command) => metadata::run(command, fleet, out).await,
        ConfigCommand::Template(command) => template::run(command, fleet, out).await,
        ConfigCommand::Trust(options) => trust::run(options, fleet, out).await,
    }
}
