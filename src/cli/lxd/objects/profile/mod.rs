//! `lxd profile`.

mod device;

use std::process::ExitCode;

use super::lists::{self, Columns, Projects, column};
use super::names::{InstanceName, Names, ProfileName};
use super::usual::{self, Create, Rename, Usual, done};
use crate::actions::objects::PROFILE;
use crate::actions::{instances, profiles};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

/// The verbs of profiles.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ProfileCommand {
    /// Lists the profiles of all clouds.
    #[command(visible_alias = "ls")]
    List(Projects),
    #[command(flatten)]
    Usual(Usual<ProfileName>),
    /// Creates a profile, by the YAML on the standard input where that is no terminal.
    Create(Create<ProfileName>),
    /// Gives a profile another name.
    #[command(visible_alias = "mv")]
    Rename(Rename<ProfileName>),
    /// Copies a profile, also into another cloud or project.
    #[command(visible_alias = "cp")]
    Copy {
        /// The profile, such as berlin:web.
        profile: String,
        /// Its copy, such as paris:web; paris: keeps the name.
        copy: String,
        /// Into this project of the destination.
        #[arg(long, value_name = "NAME")]
        target_project: Option<String>,
    },
    /// Gives an instance these profiles, in place of those that it has.
    #[command(visible_alias = "apply")]
    Assign {
        #[command(flatten)]
        instance: InstanceName,
        /// The profiles, such as default,web; '' for none.
        profiles: String,
    },
    /// Adds a profile to an instance.
    Add {
        #[command(flatten)]
        instance: InstanceName,
        /// The profile.
        profile: String,
    },
    /// Takes a profile off an instance.
    Remove {
        #[command(flatten)]
        instance: InstanceName,
        /// The profile.
        profile: String,
    },
    /// The devices of a profile.
    #[command(subcommand)]
    Device(device::DeviceCommand),
}

const COLUMNS: &Columns = &[column::NAME, column::DESCRIPTION, column::USED_BY];

pub(super) async fn run(command: &ProfileCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ProfileCommand::List(of) => lists::list_in_projects(fleet, &PROFILE, of, COLUMNS, out).await,
        ProfileCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        ProfileCommand::Create(create) => usual::create(fleet, create).await,
        ProfileCommand::Rename(rename) => usual::rename(fleet, rename).await,
        ProfileCommand::Copy { profile, copy: to, target_project } => {
            copy(fleet, profile, to, target_project.as_deref()).await
        }
        ProfileCommand::Assign { instance, profiles } => {
            let (client, name) = instance.client(fleet).await?;
            let profiles: Vec<String> =
                profiles.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
            done(instance, async |job| instances::profiles::assign(&client, name, &profiles, job).await).await
        }
        ProfileCommand::Add { instance, profile } => {
            let (client, name) = instance.client(fleet).await?;
            done(instance, async |job| instances::profiles::add(&client, name, profile, job).await).await
        }
        ProfileCommand::Remove { instance, profile } => {
            let (client, name) = instance.client(fleet).await?;
            done(instance, async |job| instances::profiles::remove(&client, name, profile, job).await).await
        }
        ProfileCommand::Device(command) => device::run(command, fleet, out).await,
    }
}

async fn copy(
    fleet: &Fleet,
    source: &str,
    destination: &str,
    project: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let (from, name) = fleet.thing(source, PROFILE.one)?;
    let named =
        if destination.ends_with(':') { format!("{destination}{name}") } else { destination.to_owned() };
    let (to, copy) = fleet.thing(&named, PROFILE.one)?;
    let (from, to) = (fleet.client(from).await?, fleet.client(to).await?);
    let to = project.map(|project| to.project(project)).unwrap_or(to);
    action::run(destination, async |job| profiles::copy(&from, name, &to, copy, job).await).await?;
    Ok(ExitCode::SUCCESS)
}
