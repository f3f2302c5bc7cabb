//! `lxd warning`: what the servers warn their administrators of.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::{Warning, WarningHandle};

use super::across;
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::words;
use crate::cli::output::{Out, Table};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum WarningCommand {
    /// Lists the warnings that nobody has acknowledged.
    #[command(alias = "ls")]
    List(List),
    /// Shows a warning.
    Show {
        /// Which, CLOUD:UUID.
        warning: String,
    },
    /// Says that somebody has seen a warning.
    #[command(visible_alias = "ack")]
    Acknowledge {
        /// Which, CLOUD:UUID.
        warning: String,
    },
    /// Deletes a warning.
    #[command(alias = "rm")]
    Delete {
        /// Which, CLOUD:UUID; with --all the cloud, which may be left out where there is a single one.
        #[arg(required_unless_present = "all")]
        warning: Option<String>,
        /// All warnings of the cloud.
        #[arg(short, long)]
        all: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Of which clouds. Default: all.
    #[arg(value_name = "CLOUD")]
    clouds: Vec<String>,
    /// All of them.
    #[arg(short, long)]
    all: bool,
    /// The columns, a letter for each: r cloud, u UUID, t type, S status, s severity, c count, p project, l last seen, f first
    /// seen, L cluster member.
    #[arg(short, long, default_value = "rutSscpl")]
    columns: String,
}

type Cell = fn(&str, &Warning) -> String;

/// The letter, the head and the cell of each column.
const COLUMNS: [(char, &str, Cell); 10] = [
    ('r', "CLOUD", |cloud, _| cloud.to_owned()),
    ('u', "UUID", |_, warning| warning.uuid.clone()),
    ('t', "TYPE", |_, warning| warning.kind.clone()),
    ('S', "STATUS", |_, warning| warning.status.to_uppercase()),
    ('s', "SEVERITY", |_, warning| warning.severity.to_uppercase()),
    ('c', "COUNT", |_, warning| warning.count.to_string()),
    ('p', "PROJECT", |_, warning| warning.project.clone()),
    ('l', "LAST SEEN", |_, warning| words::long_minute(&warning.last_seen_at)),
    ('f', "FIRST SEEN", |_, warning| words::long_minute(&warning.first_seen_at)),
    ('L', "LOCATION", |_, warning| warning.location.clone()),
];

pub(super) async fn run(command: &WarningCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        WarningCommand::List(options) => return list(fleet, options, out).await,
        WarningCommand::Show { warning } => {
            let warning = handle(fleet, warning).await?.get().await.with_context(|| warning.clone())?.value;
            out.print(&warning, || crate::config::to_text(&warning))?;
        }
        WarningCommand::Acknowledge { warning } => {
            handle(fleet, warning).await?.acknowledge().await.with_context(|| warning.clone())?;
        }
        WarningCommand::Delete { warning, all: true } => {
            let (cloud, uuid) = fleet.place(warning.as_deref().unwrap_or_default())?;
            if !uuid.is_empty() {
                return Err(usage(format!("--all is about a cloud: write {}:", cloud.name)));
            }
            let client = fleet.client(cloud).await?;
            let warnings = client.warnings().await.with_context(|| cloud.name.clone())?;
            for warning in warnings {
                client.warning(&warning.uuid).delete().await.with_context(|| warning.uuid.clone())?;
            }
        }
        WarningCommand::Delete { warning, all: false } => {
            let warning = warning.as_deref().unwrap_or_default();
            handle(fleet, warning).await?.delete().await.with_context(|| warning.to_owned())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn handle(fleet: &Fleet, text: &str) -> anyhow::Result<WarningHandle> {
    let (cloud, uuid) = fleet.thing(text, "warning")?;
    Ok(fleet.client(cloud).await?.warning(uuid))
}

async fn list(fleet: &Fleet, options: &List, out: &Out) -> anyhow::Result<ExitCode> {
    let letters = options.columns.chars().filter(|letter| *letter != ',');
    let columns: Vec<(&str, Cell)> = letters
        .map(|letter| {
            let known = COLUMNS.iter().find(|(known, ..)| *known == letter);
            let (_, head, cell) = known
                .ok_or_else(|| usage(format!("{letter:?} in --columns {} is no column", options.columns)))?;
            Ok((*head, *cell))
        })
        .collect::<anyhow::Result<_>>()?;
    let (answers, failures) =
        across::ask(fleet, &options.clouds, async |client| Ok(client.warnings().await?)).await?;
    let mut table = Table::new(&columns.iter().map(|(head, _)| *head).collect::<Vec<_>>());
    let mut values = Vec::new();
    for (cloud, warnings) in &answers {
        let mut shown: Vec<&Warning> =
            warnings.iter().filter(|warning| options.all || warning.status == "new").collect();
        shown.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        for warning in shown {
            values.push(across::of_cloud(cloud, warning)?);
            table.row(columns.iter().map(|(_, cell)| cell(cloud, warning)));
        }
    }
    Ok(across::print(out, &values, &table, "no warnings", &failures)?)
}
