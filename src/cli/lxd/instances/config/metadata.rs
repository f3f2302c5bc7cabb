//! `lxd config metadata`.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;

use super::show::print;
use super::target::instance;
use crate::actions::instances::update_metadata;
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
    let mut before = client.instance(name).metadata().await.with_context(|| text.clone())?;
    // Servers have null for a map without anything in it.
    before.values_mut().filter(|value| value.is_null()).for_each(|value| *value = json!({}));
    match command {
        MetadataCommand::Show { .. } => print(out, &before.value)?,
        MetadataCommand::Edit { .. } => {
            if let Some(after) = edit("instance's metadata", EXPLANATION, &before.value).await? {
                let update = async |job: &_| update_metadata(&client, name, Some(&before), after, job).await;
                action::run(text, update).await?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
