//! `lxd file`: sends files into an instance, fetches and deletes them.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use lxd_client::{FileOptions, Files, Progress, PushOptions, with_progress};

use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::{one_line, report, watched};

#[derive(Debug, Subcommand)]
pub(crate) enum FileCommand {
    /// Sends files and folders.
    Push {
        /// The files and folders here, and then where to: berlin:c1/PATH. What goes to a folder goes into it, under its own
        /// name. A source of - is the standard input.
        #[arg(required = true, num_args = 2..)]
        paths: Vec<String>,
        /// The owner there, by number.
        #[arg(long, requires = "gid")]
        uid: Option<u32>,
        /// The group there, by number.
        #[arg(long, requires = "uid")]
        gid: Option<u32>,
    },
    /// Fetches a file or folder.
    Pull {
        /// Which: berlin:c1/PATH.
        source: String,
        /// Where to. What goes to a folder goes into it, under its own name. - is the standard output.
        target: PathBuf,
    },
    /// Deletes a file or an empty folder: berlin:c1/PATH.
    Delete {
        /// Which.
        path: String,
    },
}

/// A source or target that is the standard input or output.
const STANDARD: &str = "-";

/// The permissions of what comes from the standard input.
const MODE: u32 = 0o644;

pub(super) async fn run(fleet: &Fleet, command: &FileCommand) -> anyhow::Result<ExitCode> {
    match command {
        FileCommand::Push { paths, uid, gid } => {
            let Some((target, sources)) = paths.split_last() else { return Err(usage("no target is given")) };
            push(fleet, sources, target, uid.zip(*gid)).await
        }
        FileCommand::Pull { source, target } => pull(fleet, source, target).await,
        FileCommand::Delete { path } => {
            let (files, inside) = place(fleet, path).await?;
            files.delete(&inside).await.with_context(|| path.clone())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn push(
    fleet: &Fleet,
    sources: &[String],
    target: &str,
    owner: Option<(u32, u32)>,
) -> anyhow::Result<ExitCode> {
    let (files, path) = place(fleet, target).await?;
    let is_folder = path.ends_with('/') || files.is_dir(&path).await.with_context(|| target.to_owned())?;
    if sources.len() > 1 && !is_folder {
        return Err(usage(format!("{target:?} is not a folder, which several files need")));
    }
    let mut complete = true;
    for source in sources {
        let bar = bar(source);
        let moving = bar.clone();
        let sent = if source == STANDARD {
            if is_folder {
                return Err(usage(format!(
                    "what comes from the standard input has no name: write {}/NAME",
                    target.trim_end_matches('/')
                )));
            }
            let mut options = FileOptions::default().mode(MODE);
            if let Some((uid, gid)) = owner {
                options = options.owner(uid, gid);
            }
            let input = with_progress(tokio::io::stdin(), move |bytes| moving.set_position(bytes));
            files.write(&path, input, &options).await.map(|()| Progress::default())
        } else {
            let to = if is_folder { within(&path, Path::new(source))? } else { path.clone() };
            let options =
                owner.map_or_else(PushOptions::default, |(uid, gid)| PushOptions::default().owner(uid, gid));
            files.push(Path::new(source), &to, &options, move |p| show(&moving, p)).await
        };
        bar.finish_and_clear();
        complete &= all_of(&sent.with_context(|| format!("{source} to {target}"))?);
    }
    Ok(code(complete))
}

async fn pull(fleet: &Fleet, source: &str, target: &Path) -> anyhow::Result<ExitCode> {
    let (files, path) = place(fleet, source).await?;
    let bar = bar(source);
    let moving = bar.clone();
    let on_progress = move |p: &Progress| show(&moving, p);
    let fetched = if target == Path::new(STANDARD) {
        files.pull_to(&path, &mut tokio::io::stdout(), on_progress).await
    } else {
        let name = Path::new(&path).file_name().filter(|_| target.is_dir());
        let to = name.map_or_else(|| target.to_owned(), |name| target.join(name));
        files.pull(&path, &to, on_progress).await
    };
    bar.finish_and_clear();
    let fetched = fetched.with_context(|| format!("{source} to {}", target.display()))?;
    Ok(code(all_of(&fetched)))
}

/// Reports each file that was left out. True when there is none.
fn all_of(moved: &Progress) -> bool {
    for left_out in &moved.left_out {
        report(&format!("left out: {}", one_line(left_out)));
    }
    moved.left_out.is_empty()
}

fn code(complete: bool) -> ExitCode {
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The files of the instance, and the path, of `berlin:c1/PATH`.
async fn place(fleet: &Fleet, text: &str) -> anyhow::Result<(Files, String)> {
    let no_path = || usage(format!("{text:?} has no path: write CLOUD:INSTANCE/PATH"));
    let (instance, path) = text.split_once('/').ok_or_else(no_path)?;
    Ok((fleet.instance(instance).await?.files(), format!("/{path}")))
}

/// The path in a folder for a source: under its own name. The content of `.` goes into the folder itself, as with `cp`.
fn within(path: &str, source: &Path) -> anyhow::Result<String> {
    let folder = path.trim_end_matches('/');
    match source.file_name().map(|name| name.to_str()) {
        Some(Some(name)) => Ok(format!("{folder}/{name}")),
        Some(None) => Err(usage(format!("the name of {} is not UTF-8", source.display()))),
        None => Ok(path.to_owned()),
    }
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
