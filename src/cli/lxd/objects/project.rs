//! `lxd project`.

use std::process::ExitCode;

use lxd_client::ProjectUsage;

use super::lists::{self, Clouds, Columns, column};
use super::names::{Names, ProjectName};
use super::usual::{self, Rename, Usual};
use crate::actions::objects::{Fields, PROJECT, setting};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::{Out, Table};

/// The verbs of projects. No project is the current one: a cloud's is in its configuration, and --project names another.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ProjectCommand {
    /// Lists the projects of all clouds.
    #[command(visible_alias = "ls")]
    List(Clouds),
    /// Shows how much a project uses, and how much it may use.
    Info(ProjectName),
    #[command(flatten)]
    Usual(Usual<ProjectName>),
    /// Creates a project, by the YAML on the standard input where that is no terminal.
    Create {
        #[command(flatten)]
        project: ProjectName,
        /// A setting of the new project.
        #[arg(short = 'c', long = "set", value_name = "KEY=VALUE")]
        settings: Vec<String>,
    },
    /// Gives a project another name.
    #[command(visible_alias = "mv")]
    Rename(Rename<ProjectName>),
}

const COLUMNS: &Columns = &[
    column::NAME,
    ("IMAGES", |project| has(project, "features.images")),
    ("PROFILES", |project| has(project, "features.profiles")),
    ("STORAGE VOLUMES", |project| has(project, "features.storage.volumes")),
    ("NETWORKS", |project| has(project, "features.networks")),
    column::DESCRIPTION,
    column::USED_BY,
];

fn has(project: &Fields, feature: &str) -> String {
    if setting(project, feature) == "true" { "YES".to_owned() } else { "NO".to_owned() }
}

pub(super) async fn run(command: &ProjectCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ProjectCommand::List(of) => lists::list(fleet, &PROJECT, of, COLUMNS, out).await,
        ProjectCommand::Info(project) => info(fleet, project, out).await,
        ProjectCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        ProjectCommand::Create { project, settings } => {
            usual::create_with(fleet, project, settings, []).await
        }
        ProjectCommand::Rename(rename) => usual::rename(fleet, rename).await,
    }
}

async fn info(fleet: &Fleet, project: &ProjectName, out: &Out) -> anyhow::Result<ExitCode> {
    let (client, name) = project.client(fleet).await?;
    let handle = client.project_named(name);
    let state = action::run(project.first(), async |job| job.run(handle.state()).await).await?;
    let mut table = Table::new(&["RESOURCE", "LIMIT", "USAGE"]);
    for (resource, ProjectUsage { limit, usage, .. }) in &state.resources {
        let shown = |count: i64| match resource.as_str() {
            "disk" | "memory" => words::bytes(u64::try_from(count).unwrap_or_default()),
            _ => count.to_string(),
        };
        let limit = if *limit < 0 { "UNLIMITED".to_owned() } else { shown(*limit) };
        table.row([resource.to_uppercase(), limit, shown(*usage)]);
    }
    out.list(&state.resources, &table, "no resources")?;
    Ok(ExitCode::SUCCESS)
}
