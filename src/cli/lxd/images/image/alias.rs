//! `lxd image alias`: the names of images.

use std::process::ExitCode;

use anyhow::Context;
use lxd_client::Alias;
use serde_json::{Value, json};

use super::{clouds_and_filters, image, info};
use crate::actions::{ActionError, Job};
use crate::cli::exit::Failure;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{Out, Table, report};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum AliasCommand {
    /// Lists the aliases of all clouds.
    #[command(alias = "ls")]
    List {
        /// The clouds, as berlin:, where it is not to be all; and parts of an alias or fingerprint.
        #[arg(value_name = "CLOUD:|FILTER")]
        what: Vec<String>,
    },
    /// Gives an image a name.
    Create {
        /// The name, such as berlin:debian.
        alias: String,
        /// The image's fingerprint, or the beginning of it.
        fingerprint: String,
        /// What it is, for people.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Takes a name away.
    #[command(alias = "rm")]
    Delete {
        /// The name.
        alias: String,
    },
    /// Gives a name another name.
    #[command(alias = "mv")]
    Rename {
        /// The name.
        alias: String,
        /// What it is called from then on.
        name: String,
    },
}

pub(super) async fn run(command: &AliasCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        AliasCommand::List { what } => return list(fleet, what, out).await,
        AliasCommand::Create { alias, fingerprint, description } => {
            let (_, client, name) = image(fleet, alias).await?;
            let mut new = Alias::new(name, fingerprint);
            new.description.clone_from(description);
            action::run(alias, async |job: &Job| job.run(client.create_image_alias(&new)).await).await?;
        }
        AliasCommand::Delete { alias } => {
            let (_, client, name) = image(fleet, alias).await?;
            let handle = client.image_alias(name);
            action::run(alias, async |job: &Job| job.run(handle.delete()).await.map_err(not_found)).await?;
        }
        AliasCommand::Rename { alias, name: new } => {
            let (_, client, name) = image(fleet, alias).await?;
            let handle = client.image_alias(name);
            action::run(alias, async |job: &Job| job.run(handle.rename(new)).await.map_err(not_found))
                .await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As `lxc` says it.
fn not_found(error: ActionError) -> ActionError {
    match error {
        ActionError::Cloud(error) if error.is_not_found() => {
            ActionError::NotFound("Image alias not found".to_owned())
        }
        error => error,
    }
}

async fn list(fleet: &Fleet, what: &[String], out: &Out) -> anyhow::Result<ExitCode> {
    let (names, filters) = clouds_and_filters(fleet, what)?;
    let clouds = fleet.clouds(&names)?;
    let answers = clouds.iter().map(async |cloud| {
        let aliases: Vec<Alias> = fleet.client(cloud).await?.image_aliases().await?;
        anyhow::Ok(aliases)
    });
    let answers = futures_util::future::join_all(answers).await;
    let mut values = Vec::new();
    let mut table = Table::new(&["CLOUD", "ALIAS", "FINGERPRINT", "TYPE", "DESCRIPTION"]);
    let mut first_failure = None;
    for (cloud, answer) in clouds.iter().zip(answers) {
        match answer.with_context(|| cloud.name.clone()) {
            Ok(mut aliases) => {
                aliases
                    .retain(|a| filters.iter().all(|part| a.name.contains(part) || a.target.contains(part)));
                aliases.sort_by(|a, b| a.name.cmp(&b.name));
                for alias in aliases {
                    let kind = alias.rest.get("type").and_then(Value::as_str).unwrap_or_default();
                    values.push(json!({
                        "cloud": cloud.name, "name": alias.name, "target": alias.target, "type": kind,
                        "description": alias.description,
                    }));
                    let short = info::short(&alias.target).to_owned();
                    table.row([
                        cloud.name.clone(),
                        alias.name,
                        short,
                        kind.to_uppercase(),
                        alias.description,
                    ]);
                }
            }
            // The others are shown all the same.
            Err(error) => {
                let failure = Failure::of(&error);
                report(&failure);
                first_failure.get_or_insert(failure.code);
            }
        }
    }
    if !values.is_empty() || first_failure.is_none() {
        out.list(&values, &table, "no aliases")?;
    }
    Ok(first_failure.map_or(ExitCode::SUCCESS, ExitCode::from))
}
