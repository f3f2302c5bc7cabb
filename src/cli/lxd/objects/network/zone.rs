//! `lxd network zone`.

use std::process::ExitCode;

use super::record;
use crate::actions::objects::ZONE;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::lists::{self, Columns, Projects, column};
use crate::cli::lxd::objects::names::ZoneName;
use crate::cli::lxd::objects::usual::{self, Create, Usual};
use crate::cli::output::Out;

/// The verbs of zones.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ZoneCommand {
    /// Lists the zones of all clouds.
    #[command(visible_alias = "ls")]
    List(Projects),
    #[command(flatten)]
    Usual(Usual<ZoneName>),
    /// Creates a zone, by the YAML on the standard input where that is no terminal.
    Create(Create<ZoneName>),
    /// Works with the records of a zone.
    #[command(subcommand)]
    Record(record::RecordCommand),
}

const COLUMNS: &Columns = &[column::NAME, column::DESCRIPTION, column::USED_BY];

pub(super) async fn run(command: &ZoneCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ZoneCommand::List(of) => lists::list_in_projects(fleet, &ZONE, of, COLUMNS, out).await,
        ZoneCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        ZoneCommand::Create(create) => usual::create(fleet, create).await,
        ZoneCommand::Record(command) => record::run(command, fleet, out).await,
    }
}
