//! Lists: of all clouds at once, or of what belongs to one thing.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::Client;

use super::names::Names;
use crate::actions::objects::{self, Fields, Kind, text};
use crate::actions::{ActionError, Job};
use crate::cli::exit::Failure;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, Table, report};
use crate::config::CloudConfig;

/// The columns of a table.
pub(super) type Columns = [Column];

/// The head of a column, and what stands in it.
pub(super) type Column = (&'static str, fn(&Fields) -> String);

/// The clouds of a list.
#[derive(Debug, clap::Args)]
pub(crate) struct Clouds {
    /// Of which clouds. Default: all.
    pub(super) clouds: Vec<String>,
}

/// The clouds of a list of things that belong to projects.
#[derive(Debug, clap::Args)]
pub(crate) struct Projects {
    /// Of which clouds. Default: all.
    pub(super) clouds: Vec<String>,
    /// Of all projects.
    #[arg(long)]
    pub(super) all_projects: bool,
}

/// Lists the things of a kind that every server has.
pub(super) async fn list(
    fleet: &Fleet,
    kind: &'static Kind,
    clouds: &Clouds,
    columns: &Columns,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let fetch = async |client: Client| objects::list(&client, kind, &[], &Job::new()).await;
    list_by(fleet, &clouds.clouds, kind, columns, fetch, out).await
}

/// Lists the things of a kind that projects have.
pub(super) async fn list_in_projects(
    fleet: &Fleet,
    kind: &'static Kind,
    projects: &Projects,
    columns: &Columns,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    list_in_projects_where(fleet, kind, projects, columns, |_| true, out).await
}

/// The same of those that are to be shown.
pub(super) async fn list_in_projects_where(
    fleet: &Fleet,
    kind: &'static Kind,
    projects: &Projects,
    columns: &Columns,
    shown: fn(&Fields) -> bool,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let job = Job::new();
    let one = async |client: Client| {
        let all = objects::list(&client, kind, &[], &job).await?;
        Ok(all.into_iter().filter(shown).collect())
    };
    if !projects.all_projects {
        return list_by(fleet, &projects.clouds, kind, columns, one, out).await;
    }
    let fetch = async |client: Client| objects::list_of_all_projects(&client, kind, one, &job).await;
    list_by(fleet, &projects.clouds, kind, &with_project(columns), fetch, out).await
}

/// The columns with the project before them.
pub(super) fn with_project(columns: &Columns) -> Vec<Column> {
    let mut all: Vec<Column> = vec![("PROJECT", |thing| text(thing, "project").to_owned())];
    all.extend(columns);
    all
}

/// Lists what `fetch` finds in each cloud. One that fails does not hide the others: its error is reported, and decides the
/// exit code.
pub(super) async fn list_by(
    fleet: &Fleet,
    names: &[String],
    kind: &Kind,
    columns: &Columns,
    fetch: impl AsyncFn(Client) -> Result<Vec<Fields>, ActionError>,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let clouds = fleet.clouds(names)?;
    let answers = clouds.iter().map(async |&cloud| {
        let client = fleet.client(cloud).await?;
        anyhow::Ok(fetch(client).await?)
    });
    let answers = futures_util::future::join_all(answers).await;
    let mut listing = Listing::new(columns);
    let mut first_failure = None;
    for (cloud, answer) in clouds.iter().zip(answers) {
        match answer.with_context(|| cloud.name.clone()) {
            Ok(things) => listing.add(cloud, things),
            Err(error) => {
                let failure = Failure::of(&error);
                report(&failure);
                first_failure.get_or_insert(failure.code);
            }
        }
    }
    if !listing.is_empty() || first_failure.is_none() {
        listing.print(kind.many, out)?;
    }
    Ok(first_failure.map_or(ExitCode::SUCCESS, ExitCode::from))
}

/// Lists the things of a kind that belong to one thing, such as the forwards of a network.
pub(super) async fn list_in(
    fleet: &Fleet,
    kind: &'static Kind,
    of: &impl Names,
    columns: &Columns,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let (client, first) = of.client(fleet).await?;
    let names = of.names(first);
    let things = action::run(of.first(), async |job| objects::list(&client, kind, &names, job).await).await?;
    list_of(fleet, of, things, kind.many, columns, out)
}

/// Prints a list of what belongs to one thing.
pub(super) fn list_of(
    fleet: &Fleet,
    of: &impl Names,
    things: Vec<Fields>,
    many: &str,
    columns: &Columns,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let (cloud, _) = fleet.thing(of.first(), of.kind().one)?;
    let mut listing = Listing::new(columns);
    listing.add(cloud, things);
    listing.print(many, out)?;
    Ok(ExitCode::SUCCESS)
}

/// The rows of a list.
struct Listing<'a> {
    columns: &'a Columns,
    rows: Vec<Vec<String>>,
    values: Vec<Fields>,
}

impl Listing<'_> {
    fn new(columns: &Columns) -> Listing<'_> {
        Listing { columns, rows: Vec::new(), values: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds the things of a cloud, in the order of their rows.
    fn add(&mut self, cloud: &CloudConfig, things: Vec<Fields>) {
        let mut rows: Vec<(Vec<String>, Fields)> = things
            .into_iter()
            .map(|mut thing| {
                let cells = self.columns.iter().map(|(_, cell)| cell(&thing));
                let row = std::iter::once(cloud.name.clone()).chain(cells).collect();
                thing.insert("cloud".to_owned(), cloud.name.clone().into());
                (row, thing)
            })
            .collect();
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (row, thing) in rows {
            self.rows.push(row);
            self.values.push(thing);
        }
    }

    fn print(self, many: &str, out: &Out) -> std::io::Result<()> {
        let heads: Vec<&str> =
            std::iter::once("CLOUD").chain(self.columns.iter().map(|(head, _)| *head)).collect();
        let mut table = Table::new(&heads);
        self.rows.into_iter().for_each(|row| table.row(row));
        out.list(&self.values, &table, &format!("no {many}"))
    }
}

/// Columns that many lists have.
pub(super) mod column {
    use super::*;

    pub(crate) const NAME: Column = ("NAME", |thing| text(thing, "name").to_owned());
    pub(crate) const DESCRIPTION: Column = ("DESCRIPTION", |thing| text(thing, "description").to_owned());
    pub(crate) const USED_BY: Column = ("USED BY", |thing| objects::count(thing, "used_by").to_string());
    pub(crate) const STATE: Column = ("STATE", |thing| text(thing, "status").to_uppercase());
}
