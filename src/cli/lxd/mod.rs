//! `lxd`: works with the instances of all configured clouds. The commands stand in groups, a folder for each.

mod action;
mod bars;
mod copies;
mod fleet;
mod images;
mod instances;
mod look;
mod objects;
mod sessions;
mod words;

use std::process::ExitCode;

use clap::{Command, Subcommand};

use self::fleet::Fleet;
pub(super) use self::fleet::named;
use super::output::{Out, be_quiet};
use crate::config::{CloudKind, Config};

/// The arguments of `lxd`.
#[derive(Debug, clap::Args)]
pub(crate) struct Lxd {
    /// Work in this project, instead of the one that is configured for a cloud.
    #[arg(long, value_name = "NAME", global = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) project: Option<String>,
    /// Show no progress.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    #[command(subcommand)]
    pub(crate) command: LxdCommand,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum LxdCommand {
    #[command(flatten)]
    Look(look::LookCommand),
    #[command(flatten)]
    Instance(instances::InstanceCommand),
    #[command(flatten)]
    Copy(copies::CopyCommand),
    #[command(flatten)]
    Session(sessions::SessionCommand),
    #[command(flatten)]
    Images(images::ImagesCommand),
    #[command(flatten)]
    Object(objects::ObjectCommand),
}

/// The commands under their headings, as the help lists them.
pub(super) fn groups() -> [(&'static str, Command); 6] {
    let none = || Command::new("");
    [
        ("Instances", instances::InstanceCommand::augment_subcommands(none())),
        ("Looking", look::LookCommand::augment_subcommands(none())),
        ("Copies", copies::CopyCommand::augment_subcommands(none())),
        ("Sessions", sessions::SessionCommand::augment_subcommands(none())),
        ("Images", images::ImagesCommand::augment_subcommands(none())),
        ("Objects", objects::ObjectCommand::augment_subcommands(none())),
    ]
}

pub(super) async fn run(command: &Lxd, mut config: Config, out: &Out) -> anyhow::Result<ExitCode> {
    if command.quiet {
        be_quiet();
    }
    if let Some(project) = &command.project {
        let with_api = config.clouds.iter_mut().filter(|cloud| cloud.kind != CloudKind::Tcp);
        with_api.for_each(|cloud| cloud.project = Some(project.clone()));
    }
    let fleet = Fleet::new(config);
    let outcome = match &command.command {
        LxdCommand::Look(command) => look::run(command, &fleet, out).await,
        LxdCommand::Instance(command) => instances::run(command, &fleet, out).await,
        LxdCommand::Copy(command) => copies::run(command, &fleet, out).await,
        LxdCommand::Session(command) => sessions::run(command, &fleet, out).await,
        LxdCommand::Images(command) => images::run(command, &fleet, out).await,
        LxdCommand::Object(command) => objects::run(command, &fleet, out).await,
    };
    let outcome = match outcome {
        Err(error) => Err(fleet.explain(error).await),
        outcome => outcome,
    };
    fleet.close().await;
    outcome
}
