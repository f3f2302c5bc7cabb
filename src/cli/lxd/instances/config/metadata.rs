//! `lxd config metadata`.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::Versioned;
use serde_json::json;

use super::show::print;
use super::target::instance;
use crate::actions::instances::{Metadata, update_metadata};
use crate::cli::edit::edit;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

/// What an instance has from its image.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum MetadataCommand {
    /// Shows them.
    Show {
        /// The instance, such as berlin:c1.
        instance: String,
    },
    /// Edits them as YAML: in your editor, or from the standard input.
    Edit {
        /// The instance, such as berlin:c1.
        instance: String,
    },
}

const EXPLANATION: &str = "These are the metadata of an instance. A sample:

architecture: x86_64
creation_date: 1477146654
properties:
  os: Debian
  release: trixie
templates:
  /etc/hosts:
    when:
    - create
    - rename
    template: hosts.tpl";

pub(super) async fn run(command: &MetadataCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    let (MetadataCommand::Show { instance: text } | MetadataCommand::Edit { instance: text }) = command;
    let (client, name) = instance(fleet, text).await?;
    let read = async || {
        let mut found = client.instance(name).metadata().await.with_context(|| text.clone())?;
        // Servers have null for a map without anything in it.
        found.values_mut().filter(|value| value.is_null()).for_each(|value| *value = json!({}));
        anyhow::Ok(found)
    };
    match command {
        MetadataCommand::Show { .. } => print(out, &read().await?.value)?,
        MetadataCommand::Edit { .. } => {
            let write = async |before: &Versioned<Metadata>, after| {
                let update = async |job: &_| update_metadata(&client, name, Some(before), after, job).await;
                action::run(text, update).await
            };
            edit("instance's metadata", EXPLANATION, read, |found| found.value.clone(), write).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
