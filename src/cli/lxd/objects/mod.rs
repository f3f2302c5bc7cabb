//! What else a server has: `lxd trust`.

mod trust;

use std::path::PathBuf;
use std::process::ExitCode;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands for what else a server has.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ObjectCommand {
    /// Has a server trust this node, by a token from `lxc config trust add` there. The token is read from a file, from the
    /// configuration, from LXD_TRUST_TOKEN or from the standard input, and never from the arguments.
    Trust {
        /// Which.
        cloud: String,
        /// A file with the token.
        #[arg(long, value_name = "FILE")]
        token_from: Option<PathBuf>,
    },
}

pub(super) async fn run(command: &ObjectCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        ObjectCommand::Trust { cloud, token_from } => {
            trust::trust(fleet, cloud, token_from.as_deref(), out).await
        }
    }
}
