//! How a command runs an action: with a bar on a terminal, and until it is interrupted.

use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use super::bars::{Bar, Bars};
use crate::actions::{ActionError, Job, bulk};
use crate::cli::exit::{Failure, INTERRUPTED, UserError};

/// Runs one action. An interrupt (Ctrl-C or SIGTERM) cancels it, and it still says what it leaves behind; a second one ends the command
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

/// Runs the same action for each target, many at once with a bar each, and reports each one that fails. The first failure
/// decides the exit code.
pub(super) async fn run_for_all<T>(
    targets: impl IntoIterator<Item = (String, T)>,
    action: impl AsyncFn(&T, &Job) -> Result<(), ActionError>,
) -> anyhow::Result<ExitCode> {
    let whole = Job::new(); // an interrupt cancels each part of it
    let bars = Bars::new();
    let all = bulk(targets, async |(name, target)| {
        let job = whole.part();
        let shown = bars.bar(&name, &job);
        let outcome = action(&target, &job).await;
        drop(shown);
        outcome.with_context(|| name)
    });
    let outcomes = until_interrupted(&whole, all).await;
    drop(bars);
    let failures: Vec<Failure> =
        outcomes?.into_iter().filter_map(Result::err).map(|error| Failure::of(&error)).collect();
    let Some(first) = failures.first() else { return Ok(ExitCode::SUCCESS) };
    let message = failures.iter().map(|failure| failure.message.clone()).collect::<Vec<_>>().join("\n");
    Err(UserError { code: first.code, message, hint: first.hint.unwrap_or_default() }.into())
}

/// Awaits it. The first interrupt cancels the job; the second one ends the wait.
async fn until_interrupted<T>(job: &Job, work: impl Future<Output = T>) -> anyhow::Result<T> {
    // Both from before the work begins: it would be left half-done by a signal that nobody takes.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupted = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    let mut work = std::pin::pin!(work);
    tokio::select! {
        outcome = &mut work => return Ok(outcome),
        () = interrupted() => job.cancel(),
    }
    tokio::select! {
        outcome = work => Ok(outcome),
        () = interrupted() => {
            Err(UserError::new(INTERRUPTED, "interrupted again: what is left behind is not known").into())
        }
    }
}
