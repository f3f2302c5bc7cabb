//! Joins this process's streams with those of a command in an instance.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lxd_client::{Exec, ExitStatus, Process, Stdin, Stdout};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

use super::terminal::{Raw, Signals, size};
use crate::cli::exit::UserError;

/// How a command's streams are joined with this process's.
#[derive(Clone, Copy)]
pub(super) struct Streams {
    /// The command has a terminal.
    pub(super) terminal: bool,
    /// This process has one for it.
    pub(super) here: bool,
    /// The command reads nothing.
    pub(super) no_input: bool,
}

/// How long a command gets to end once one of its streams has broken.
const AFTER_BREAK: Duration = Duration::from_secs(10);

/// Runs the command with these streams, and gives the code to exit with: its own.
pub(super) async fn run(mut exec: Exec, name: &str, streams: Streams) -> anyhow::Result<ExitCode> {
    if streams.terminal {
        let (width, height) = size();
        exec = exec.terminal(width, height);
    }
    let mut process = exec.spawn().await.with_context(|| name.to_owned())?;
    if streams.no_input {
        process.stdin = None; // the end of its input
    }
    let mut signals = Signals::new()?;
    let raw = if streams.terminal && streams.here && !streams.no_input { Some(Raw::begin()?) } else { None };
    let status = attach(&mut process, streams.terminal, &mut signals).await;
    drop(raw);
    let code = status.with_context(|| name.to_owned())?;
    // 126 and 127 say that it could not be run; why, the server says in place of the command.
    let ended = process.operation().state().await;
    if let Some(why) = ended.ok().filter(|ended| !ended.is_success()).map(|ended| ended.err) {
        let message = format!("{name}: {why}");
        return Err(UserError::new(u8::try_from(code).unwrap_or(1), message).into());
    }
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Joins this process's streams with the command's, passes signals on to it, and gives its exit status.
async fn attach(process: &mut Process, terminal: bool, signals: &mut Signals) -> anyhow::Result<i32> {
    let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    // It reads on until the command ends, which does not wait for it.
    let feeding = tokio::spawn(feed(stdin));
    let mut resized = signal(SignalKind::window_change())?;
    let output =
        async { tokio::join!(drain(stdout, tokio::io::stdout()), drain(stderr, tokio::io::stderr())) };
    let mut output = std::pin::pin!(output);
    let (out, err) = loop {
        // What is sent to a command that has ended just now is lost.
        tokio::select! {
            ended = &mut output => break ended,
            _ = resized.recv(), if terminal => {
                let (width, height) = size();
                let _ = process.resize(width, height).await;
            }
            number = signals.next() => drop(process.signal(passed_on(number)).await),
        }
    };
    let status = match out.and(err) {
        Ok(()) => loop {
            tokio::select! {
                status = process.wait() => break status.map_err(anyhow::Error::from),
                number = signals.next() => drop(process.signal(passed_on(number)).await),
            }
        },
        Err(lost) => after_break(process, lost).await,
    };
    feeding.abort();
    Ok(status?.code())
}

/// The signal that the command gets for one that came here. As with `lxc exec`: without a terminal a hangup ends it.
fn passed_on(number: i32) -> i32 {
    let hang_up = SignalKind::hangup().as_raw_value();
    if number == hang_up && std::fs::File::open("/dev/tty").is_err() {
        return SignalKind::terminate().as_raw_value();
    }
    number
}

/// How a command ended, one of whose streams has broken. That is an error unless the command says that it failed.
async fn after_break(process: &mut Process, lost: std::io::Error) -> anyhow::Result<ExitStatus> {
    match tokio::time::timeout(AFTER_BREAK, process.wait()).await {
        Ok(status) if !status.as_ref().is_ok_and(|status| status.success()) => Ok(status?),
        // Either it ended well, and what it wrote is not all here, or the way to the server is lost.
        _ => Err(was_lost("what the command wrote", &lost)),
    }
}

/// The error of a stream that broke before its end.
pub(super) fn was_lost(what: &str, lost: &std::io::Error) -> anyhow::Error {
    let code = if lost.kind() == std::io::ErrorKind::TimedOut { 7 } else { 1 };
    UserError::new(code, format!("{what} was lost: {lost}")).into()
}

async fn feed(stdin: Option<Stdin>) {
    if let Some(mut stdin) = stdin {
        let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut stdin).await; // the command may read no more
        let _ = stdin.shutdown().await;
    }
}

pub(super) async fn drain(from: Option<Stdout>, mut to: impl AsyncWrite + Unpin) -> std::io::Result<()> {
    if let Some(mut from) = from {
        tokio::io::copy(&mut from, &mut to).await?;
    }
    to.flush().await
}
