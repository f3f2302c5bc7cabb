//! `lxd delete`: deletes instances and snapshots.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::actions::instances;
use crate::cli::exit::UserError;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::one_line;
use crate::node::blocking;

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The instances and snapshots, such as berlin:c1 and berlin:c1/snap0.
    #[arg(required = true)]
    instances: Vec<String>,
    /// Instances that run too: they are stopped first.
    #[arg(short, long)]
    force: bool,
    /// Ask before each; nothing is deleted unless all answers are yes.
    #[arg(short, long)]
    interactive: bool,
}

pub(super) async fn delete(fleet: &Fleet, options: &Delete) -> anyhow::Result<ExitCode> {
    let mut targets = Vec::new();
    for text in &options.instances {
        let (cloud, name) = fleet.target(text)?;
        targets.push((text.clone(), (fleet.client(cloud).await?, name)));
    }
    if options.interactive {
        for (text, _) in &targets {
            confirm(text).await?;
        }
    }
    action::run_for_all(targets, async |(client, name), job| match name.split_once('/') {
        Some((instance, snapshot)) => instances::delete_snapshot(client, instance, snapshot, job).await,
        None => instances::delete(client, name, options.force, job).await,
    })
    .await
}

/// Asks whether this is to be removed.
async fn confirm(what: &str) -> anyhow::Result<()> {
    let question = format!("Remove {} (yes/no): ", one_line(what));
    let answer = blocking(move || {
        io::stdout().write_all(question.as_bytes())?;
        io::stdout().flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer).map(|_| answer)
    })
    .await?;
    if answer.trim().eq_ignore_ascii_case("yes") {
        return Ok(());
    }
    Err(UserError::new(1, "User aborted delete operation").into())
}
