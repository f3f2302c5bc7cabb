//! `lxd storage volume copy` and `move`.

use std::process::ExitCode;

use serde_json::json;

use crate::actions::copy::{VolumeWanted, copy_volume, move_volume};
use crate::actions::storage;
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::copies::options::{ModeArg, WAYS};
use crate::cli::lxd::copies::outcome::{Done, print_of};
use crate::cli::lxd::copies::place::place;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;
use crate::config::CloudConfig;

/// The verbs by which volumes go elsewhere.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CopyCommand {
    /// Copies a custom volume with its snapshots, or a snapshot; inside a cloud or to another one.
    #[command(visible_alias = "cp", after_long_help = WAYS)]
    Copy(Copy),
    /// Moves a custom volume to another pool, project or cloud.
    #[command(visible_alias = "mv", after_long_help = WAYS)]
    Move(Sides),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Copy {
    #[command(flatten)]
    sides: Sides,
    /// Without the snapshots.
    #[arg(long)]
    volume_only: bool,
    /// Bring a volume that is there up to date, by what differs.
    #[arg(long)]
    refresh: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sides {
    /// The volume, such as berlin:default/data; or a snapshot, such as berlin:default/data/snap0.
    #[arg(value_name = "[CLOUD:]POOL/VOLUME")]
    volume: String,
    /// Where it goes, such as paris:default/data.
    #[arg(value_name = "[CLOUD:]POOL/VOLUME")]
    to: String,
    /// Which way the bytes take between clouds.
    #[arg(long, value_enum, default_value = "auto")]
    mode: ModeArg,
    /// The project at the target, instead of the one that the configuration names for that cloud.
    #[arg(long, value_name = "NAME")]
    target_project: Option<String>,
    /// The member of the source's cluster that the volume is on.
    #[arg(long, value_name = "MEMBER")]
    target: Option<String>,
    /// The member of the target's cluster.
    #[arg(long, value_name = "MEMBER")]
    destination_target: Option<String>,
}

/// `POOL/VOLUME` or `POOL/VOLUME/SNAPSHOT` of a cloud.
fn volume<'a>(
    fleet: &'a Fleet,
    text: &'a str,
) -> anyhow::Result<(&'a CloudConfig, &'a str, &'a str, Option<&'a str>)> {
    let (cloud, path) = fleet.thing(text, "volume")?;
    let mut parts = path.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(pool), Some(volume), snapshot) if !pool.is_empty() && !volume.is_empty() => {
            Ok((cloud, pool, volume, snapshot))
        }
        _ => Err(usage(format!("{text:?} names no volume: write {}:POOL/VOLUME", cloud.name))),
    }
}

pub(super) async fn run(command: &CopyCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    let (sides, volume_only, refresh) = match command {
        CopyCommand::Copy(copy) => (&copy.sides, copy.volume_only, copy.refresh),
        CopyCommand::Move(sides) => (sides, false, false),
    };
    let moves = matches!(command, CopyCommand::Move(_));
    let (from_cloud, from_pool, name, snapshot) = volume(fleet, &sides.volume)?;
    let (to_cloud, pool, to_name, None) = volume(fleet, &sides.to)? else {
        return Err(usage(format!("{:?} is a snapshot", sides.to)));
    };
    let between = from_cloud.name != to_cloud.name;
    let project = sides.target_project.as_deref();
    let mut from = place(fleet, from_cloud, None, between).await?;
    if let Some(member) = &sides.target {
        from.client = from.client.target(member);
    }
    let to = place(fleet, to_cloud, project, between).await?;
    if let Some(snapshot) = snapshot {
        if moves || between || volume_only || refresh {
            let message =
                "a snapshot is only copied, inside a cloud, and into a volume that is not there yet";
            return Err(usage(message));
        }
        action::run(&sides.volume, async |job| {
            let source = [from_pool, name, snapshot];
            storage::copy_snapshot(&from.client, source, &to.client, &from.project, [pool, to_name], job)
                .await
        })
        .await?;
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = VolumeWanted {
        pool: pool.to_owned(),
        name: to_name.to_owned(),
        mode: sides.mode.into(),
        volume_only,
        refresh,
        member: sides.destination_target.clone(),
    };
    let copied = action::run(&sides.volume, async |job| match moves {
        true => move_volume(&from, from_pool, name, &to, &wanted, job).await,
        false => copy_volume(&from, from_pool, name, &to, &wanted, job).await.map(Some),
    })
    .await?;
    let done = match (&copied, moves) {
        (None, _) => Done::MovedThere,
        (Some(copied), true) => Done::Moved(copied),
        (Some(copied), false) => Done::Copied(copied),
    };
    let side = |place: &crate::actions::copy::Place, pool: &str, name: &str| {
        let value = json!({"cloud": place.cloud, "project": place.project, "pool": pool, "name": name});
        (value, format!("{}:{pool}/{name}", place.cloud))
    };
    let ((from_value, from_text), (to_value, to_text)) =
        (side(&from, from_pool, name), side(&to, pool, to_name));
    print_of(json!({"from": from_value, "to": to_value}), &from_text, &to_text, &done, out)
}
