//! `lxd network load-balancer`.

use std::process::ExitCode;

use serde_json::Value;

use crate::actions::objects::{self, Fields, LOAD_BALANCER, text};
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::lists::{self, Columns, column};
use crate::cli::lxd::objects::names::{LoadBalancerName, Names, NetworkName};
use crate::cli::lxd::objects::usual::{self, Create, Usual, done};
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
    /// Works with the backends of a load balancer: where it sends what comes.
    #[command(subcommand)]
    Backend(BackendCommand),
    /// Works with the ports of a load balancer.
    #[command(subcommand)]
    Port(PortCommand),
}

/// The verbs of backends.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum BackendCommand {
    /// Adds a backend.
    Add {
        #[command(flatten)]
        balancer: LoadBalancerName,
        /// Its name.
        backend: String,
        /// The address that the traffic goes to.
        target_address: String,
        /// The ports there. Default: the same.
        target_ports: Option<String>,
    },
    /// Removes a backend.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        balancer: LoadBalancerName,
        /// Its name.
        backend: String,
    },
}

/// The verbs of a load balancer's ports.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PortCommand {
    /// Adds ports.
    Add {
        #[command(flatten)]
        balancer: LoadBalancerName,
        /// tcp or udp.
        protocol: String,
        /// The ports that are listened at, such as 80,443,8000-8100.
        listen_ports: String,
        /// The backends that the traffic goes to, with commas between them.
        backends: String,
    },
    /// Removes ports.
    #[command(visible_alias = "rm")]
    Remove {
        #[command(flatten)]
        balancer: LoadBalancerName,
        /// Those of this protocol.
        protocol: Option<String>,
        /// Those that are listened at like this.
        listen_ports: Option<String>,
        /// All that match.
        #[arg(long)]
        force: bool,
    },
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
        LoadBalancerCommand::Backend(command) => backend(command, fleet).await,
        LoadBalancerCommand::Port(command) => port(command, fleet).await,
    }
}

async fn backend(command: &BackendCommand, fleet: &Fleet) -> anyhow::Result<ExitCode> {
    match command {
        BackendCommand::Add { balancer, backend, target_address, target_ports } => {
            let mut item = Fields::from_iter([
                ("name".to_owned(), backend.as_str().into()),
                ("target_address".to_owned(), target_address.as_str().into()),
            ]);
            item.extend(target_ports.iter().map(|ports| ("target_port".to_owned(), ports.as_str().into())));
            add(fleet, balancer, "backends", item).await
        }
        BackendCommand::Remove { balancer, backend } => {
            let fits = |item: &Value| item["name"] == backend.as_str();
            remove(fleet, balancer, "backends", false, fits).await
        }
    }
}

async fn port(command: &PortCommand, fleet: &Fleet) -> anyhow::Result<ExitCode> {
    match command {
        PortCommand::Add { balancer, protocol, listen_ports, backends } => {
            let backends: Vec<&str> = backends.split(',').collect();
            let item = Fields::from_iter([
                ("protocol".to_owned(), protocol.as_str().into()),
                ("listen_port".to_owned(), listen_ports.as_str().into()),
                ("target_backend".to_owned(), backends.into()),
            ]);
            add(fleet, balancer, "ports", item).await
        }
        PortCommand::Remove { balancer, protocol, listen_ports, force } => {
            let wanted = [("protocol", protocol), ("listen_port", listen_ports)];
            let fits = |port: &Value| {
                wanted.iter().all(|(key, wanted)| wanted.as_deref().is_none_or(|wanted| port[*key] == wanted))
            };
            remove(fleet, balancer, "ports", *force, fits).await
        }
    }
}

async fn add(fleet: &Fleet, of: &LoadBalancerName, list: &str, item: Fields) -> anyhow::Result<ExitCode> {
    let object = of.object(fleet).await?;
    done(of, async |job| objects::add_item(&object, list, item, job).await).await
}

async fn remove(
    fleet: &Fleet,
    of: &LoadBalancerName,
    list: &str,
    force: bool,
    fits: impl Fn(&Value) -> bool,
) -> anyhow::Result<ExitCode> {
    let object = of.object(fleet).await?;
    done(of, async |job| objects::remove_items(&object, list, list, force, fits, job).await).await
}
