//! `lxd rebuild`: makes the root disk of instances anew.

use std::process::ExitCode;

use super::create::Image;
use crate::actions::instances;
use crate::cli::exit::usage;
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Rebuild {
    #[command(flatten)]
    image: Image,
    /// The instances, such as berlin:c1.
    instances: Vec<String>,
    /// Those that run too: they are stopped first and started again.
    #[arg(short, long)]
    force: bool,
}

pub(super) async fn rebuild(fleet: &Fleet, options: &Rebuild) -> anyhow::Result<ExitCode> {
    let (image, names) = options.image.split(&options.instances);
    if names.is_empty() {
        return Err(usage("You need to specify an image name or use --empty"));
    }
    let mut targets = Vec::new();
    for text in &names {
        let (cloud, name) = fleet.target(text)?;
        let origin = options.image.origin(image, &cloud.name)?;
        targets.push((text.clone(), (fleet.client(cloud).await?, name, origin)));
    }
    action::run_for_all(targets, async |(client, name, origin), job| {
        instances::rebuild(client, name, origin, options.force, job).await
    })
    .await
}
