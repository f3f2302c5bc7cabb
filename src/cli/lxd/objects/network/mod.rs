//! `lxd network`.

mod acl;
mod attach;
mod forward;
mod info;
mod load_balancer;
mod peer;
mod record;
mod zone;

use std::process::ExitCode;

use serde_json::Value;

use super::lists::{self, Columns, Projects, column};
use super::names::{Names, NetworkName};
use super::usual::{self, Rename, Usual};
use crate::actions::objects::{Fields, NETWORK, setting, text};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::output::Out;

/// The verbs of networks.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum NetworkCommand {
    /// Lists the networks of all clouds.
    #[command(visible_alias = "ls")]
    List(Projects),
    /// Lists the addresses that a network gave away.
    ListLeases(NetworkName),
    /// Shows how a network is right now.
    Info(NetworkName),
    #[command(flatten)]
    Usual(Usual<NetworkName>),
    /// Creates a network, by the YAML on the standard input where that is no terminal.
    Create {
        #[command(flatten)]
        network: NetworkName,
        /// Settings, such as ipv4.address=none.
        #[arg(value_name = "KEY=VALUE")]
        settings: Vec<String>,
        /// Its type: bridge, ovn, macvlan, sriov or physical. Default: bridge.
        #[arg(short = 't', long = "type", value_name = "TYPE")]
        kind: Option<String>,
    },
    /// Gives a network another name.
    #[command(visible_alias = "mv")]
    Rename(Rename<NetworkName>),
    #[command(flatten)]
    Attach(attach::AttachCommand),
    /// Works with the forwards of a network.
    #[command(subcommand)]
    Forward(forward::ForwardCommand),
    /// Works with the load balancers of a network, where the server has them.
    #[command(subcommand)]
    LoadBalancer(load_balancer::LoadBalancerCommand),
    /// Works with the peerings of a network.
    #[command(subcommand)]
    Peer(peer::PeerCommand),
    /// Works with ACLs, rules for the traffic of networks.
    #[command(subcommand)]
    Acl(acl::AclCommand),
    /// Works with DNS zones and their records.
    #[command(subcommand)]
    Zone(zone::ZoneCommand),
}

const COLUMNS: &Columns = &[
    column::NAME,
    ("TYPE", |network| text(network, "type").to_owned()),
    ("MANAGED", |network| if managed(network) { "YES".to_owned() } else { "NO".to_owned() }),
    ("IPV4", |network| setting(network, "ipv4.address").to_owned()),
    ("IPV6", |network| setting(network, "ipv6.address").to_owned()),
    column::DESCRIPTION,
    column::USED_BY,
    column::STATE,
];

fn managed(network: &Fields) -> bool {
    network.get("managed").and_then(Value::as_bool).unwrap_or_default()
}

/// Whether it is a network, as `lxc` sees it: servers list each interface of their machine.
fn is_listed(network: &Fields) -> bool {
    !matches!(text(network, "type"), "loopback" | "unknown")
}

const LEASES: &Columns = &[
    ("HOSTNAME", |lease| text(lease, "hostname").to_owned()),
    ("MAC ADDRESS", |lease| text(lease, "hwaddr").to_owned()),
    ("IP ADDRESS", |lease| text(lease, "address").to_owned()),
    ("TYPE", |lease| text(lease, "type").to_uppercase()),
];

pub(super) async fn run(command: &NetworkCommand, fleet: &Fleet, out: &Out) -> anyhow::Result<ExitCode> {
    match command {
        NetworkCommand::List(of) => {
            lists::list_in_projects_where(fleet, &NETWORK, of, COLUMNS, is_listed, out).await
        }
        NetworkCommand::ListLeases(network) => {
            let (client, name) = network.client(fleet).await?;
            let request = client.get(["networks", name, "leases"]);
            let leases = action::run(network.first(), async |job| job.run(request.list()).await).await?;
            lists::list_of(fleet, network, leases, "leases", LEASES, out)
        }
        NetworkCommand::Info(network) => info::info(fleet, network, out).await,
        NetworkCommand::Usual(verb) => usual::usual(fleet, verb, out).await,
        NetworkCommand::Create { network, settings, kind } => {
            usual::create_with(fleet, network, settings, [("type", kind.as_deref())]).await
        }
        NetworkCommand::Rename(rename) => usual::rename(fleet, rename).await,
        NetworkCommand::Attach(command) => attach::run(command, fleet).await,
        NetworkCommand::Forward(command) => forward::run(command, fleet, out).await,
        NetworkCommand::LoadBalancer(command) => load_balancer::run(command, fleet, out).await,
        NetworkCommand::Peer(command) => peer::run(command, fleet, out).await,
        NetworkCommand::Acl(command) => acl::run(command, fleet, out).await,
        NetworkCommand::Zone(command) => zone::run(command, fleet, out).await,
    }
}
