//! `lxd file`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use lxd_client::{Files, Progress, PushOptions};

use super::super::exit::usage;
use super::super::output::watched;
use super::{FileCommand, Fleet};

pub(super) async fn run(fleet: &Fleet, command: &FileCommand) -> anyhow::Result<ExitCode> {
    match command {
        FileCommand::Push { paths, uid, gid } => {
            let Some((target, sources)) = paths.split_last() else { return Err(usage("no target is given")) };
            let (files, path) = place(fleet, target).await?;
            let mut options = PushOptions::default();
            if let (Some(uid), Some(gid)) = (uid, gid) {
                options = options.owner(*uid, *gid);
            }
            if sources.len() > 1 && !path.ends_with('/') {
                return Err(usage(format!(
                    "{target:?} is not a folder: write / behind it to send several files"
                )));
            }
            for source in sources {
                let to = within(&path, Path::new(source))?;
                let bar = bar(source);
                let moving = bar.clone();
                let sent = files.push(Path::new(source), &to, &options, move |p| show(&moving, p)).await;
                bar.finish_and_clear();
                sent.with_context(|| format!("{source} to {target}"))?;
            }
        }
        FileCommand::Pull { source, target } => {
            let (files, path) = place(fleet, source).await?;
            let to = if target.is_dir() {
                let name =
                    Path::new(&path).file_name().ok_or_else(|| usage(format!("{source:?} names no file")))?;
                target.join(name)
            } else {
                PathBuf::from(target)
            };
            let bar = bar(source);
            let moving = bar.clone();
            let fetched = files.pull(&path, &to, move |p| show(&moving, p)).await;
            bar.finish_and_clear();
            fetched.with_context(|| format!("{source} to {}", to.display()))?;
        }
        FileCommand::Delete { path } => {
            let (files, inside) = place(fleet, path).await?;
            files.delete(&inside).await.with_context(|| path.clone())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The files of the instance, and the path, of `berlin:c1/PATH`.
async fn place(fleet: &Fleet, text: &str) -> anyhow::Result<(Files, String)> {
    let no_path = || usage(format!("{text:?} has no path: write CLOUD:INSTANCE/PATH"));
    let (instance, path) = text.split_once('/').ok_or_else(no_path)?;
    Ok((fleet.instance(instance).await?.files(), format!("/{path}")))
}

/// Where a file or folder goes: under its own name in a folder.
fn within(path: &str, source: &Path) -> anyhow::Result<String> {
    if !path.ends_with('/') {
        return Ok(path.to_owned());
    }
    let name = source.file_name().and_then(|name| name.to_str());
    name.map(|name| format!("{path}{name}")).ok_or_else(|| usage(format!("{} has no name", source.display())))
}

fn bar(what: &str) -> ProgressBar {
    if !watched() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0).with_message(what.to_owned());
    let template = "{msg} [{bar:40}] {bytes} of {total_bytes}, {bytes_per_sec}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("# "));
    }
    bar
}

fn show(bar: &ProgressBar, progress: &Progress) {
    bar.set_length(progress.total.max(progress.bytes));
    bar.set_position(progress.bytes);
}
