//! How a command runs an action: with a bar on a terminal, and until it is interrupted.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::actions::{ActionError, Job, Progress, bulk};
use crate::cli::exit::{Failure, INTERRUPTED, UserError};
use crate::cli::output::{one_line, watched};

/// Runs one action. An interrupt (Ctrl-C) cancels it, and it still says what it leaves behind; a second one ends the command
/// at once.
pub(super) async fn run<T>(
    what: &str,
    action: impl AsyncFnOnce(&Job) -> Result<T, ActionError>,
) -> anyhow::Result<T> {
    let job = Job::new();
    let shown = Bar::new(what, &job);
    let outcome = until_interrupted(&job, action(&job)).await;
    drop(shown);
    outcome?.with_context(|| what.to_owned())
}

/// Runs the same action for each target, many at once, and reports each one that fails. The first failure decides the exit
/// code.
pub(super) async fn run_for_all<T>(
    targets: impl IntoIterator<Item = (String, T)>,
    action: impl AsyncFn(&T, &Job) -> Result<(), ActionError>,
) -> anyhow::Result<ExitCode> {
    let job = Job::new(); // one for all: an interrupt cancels each of them
    let targets: Vec<(String, T)> = targets.into_iter().collect();
    let shown = match &targets[..] {
        [(name, _)] => Some(Bar::new(name, &job)),
        _ => None,
    };
    let all = bulk(targets, async |(name, target)| action(&target, &job).await.with_context(|| name));
    let outcomes = until_interrupted(&job, all).await?;
    drop(shown);
    let failures: Vec<Failure> =
        outcomes.into_iter().filter_map(Result::err).map(|error| Failure::of(&error)).collect();
    let Some(first) = failures.first() else { return Ok(ExitCode::SUCCESS) };
    let message = failures.iter().map(|failure| failure.message.clone()).collect::<Vec<_>>().join("\n");
    Err(UserError { code: first.code, message }.into())
}

/// Awaits it. The first interrupt cancels the job; the second one ends the wait.
async fn until_interrupted<T>(job: &Job, work: impl Future<Output = T>) -> anyhow::Result<T> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        outcome = &mut work => return Ok(outcome),
        _ = tokio::signal::ctrl_c() => job.cancel(),
    }
    tokio::select! {
        outcome = work => Ok(outcome),
        _ = tokio::signal::ctrl_c() => {
            let message = "interrupted again: what is left behind is not known".to_owned();
            Err(UserError { code: INTERRUPTED, message }.into())
        }
    }
}

/// The progress of a job on the terminal, until it is dropped. Where nobody watches, nothing is shown and the job is not
/// asked.
pub(super) struct Bar {
    bar: ProgressBar,
    follower: Option<tokio::task::JoinHandle<()>>,
}

impl Bar {
    pub(super) fn new(what: &str, job: &Job) -> Bar {
        if !watched() {
            return Bar { bar: ProgressBar::hidden(), follower: None };
        }
        let bar = MultiProgress::new().add(ProgressBar::new_spinner());
        let (mut changes, what, moving) = (job.watch(), what.to_owned(), bar.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        let follower = tokio::spawn(async move {
            show(&moving, &what, &Progress::default());
            while changes.changed().await.is_ok() {
                let progress = changes.borrow_and_update().clone();
                show(&moving, &what, &progress);
            }
        });
        Bar { bar, follower: Some(follower) }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(follower) = &self.follower {
            follower.abort();
        }
        self.bar.finish_and_clear();
    }
}

fn show(bar: &ProgressBar, what: &str, progress: &Progress) {
    let template = match (progress.bytes, progress.total) {
        (0, _) => "{spinner} {msg} ({elapsed})",
        (_, None) => "{spinner} {msg} {bytes}, {bytes_per_sec} ({elapsed})",
        (_, Some(_)) => "{msg} [{bar:40}] {bytes} of {total_bytes}, {bytes_per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("# "));
    }
    if let Some(total) = progress.total {
        bar.set_length(total.max(progress.bytes));
    }
    bar.set_position(progress.bytes);
    let stage = one_line(&progress.stage);
    bar.set_message(if stage.is_empty() { what.to_owned() } else { format!("{what}: {stage}") });
}
