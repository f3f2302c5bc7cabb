//! `lxd file create`.

use std::process::ExitCode;

use super::{Ownership, place};
use crate::actions::files::{self, New};
use crate::cli::exit::usage;
use crate::cli::lxd::action::run;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// Where: berlin:c1/PATH. With a slash at its end it is a folder.
    path: String,
    /// Where a symbolic link leads.
    target: Option<String>,
    /// What to make.
    #[arg(long = "type", value_enum, default_value = "file")]
    kind: Kind,
    /// Replace a file or link that is there.
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    ownership: Ownership,
}

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// An empty file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
}

pub(super) async fn create(fleet: &Fleet, options: &Create) -> anyhow::Result<ExitCode> {
    let new = match (options.kind, &options.target) {
        (Kind::Symlink, Some(target)) => New::Symlink(target),
        (Kind::Symlink, None) => return Err(usage("a link needs a second path: where it leads")),
        (_, Some(_)) => return Err(usage("only a link leads to a second path: --type=symlink")),
        (Kind::File, None) if !options.path.ends_with('/') => New::File,
        _ => New::Folder,
    };
    let mut at = place(fleet, &options.path).await?;
    at.path.truncate(at.path.trim_end_matches('/').len());
    let making = options.ownership.making();
    let action = async |job: &_| {
        files::create(&at.client, &at.instance, &at.path, &new, options.force, &making, job).await
    };
    run(&options.path, action).await?;
    Ok(ExitCode::SUCCESS)
}
