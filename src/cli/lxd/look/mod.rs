//! What only looks: `lxd ping`, `list`, `info` and `events`.

mod events;
mod info;
mod list;
mod ping;
mod words;

use std::process::ExitCode;

use super::fleet::Fleet;
use crate::cli::output::Out;

/// The commands that only look.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LookCommand {
    /// Looks at clouds: path, TCP, TLS, API, trust.
    Ping {
        /// Which. Default: all.
        clouds: Vec<String>,
        /// How often.
        #[arg(short, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
    },
    /// Lists instances.
    #[command(alias = "ls")]
    List(list::List),
    /// Shows a server (berlin) or an instance (berlin:c1).
    Info {
        /// Which.
        target: String,
    },
    /// Shows what happens at the servers, as it happens.
    Events {
        /// At which clouds. Default: all.
        clouds: Vec<String>,
        /// Operations too.
        #[arg(long)]
        operations: bool,
    },
}

pub(super) async fn run(command: &LookCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        LookCommand::Ping { clouds, count } => ping::ping(fleet, clouds, *count, out).await,
        LookCommand::List(options) => list::list(fleet, options, out).await,
        LookCommand::Info { target } => info::info(fleet, target, out).await,
        LookCommand::Events { clouds, operations } => events::events(fleet, clouds, *operations, out).await,
    }
}
