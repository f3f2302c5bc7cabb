//! `lxd exec`: runs a command in an instance, with or without a terminal.

use std::io::IsTerminal;
use std::process::ExitCode;

use super::streams::{self, Streams};
use crate::cli::exit::usage;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Exec {
    /// The instance, such as berlin:c1.
    pub(crate) instance: String,
    /// The command and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
    #[command(flatten)]
    pub(crate) setting: Setting,
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

/// What a command finds around it.
#[derive(Debug, clap::Args)]
pub(crate) struct Setting {
    /// A variable of the command's environment.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) env: Vec<String>,
    /// The folder to run in.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) cwd: Option<String>,
    /// The user to run as, by number. Default: root.
    #[arg(long, value_name = "UID")]
    pub(crate) user: Option<u32>,
    /// The group to run as, by number. Default: root's.
    #[arg(long, value_name = "GID")]
    pub(crate) group: Option<u32>,
}

impl Setting {
    /// The command in this setting.
    pub(super) fn apply(&self, mut command: lxd_client::Exec) -> anyhow::Result<lxd_client::Exec> {
        if let Ok(kind) = std::env::var("TERM") {
            command = command.env("TERM", &kind);
        }
        for setting in &self.env {
            let (name, value) =
                setting.split_once('=').ok_or_else(|| usage(format!("{setting:?} is not NAME=VALUE")))?;
            command = command.env(name, value);
        }
        if let Some(cwd) = &self.cwd {
            command = command.current_dir(cwd);
        }
        Ok(command.user(self.user.unwrap_or_default(), self.group.unwrap_or_default()))
    }

    /// Whether it is root's own.
    pub(super) fn is_plain(&self) -> bool {
        self.env.is_empty() && self.cwd.is_none() && self.user.is_none() && self.group.is_none()
    }
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

pub(super) async fn exec(fleet: &Fleet, options: &Exec) -> anyhow::Result<ExitCode> {
    let instance = fleet.instance(&options.instance).await?;
    let command = instance.exec(options.command.iter().map(String::as_str));
    let command = options.setting.apply(command)?;
    let here = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let terminal = options.wants_terminal(here);
    let streams = Streams { terminal, here, no_input: options.disable_stdin };
    streams::run(command, &options.instance, streams).await
}
