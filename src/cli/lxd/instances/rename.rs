//! `lxd rename`: gives instances and snapshots other names.

use std::process::ExitCode;

use crate::actions::instances;
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Rename {
    /// The instance or snapshot, such as berlin:c1 or berlin:c1/snap0.
    from: String,
    /// Its new name, in the same cloud: c2 or berlin:c2; of a snapshot c1/snap1.
    to: String,
}

pub(super) async fn rename(fleet: &Fleet, options: &Rename) -> anyhow::Result<ExitCode> {
    let (cloud, from) = fleet.target(&options.from)?;
    let to = match options.to.split_once(':') {
        None => options.to.as_str(),
        Some((of, to)) if of == cloud.name => to,
        Some(_) => {
            return Err(usage("an instance is renamed within its cloud: `lxd move` moves it to another one"));
        }
    };
    let new = new_name(from, to)?;
    let client = fleet.client(cloud).await?;
    action::run(&options.from, async |job| match from.split_once('/') {
        Some((instance, snapshot)) => instances::rename_snapshot(&client, instance, snapshot, new, job).await,
        None => instances::rename(&client, from, new, job).await,
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// The new name of the instance, or of the snapshot alone.
fn new_name<'a>(from: &str, to: &'a str) -> anyhow::Result<&'a str> {
    match (from.split_once('/'), to.split_once('/')) {
        (None, None) if !to.is_empty() => Ok(to),
        (Some((instance, _)), Some((of, new))) if instance == of && !new.is_empty() => Ok(new),
        (Some((instance, _)), _) => {
            Err(usage(format!("a snapshot stays with its instance: write {instance}/NAME")))
        }
        (None, _) => Err(usage(format!("{to:?} is no name of an instance"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_stays_with_its_instance() {
        assert_eq!(new_name("a", "b").unwrap(), "b");
        assert_eq!(new_name("a/s", "a/t").unwrap(), "t");
        for (from, to) in [("a", "b/s"), ("a", ""), ("a/s", "t"), ("a/s", "b/t"), ("a/s", "a/")] {
            new_name(from, to).unwrap_err();
        }
    }
}
