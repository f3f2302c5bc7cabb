//! `lxd network load-balancer`.

use std::process::ExitCode;

use crate::actions::objects::{self, LOAD_BALANCER, text};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::lists::{self, Columns, column};
use crate::cli::lxd::objects::names::{LoadBalancerName, NetworkName};
use crate::cli::lxd::objects::usual::{self, Create, Usual};
use crate::cli::output::Out;

/// The verbs of load balancers.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum LoadBalancerCommand {
    /// Lists the load balancers of a network.
    #[command(visible_alias = "ls")]
    List(NetworkName),
    #[command(flatten)]
    Usual(Usual<LoadBalancerName>),
    /// Creates a load balancer, by the YAML on the standard input where that is no terminal.
    Create(Create<LoadBalancerName>),
}

const COLUMNS: &Columns = &[
    ("LISTEN ADDRESS", |balancer| text(balancer, "listen_address").to_owned()),
    column::DESCRIPTION,
    ("BACKENDS", |balancer| objects::count(balancer, "backends").to_string()),
    ("PORTS", |balancer| objects::count(balancer, "ports").to_string()),
];

pub(super) async fn run(command: &LoadBalancerCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        LoadBalancerCommand::List(network) => {
            lists::list_in(fleet, &LOAD_BALANCER, network, COLUMNS, out).await
        }
        LoadBalancerCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        LoadBalancerCommand::Create(create) => usual::create(fleet, create).await,
    }
}
