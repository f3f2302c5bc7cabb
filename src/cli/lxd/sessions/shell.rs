//! `lxd shell`: a login shell in an instance.

use std::io::IsTerminal;
use std::process::ExitCode;

use super::exec::Setting;
use super::streams::{self, Streams};
use crate::actions::instances::login_shell;
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Shell {
    /// The instance, such as berlin:c1.
    pub(crate) instance: String,
    #[command(flatten)]
    pub(crate) setting: Setting,
}

pub(super) async fn shell(fleet: &Fleet, options: &Shell) -> anyhow::Result<ExitCode> {
    let instance = fleet.instance(&options.instance).await?;
    let command = options.setting.apply(instance.exec(login_shell(options.setting.is_plain())))?;
    let here = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    streams::run(command, &options.instance, Streams { terminal: here, here, no_input: false }).await
}
