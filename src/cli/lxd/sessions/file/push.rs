//! `lxd file push`.

use std::path::Path;
use std::process::ExitCode;

use super::{Ownership, STANDARD, all_of, place};
use crate::actions::Source;
use crate::actions::files::{self, Sent};
use crate::cli::exit::usage;
use crate::cli::lxd::action::run;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Push {
    /// The files and folders here, and then where to: berlin:c1/PATH. What goes to a folder goes into it, under its own
    /// name. A source of - is the standard input.
    #[arg(required = true, num_args = 2..)]
    paths: Vec<String>,
    /// The target is a folder, into which all goes under its own name, as with `lxc file push -r`. Without this, a folder
    /// that goes where nothing is gets the name of the target, as with `cp -r`.
    #[arg(short, long)]
    recursive: bool,
    #[command(flatten)]
    ownership: Ownership,
}

pub(super) async fn push(fleet: &Fleet, options: &Push) -> anyhow::Result<ExitCode> {
    let Some((target, sources)) = options.paths.split_last() else { return Err(usage("no target is given")) };
    let to = place(fleet, target).await?;
    let sources: Vec<Sent> = sources
        .iter()
        .map(|source| match source.as_str() {
            STANDARD => Sent::Stream(Source::new("the standard input", tokio::io::stdin())),
            path => Sent::Path(Path::new(path)),
        })
        .collect();
    let making = options.ownership.making();
    let action = async |job: &_| {
        files::push(&to.client, &to.instance, sources, &to.path, options.recursive, &making, job).await
    };
    Ok(all_of(&run(target, action).await?))
}
