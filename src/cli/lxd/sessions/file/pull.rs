//! `lxd file pull`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::{STANDARD, all_of, place};
use crate::actions::files;
use crate::cli::exit::usage;
use crate::cli::lxd::action::run;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Pull {
    /// Which, such as berlin:c1/PATH, and then where to. What goes to a folder goes into it, under its own name. A target
    /// of - is the standard output.
    #[arg(required = true, num_args = 2..)]
    paths: Vec<String>,
    /// The target is a folder, which is made where it is not there, and into which all goes under its own name, as with
    /// `lxc file pull -r`. Without this, a folder that goes where nothing is gets the name of the target, as with `cp -r`.
    #[arg(short, long)]
    recursive: bool,
    /// Make the folders above the target that are not there.
    #[arg(short = 'p', long)]
    create_dirs: bool,
}

pub(super) async fn pull(fleet: &Fleet, options: &Pull) -> anyhow::Result<ExitCode> {
    let Some((target, sources)) = options.paths.split_last() else { return Err(usage("no target is given")) };
    if target == STANDARD {
        for source in sources {
            let from = place(fleet, source).await?;
            let mut output = tokio::io::stdout();
            let action = async |job: &_| {
                files::pull_to(&from.client, &from.instance, &from.path, &mut output, job).await
            };
            run(source, action).await?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let path = Path::new(target);
    // Several need a folder, as `lxc` makes one.
    if !path.is_dir() && (options.recursive || sources.len() > 1 || target.ends_with('/')) {
        if path.exists() {
            return Err(usage(format!("{target:?} is not a folder, which several files need")));
        }
        make(path)?;
    } else if options.create_dirs
        && let Some(above) = path.parent()
    {
        make(above)?;
    }
    let mut left_out = Vec::new();
    for source in sources {
        let from = place(fleet, source).await?;
        let name = Path::new(&from.path).file_name().filter(|_| path.is_dir());
        let to: PathBuf = name.map_or_else(|| path.to_owned(), |name| path.join(name));
        let action = async |job: &_| files::pull(&from.client, &from.instance, &from.path, &to, job).await;
        left_out.extend(run(source, action).await?);
    }
    Ok(all_of(&left_out))
}

fn make(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}
