//! `lxd snapshot` and `restore`.

use std::process::ExitCode;

use lxd_client::NewSnapshot;
use serde_json::json;

use crate::actions::instances;
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Snapshot {
    /// The instance, such as berlin:c1; also berlin:c1/snap0.
    instance: String,
    /// The snapshot's name. Default: the server chooses one.
    name: Option<String>,
    /// With what runs in the instance.
    #[arg(long)]
    stateful: bool,
    /// For ever, whatever the instance's settings say.
    #[arg(long)]
    no_expiry: bool,
    /// In place of a snapshot of that name.
    #[arg(long)]
    reuse: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The instance, such as berlin:c1; also berlin:c1/snap0.
    instance: String,
    /// The snapshot.
    name: Option<String>,
    /// With what ran in the instance then.
    #[arg(long)]
    stateful: bool,
}

/// Never, as servers write it.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) async fn snapshot(fleet: &Fleet, options: &Snapshot, out: &Out) -> anyhow::Result<ExitCode> {
    let (cloud, target) = fleet.target(&options.instance)?;
    let (instance, name) = split(target, options.name.as_deref())?;
    if options.reuse && name.is_none() {
        return Err(usage("--reuse needs the name of the snapshot"));
    }
    let new = NewSnapshot {
        name: name.map(str::to_owned),
        stateful: options.stateful,
        expires_at: options.no_expiry.then(|| NEVER.to_owned()),
    };
    let client = fleet.client(cloud).await?;
    let made = action::run(&options.instance, async |job| {
        instances::snapshot(&client, instance, &new, options.reuse, job).await
    })
    .await?;
    // As with lxc, nothing is said of a name that was given.
    let told = name.is_none() && !made.is_empty();
    if told || out.format != crate::cli::output::Format::Table {
        let value = json!({"cloud": cloud.name, "instance": instance, "name": made});
        out.print(&value, || format!("{instance}/{made}\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(fleet: &Fleet, options: &Restore) -> anyhow::Result<ExitCode> {
    let (cloud, target) = fleet.target(&options.instance)?;
    let (instance, name) = split(target, options.name.as_deref())?;
    let name = name.ok_or_else(|| usage(format!("which snapshot of {}?", options.instance)))?;
    let client = fleet.client(cloud).await?;
    action::run(&options.instance, async |job| {
        instances::restore(&client, instance, name, options.stateful, job).await
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// The instance and the snapshot of `c1 snap0` and `c1/snap0`.
fn split<'a>(target: &'a str, name: Option<&'a str>) -> anyhow::Result<(&'a str, Option<&'a str>)> {
    match (target.split_once('/'), name) {
        (None, name) => Ok((target, name)),
        (Some((instance, snapshot)), None) => Ok((instance, Some(snapshot))),
        (Some((instance, snapshot)), Some(name)) if name == format!("{instance}/{snapshot}") => {
            Ok((instance, Some(snapshot)))
        }
        (Some(_), Some(_)) => Err(usage(format!("{target:?} names a snapshot already"))),
    }
}
