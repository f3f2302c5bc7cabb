//! `lxd copy`.

use std::process::ExitCode;

use super::options::Options;
use super::outcome::{Done, print};
use super::place::sides;
use crate::actions::copy;
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

#[derive(Debug, clap::Args)]
pub(crate) struct Copy {
    /// The instance or the snapshot, such as berlin:web or berlin:web/snap0.
    pub(crate) source: String,
    /// The copy, such as paris:web; paris: alone keeps the name.
    pub(crate) destination: Option<String>,
    /// It is deleted when it stops.
    #[arg(short, long)]
    pub(crate) ephemeral: bool,
    /// Bring an instance that is there up to date, by what differs.
    #[arg(long, conflicts_with = "no_profiles")]
    pub(crate) refresh: bool,
    #[command(flatten)]
    pub(crate) options: Options,
}

pub(super) async fn copy(fleet: &Fleet, arguments: &Copy, out: &Out) -> anyhow::Result<ExitCode> {
    let Copy { source, destination, options, .. } = arguments;
    let sides = sides(fleet, source, destination.as_deref(), options).await?;
    if sides.source.snapshot.is_some() {
        let flags = [("--instance-only", options.instance_only), ("--refresh", arguments.refresh)];
        if let Some((flag, _)) = flags.iter().find(|(_, given)| *given) {
            return Err(usage(format!("{flag} is for instances, and {source} is a snapshot")));
        }
    }
    let mut wanted = options.wanted(&sides.name)?;
    wanted.refresh = arguments.refresh;
    wanted.overrides.ephemeral = Some(arguments.ephemeral);
    let copied = action::run(source, async |job| {
        copy::copy(&sides.from, &sides.source, &sides.to, &wanted, job).await
    });
    print(&sides, &Done::Copied(&copied.await?), out)
}
