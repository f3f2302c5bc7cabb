//! `lxd shell`: a login shell in an instance.

use std::io::IsTerminal;
use std::process::ExitCode;

use super::exec::Setting;
use super::streams::{self, Streams};
use crate::cli::lxd::fleet::Fleet;

#[derive(Debug, clap::Args)]
pub(crate) struct Shell {
    /// The instance, such as berlin:c1.
    pub(crate) instance: String,
    #[command(flatten)]
    pub(crate) setting: Setting,
}

/// Becomes root's login shell, as `lxc shell` does, where the instance has `su` and knows root.
const LOGIN: &str = r#"[ "$(id -un 2>/dev/null)" = root ] && command -v su >/dev/null && exec su -l; "#;

/// Becomes a login shell that keeps the setting of the command, which `su` would replace.
const SHELL: &str = "command -v bash >/dev/null && exec bash -l; exec sh -l";

pub(super) async fn shell(fleet: &Fleet, options: &Shell) -> anyhow::Result<ExitCode> {
    let instance = fleet.instance(&options.instance).await?;
    let login = if options.setting.is_plain() { LOGIN } else { "" };
    let command = options.setting.apply(instance.exec(["sh", "-c", &format!("{login}{SHELL}")]))?;
    let here = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    streams::run(command, &options.instance, Streams { terminal: here, here, no_input: false }).await
}
