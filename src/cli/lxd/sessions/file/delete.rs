//! `lxd file delete`.

use std::process::ExitCode;

use super::place;
use crate::actions::files;
use crate::cli::lxd::action::run;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// Which: berlin:c1/PATH, a file, a link or an empty folder.
    #[arg(required = true)]
    paths: Vec<String>,
    /// Folders with everything in them, too.
    #[arg(short, long)]
    force: bool,
}

/// Deletes one after the other, and stops at the first that cannot be deleted.
pub(super) async fn delete(fleet: &Fleet, options: &Delete) -> anyhow::Result<ExitCode> {
    for path in &options.paths {
        let at = place(fleet, path).await?;
        let action =
            async |job: &_| files::delete(&at.client, &at.instance, &at.path, options.force, job).await;
        run(path, action).await?;
    }
    Ok(ExitCode::SUCCESS)
}
