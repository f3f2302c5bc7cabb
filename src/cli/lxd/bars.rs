//! Progress bars on standard error, where somebody watches.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::actions::{Job, Progress};
use crate::cli::output::{one_line, watched};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Bars below each other. Those that the terminal has no lines for are left out until others are done.
pub(super) struct Bars(MultiProgress);

impl Bars {
    pub(super) fn new() -> Bars {
        Bars(MultiProgress::new())
    }

    /// Shows the progress of a job until the bar is dropped. Where nobody watches, nothing is shown and the job is not asked.
    pub(super) fn bar(&self, what: &str, job: &Job) -> Bar {
        if !watched() {
            return Bar { bar: ProgressBar::hidden(), follower: None };
        }
        let bar = self.0.add(ProgressBar::new_spinner());
        let (mut changes, what, moving) = (job.watch(), what.to_owned(), bar.clone());
        let follower = tokio::spawn(async move {
            show(&moving, &what, &Progress::default());
            let mut ticks = tokio::time::interval(TICK);
            loop {
                tokio::select! {
                    changed = changes.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let progress = changes.borrow_and_update().clone();
                        show(&moving, &what, &progress);
                    }
                    _ = ticks.tick() => moving.tick(),
                }
            }
        });
        Bar { bar, follower: Some(follower) }
    }
}

/// The progress of a job on the terminal, until it is dropped.
pub(super) struct Bar {
    bar: ProgressBar,
    follower: Option<tokio::task::JoinHandle<()>>,
}

impl Bar {
    /// A bar alone.
    pub(super) fn new(what: &str, job: &Job) -> Bar {
        Bars::new().bar(what, job)
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
