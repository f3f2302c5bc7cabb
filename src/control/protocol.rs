//! What the control socket carries: JSON over HTTP/1.1 on a Unix socket that only its owner can open.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/status` | [`Status`] |
//! | `POST /v1/ping` with [`PingRequest`] | [`Pong`] |
//! | `GET /v1/whois?address=IP` (or `IP:PORT`, or a name) | [`Whois`] |
//! | `GET /v1/netcheck` | [`Netcheck`] |
//! | `POST /v1/up` with [`UpRequest`] | [`Status`], once the node has joined |
//! | `POST /v1/down`, `POST /v1/logout` | [`Status`] |
//! | `POST /v1/reload` | [`Reloaded`]: the configuration was read again |
//! | `GET /v1/clouds` | a list of [`Cloud`] |
//! | `POST /v1/clouds/NAME/check` | [`Cloud`], looked at now |
//! | `GET /v1/dial?address=HOST:PORT` with `Connection: Upgrade`, `Upgrade: tcp` | `101`, and then the bytes of a stream through the tailnet |
//!
//! A failure has the status 4xx or 5xx and the body [`Failure`].

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::config::CloudKind;

/// How the node is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The version of the program.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// What the node does: `Running`, `NeedsLogin`, `Stopped` and so on.
    pub state: String,
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
    /// The node itself.
    pub this: Peer,
    /// The other nodes that it may know of.
    pub peers: Vec<Peer>,
    /// The clouds.
    pub clouds: Vec<Cloud>,
}

/// A node of the tailnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Peer {
    /// Its short MagicDNS name.
    pub name: String,
    /// Its full MagicDNS name.
    pub dns_name: String,
    /// Its addresses, IPv4 first.
    pub ips: Vec<IpAddr>,
    /// Whether the control server hears from it.
    pub online: bool,
    /// How packets to it travel: `direct IP:PORT`, `relay REGION`, or empty when that is not known.
    pub path: String,
    /// The subnets that it routes.
    pub routes: Vec<String>,
    /// Bytes sent to it.
    pub sent: u64,
    /// Bytes that came from it.
    pub received: u64,
}

/// The node through which everything outside the tailnet goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// How a cloud is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cloud {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: CloudKind,
    /// Its address in the tailnet.
    pub address: String,
    /// Whether the service is ready only while it is reachable.
    pub required: bool,
    /// What the newest look found.
    pub health: Health,
}

/// What a look at a cloud found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Health {
    /// Whether everything asked of it was answered; `None` before the first look.
    pub reachable: Option<bool>,
    /// Seconds since 1970 at which that last changed.
    pub since: u64,
    /// The node that has the address, or routes it.
    pub peer: Option<String>,
    /// Whether the control server hears from that node.
    pub online: Option<bool>,
    /// The subnet route that the address is reached by, when no node has it.
    pub route: Option<String>,
    /// How packets travel: `direct IP:PORT` or `relay REGION`.
    pub path: String,
    /// Milliseconds until a TCP connection was there.
    pub tcp_ms: Option<f64>,
    /// Milliseconds until TLS was there too, from TCP on.
    pub tls_ms: Option<f64>,
    /// Milliseconds until the API answered.
    pub api_ms: Option<f64>,
    /// The fingerprint of its certificate.
    pub fingerprint: Option<String>,
    /// Whether it trusts this node.
    pub trusted: Option<bool>,
    /// `lxd` or `incus`, when it trusts this node.
    pub server: Option<String>,
    /// Its version, when it trusts this node.
    pub version: Option<String>,
    /// The projects that it lets this node use, when the one that is configured is not among them.
    pub projects: Option<Vec<String>>,
    /// The first thing that failed: `netmap`, `tcp`, `tls` or `api`.
    pub failed_at: Option<String>,
    /// Why.
    pub error: Option<String>,
}

/// Whom to ping.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PingRequest {
    /// An IP address or a MagicDNS name.
    pub peer: String,
    /// `disco`, `tsmp` or `icmp`.
    pub kind: String,
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
    pub path: String,
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

/// Why a request failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// What went wrong, in one line.
    pub error: String,
    /// For programs: `not_in_tailnet`, `not_running`, `refused`, `timeout` and so on.
    pub code: String,
}
