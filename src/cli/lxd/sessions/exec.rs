//! `lxd exec`: runs a command in an instance, with or without a terminal.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lxd_client::{ExitStatus, Process, Stdin, Stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::exit::{UserError, usage};
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// The instance, such as berlin:c1.
    pub(crate) instance: String,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
    /// A variable of the command's environment.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// The folder to run in.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cwd: Option<String>,
    /// The user to run as, by number.
    #[arg(long, value_name = "UID")]
    pub(crate) user: Option<u32>,
    /// The group to run as, by number.
    #[arg(long, value_name = "GID")]
    pub(crate) group: Option<u32>,
    /// Read nothing: the command finds its input at its end. For a loop that reads the same input, such as `while read`.
    #[arg(short = 'n', long)]
    pub(crate) disable_stdin: bool,
    /// With a terminal. Default: when this command has one.
    #[arg(short = 't', long, visible_alias = "force-interactive", conflicts_with = "no_terminal")]
    pub(crate) terminal: bool,
    /// Without a terminal.
    #[arg(short = 'T', long, visible_alias = "force-noninteractive")]
    pub(crate) no_terminal: bool,
    /// With or without a terminal, in the words of `lxc exec`.
    #[arg(long, value_enum, default_value = "auto", conflicts_with_all = ["terminal", "no_terminal"])]
    pub(crate) mode: Mode,
}

/// Whether a command has a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// When this command has one.
    Auto,
    /// It has.
    Interactive,
    /// It has none.
    NonInteractive,
}

impl Exec {
    /// Whether the command gets a terminal, where this one is on one or not.
    pub(crate) fn wants_terminal(&self, here: bool) -> bool {
        match self.mode {
            Mode::Interactive => true,
            Mode::NonInteractive => false,
            // Nobody could type on one without an input.
            Mode::Auto => self.terminal || here && !self.no_terminal && !self.disable_stdin,
        }
    }
}

/// How long a command gets to end once one of its streams has broken.
const AFTER_BREAK: Duration = Duration::from_secs(10);

pub(super) async fn exec(fleet: &Fleet, options: &Exec) -> anyhow::Result<ExitCode> {
    let instance = fleet.instance(&options.instance).await?;
    let mut exec = instance.exec(options.command.iter().map(String::as_str));
    for setting in &options.env {
        let (name, value) =
            setting.split_once('=').ok_or_else(|| usage(format!("{setting:?} is not NAME=VALUE")))?;
        exec = exec.env(name, value);
    }
    if let Some(cwd) = &options.cwd {
        exec = exec.current_dir(cwd);
    }
    if options.user.is_some() || options.group.is_some() {
        let user = options.user.unwrap_or_default();
        exec = exec.user(user, options.group.unwrap_or(user));
    }
    let here = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let terminal = options.wants_terminal(here);
    if terminal {
        let (width, height) = size();
        if let Ok(kind) = std::env::var("TERM") {
            exec = exec.env("TERM", &kind);
        }
        exec = exec.terminal(width, height);
    }
    let mut process = exec.spawn().await.with_context(|| options.instance.clone())?;
    if options.disable_stdin {
        process.stdin = None; // the end of its input
    }
    let raw = if terminal && here && !options.disable_stdin { Some(Raw::begin()?) } else { None };
    let status = attach(&mut process, terminal).await;
    drop(raw);
    let code = status.with_context(|| options.instance.clone())?;
    // 126 and 127 say that it could not be run; why, the server says in place of the command.
    let ended = process.operation().state().await;
    if let Some(why) = ended.ok().filter(|ended| !ended.is_success()).map(|ended| ended.err) {
        let message = format!("{}: {why}", options.instance);
        return Err(UserError { code: u8::try_from(code).unwrap_or(1), message }.into());
    }
    Ok(u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Joins this process's streams with the command's, and gives its exit status.
async fn attach(process: &mut Process, terminal: bool) -> anyhow::Result<i32> {
    let (stdin, stdout, stderr) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    // It reads on until the command ends, which does not wait for it.
    let feeding = tokio::spawn(feed(stdin));
    let mut resized = signal(SignalKind::window_change())?;
    let output =
        async { tokio::join!(drain(stdout, tokio::io::stdout()), drain(stderr, tokio::io::stderr())) };
    let mut output = std::pin::pin!(output);
    let (out, err) = loop {
        tokio::select! {
            ended = &mut output => break ended,
            _ = resized.recv(), if terminal => {
                let (width, height) = size();
                let _ = process.resize(width, height).await; // it may have ended just now
            }
        }
    };
    let status = match out.and(err) {
        Ok(()) => process.wait().await.map_err(anyhow::Error::from),
        Err(lost) => after_break(process, lost).await,
    };
    feeding.abort();
    Ok(status?.code())
}

/// How a command ended, one of whose streams has broken. That is an error unless the command says that it failed.
async fn after_break(process: &mut Process, lost: std::io::Error) -> anyhow::Result<ExitStatus> {
    match tokio::time::timeout(AFTER_BREAK, process.wait()).await {
        Ok(status) if !status.as_ref().is_ok_and(|status| status.success()) => Ok(status?),
        // Either it ended well, and what it wrote is not all here, or the way to the server is lost.
        _ => {
            let code = if lost.kind() == std::io::ErrorKind::TimedOut { 7 } else { 1 };
            let message = format!("what the command wrote was lost: {lost}");
            Err(UserError { code, message }.into())
        }
    }
}

async fn feed(stdin: Option<Stdin>) {
    if let Some(mut stdin) = stdin {
        let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut stdin).await; // the command may read no more
        let _ = stdin.shutdown().await;
    }
}

async fn drain(from: Option<Stdout>, mut to: impl AsyncWrite + Unpin) -> std::io::Result<()> {
    if let Some(mut from) = from {
        tokio::io::copy(&mut from, &mut to).await?;
    }
    to.flush().await
}

/// The terminal's width and height.
fn size() -> (u16, u16) {
    match tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}

/// The terminal in raw mode, until this is dropped.
struct Raw(Termios);

impl Raw {
    fn begin() -> anyhow::Result<Raw> {
        let before = tcgetattr(std::io::stdin()).context("cannot set the terminal up")?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(std::io::stdin(), OptionalActions::Now, &raw).context("cannot set the terminal up")?;
        Ok(Raw(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
