//! What looks: `lxd ping`, `list`, `overview`, `usage`, `info`, `events`, `operation`, `warning`, `cluster` and `query`.

mod across;
mod cluster;
mod events;
mod info;
mod list;
mod operation;
mod overview;
mod ping;
mod query;
mod usage;
mod warning;

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
    /// Counts the instances, operations and images of each cloud, in all its projects.
    Overview {
        /// Of which clouds. Default: all.
        #[arg(value_name = "CLOUD")]
        clouds: Vec<String>,
    },
    /// Shows what an instance has used during the last hour.
    Usage {
        /// Which, CLOUD:INSTANCE.
        instance: String,
    },
    /// Shows a server (berlin) or an instance (berlin:c1).
    Info(info::Info),
    /// Shows what happens at the servers, as it happens; over lost connections too.
    #[command(visible_alias = "monitor")]
    Events(events::Events),
    /// Lists, shows and cancels what the servers work on.
    #[command(subcommand)]
    Operation(operation::OperationCommand),
    /// Lists, shows, acknowledges and deletes what the servers warn of.
    #[command(subcommand)]
    Warning(warning::WarningCommand),
    /// Shows the members of clouds that are clusters.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Sends any request to a server, and prints the answer.
    Query(query::Query),
}

pub(super) async fn run(command: &LookCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        LookCommand::Ping { clouds, count } => ping::ping(fleet, clouds, *count, out).await,
        LookCommand::List(options) => list::list(fleet, options, out).await,
        LookCommand::Overview { clouds } => overview::overview(fleet, clouds, out).await,
        LookCommand::Usage { instance } => usage::usage(fleet, instance, out).await,
        LookCommand::Info(options) => info::info(fleet, options, out).await,
        LookCommand::Events(options) => events::events(fleet, options, out).await,
        LookCommand::Operation(command) => operation::run(command, fleet, out).await,
        LookCommand::Warning(command) => warning::run(command, fleet, out).await,
        LookCommand::Cluster(command) => cluster::run(command, fleet, out).await,
        LookCommand::Query(options) => query::query(fleet, options, out).await,
    }
}
