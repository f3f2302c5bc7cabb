//! `lxd network zone record`.

use std::process::ExitCode;

use serde_json::{Value, json};

use crate::actions::objects::{self, Fields, RECORD, text};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::lists::{self, Columns, column};
use crate::cli::lxd::objects::names::{Names, RecordName, ZoneName};
use crate::cli::lxd::objects::usual::{self, Create, Usual, done};
use crate::cli::output::Out;

/// The verbs of records.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RecordCommand {
    /// Lists the records of a zone.
    #[command(visible_alias = "ls")]
    List(ZoneName),
    #[command(flatten)]
    Usual(Usual<RecordName>),
    /// Creates a record, by the YAML on the standard input where that is no terminal.
    Create(Create<RecordName>),
    /// Works with the entries of a record.
    #[command(subcommand)]
    Entry(EntryCommand),
}

/// The verbs of a record's entries.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EntryCommand {
    /// Adds an entry to a record.
    Add {
        #[command(flatten)]
        entry: Entry,
        /// How long others may keep it, in seconds.
        #[arg(long, value_name = "SECONDS")]
        ttl: Option<u64>,
    },
    /// Removes an entry from a record.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        entry: Entry,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Entry {
    #[command(flatten)]
    record: RecordName,
    /// Its type, such as A or TXT.
    kind: String,
    /// Its value.
    value: String,
}

const COLUMNS: &Columns = &[column::NAME, column::DESCRIPTION, ("ENTRIES", entries)];

fn entries(record: &Fields) -> String {
    let entries = record.get("entries").and_then(Value::as_array).into_iter().flatten();
    let entry = |entry: &Value| {
        let entry = entry.as_object()?;
        Some(format!("{} {}", text(entry, "type"), text(entry, "value")))
    };
    entries.filter_map(entry).collect::<Vec<_>>().join("\n")
}

pub(super) async fn run(command: &RecordCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        RecordCommand::List(zone) => lists::list_in(fleet, &RECORD, zone, COLUMNS, out).await,
        RecordCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        RecordCommand::Create(create) => usual::create(fleet, create).await,
        RecordCommand::Entry(EntryCommand::Add { entry: Entry { record, kind, value }, ttl }) => {
            let object = record.object(fleet).await?;
            let mut entry = Fields::from_iter([
                ("type".to_owned(), kind.as_str().into()),
                ("value".to_owned(), value.as_str().into()),
            ]);
            if let Some(ttl) = ttl {
                entry.insert("ttl".to_owned(), json!(ttl));
            }
            done(record, async |job| objects::add_item(&object, "entries", entry, job).await).await
        }
        RecordCommand::Entry(EntryCommand::Remove { entry: Entry { record, kind, value } }) => {
            let object = record.object(fleet).await?;
            let fits = |entry: &Value| entry["type"] == *kind && entry["value"] == *value;
            done(record, async |job| {
                objects::remove_items(&object, "entries", "entries", false, fits, job).await
            })
            .await
        }
    }
}
