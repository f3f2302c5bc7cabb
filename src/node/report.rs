//! The questions to a node and its answers. The control socket carries both as JSON.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use tailnet::BackendState;

use crate::cloud::report::{Cloud, NetworkPath};

/// How the node is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The version of the program.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// What the node does.
    pub state: BackendState,
    /// Whether it has joined, and every required cloud is reachable.
    pub ready: bool,
    /// Why it is not ready.
    pub reasons: Vec<String>,
    /// Where a person can log in, when it waits for that.
    pub login_url: Option<String>,
    /// What Tailscale's health checks warn of.
    pub health: Vec<String>,
    /// When the node's key expires, in seconds since 1970.
    pub key_expires: Option<u64>,
    /// The exit node, where one is configured.
    #[serde(default)]
    pub exit_node: Option<ExitNode>,
    /// The domain of the tailnet's MagicDNS names.
    pub tailnet: String,
    /// The address of the page in the tailnet, where there is one.
    #[serde(default)]
    pub page: Option<String>,
    /// The node itself.
    pub this: Peer,
    /// The other nodes that it may know of.
    pub peers: Vec<Peer>,
    /// The clouds.
    pub clouds: Vec<Cloud>,
}

/// A node of the tailnet.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[non_exhaustive]
pub struct Peer {
    /// Its short MagicDNS name.
    pub name: String,
    /// Its full MagicDNS name.
    pub dns_name: String,
    /// Its addresses, IPv4 first.
    #[schema(value_type = Vec<String>)]
    pub ips: Vec<IpAddr>,
    /// Whether the control server hears from it.
    pub online: bool,
    /// How packets to it travel.
    #[schema(value_type = String)]
    pub path: NetworkPath,
    /// The subnets that it routes.
    pub routes: Vec<String>,
    /// Bytes sent to it.
    pub sent: u64,
    /// Bytes that came from it.
    pub received: u64,
}

/// The node through which everything outside the tailnet goes.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[non_exhaustive]
pub struct ExitNode {
    /// The name or address that the configuration gives.
    pub configured: String,
    /// Its short MagicDNS name; none where the tailnet has no such node.
    pub name: Option<String>,
    /// Whether the control server hears from it.
    pub online: bool,
    /// Whether it offers itself as an exit node.
    pub offers: bool,
    /// Whether it is in use.
    pub used: bool,
}

impl ExitNode {
    /// Why nothing goes through it; nothing outside the tailnet is reached then.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        match self {
            ExitNode { name: None, .. } => Some("it is not in the tailnet"),
            ExitNode { offers: false, .. } => {
                Some("it does not offer itself as an exit node, or is not approved")
            }
            ExitNode { online: false, .. } => Some("the control server does not hear from it"),
            ExitNode { used: false, .. } => Some("it is not in use yet"),
            _ => None,
        }
    }
}

/// Whom to ping.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PingRequest {
    /// An IP address or a MagicDNS name.
    pub peer: String,
    /// At which layer.
    pub kind: PingKind,
}

/// The layer at which a ping asks; in JSON one of [`PingKind::NAMES`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PingKind {
    /// The peer's Tailscale, outside WireGuard; it also looks for a direct path.
    Disco,
    /// The peer's Tailscale, through WireGuard.
    Tsmp,
    /// The peer's network stack.
    Icmp,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl PingKind {
    /// The kinds by their names.
    pub const NAMES: [&str; 3] = ["disco", "tsmp", "icmp"];
}

impl From<String> for PingKind {
    fn from(name: String) -> PingKind {
        match &*name {
            "disco" => PingKind::Disco,
            "tsmp" => PingKind::Tsmp,
            "icmp" => PingKind::Icmp,
            _ => PingKind::Other(name),
        }
    }
}

/// A sign of life.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pong {
    /// The address that was asked.
    pub ip: IpAddr,
    /// The address of the node that has answered: a subnet router's when the address is behind one.
    pub node_ip: IpAddr,
    /// The short name of the node that has the address or routes to it.
    pub name: String,
    /// Milliseconds from the question to the answer.
    pub ms: f64,
    /// How the packets travelled.
    pub path: NetworkPath,
}

/// Who has an address.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Whois {
    /// The node's full name.
    pub node: String,
    /// Its ACL tags.
    pub tags: Vec<String>,
    /// Whose it is.
    pub user: String,
    /// That person's name.
    pub display_name: String,
}

/// The network around the node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Netcheck {
    /// Whether UDP gets out and back.
    pub udp: bool,
    /// Whether IPv4 does.
    pub ipv4: bool,
    /// Whether IPv6 does.
    pub ipv6: bool,
    /// The node's public addresses.
    pub public: Vec<String>,
    /// Whether a NAT gives another public address for each destination.
    pub mapping_varies: Option<bool>,
    /// The code of the relay region that the node prefers.
    pub preferred_relay: Option<String>,
    /// The relay regions that answered.
    pub relays: Vec<Relay>,
}

/// A relay region.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Relay {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The round trip to it, in milliseconds.
    pub ms: f64,
}

/// How to come up.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UpRequest {
    /// A key to log in with anew; without one, the configuration's where one is needed.
    pub auth_key: Option<String>,
}

/// What a reload changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reloaded {
    /// Clouds that are new.
    pub added: Vec<String>,
    /// Clouds that have gone.
    pub removed: Vec<String>,
    /// Clouds that have changed.
    pub changed: Vec<String>,
    /// Settings that need a restart to change.
    pub needs_restart: Vec<String>,
}
