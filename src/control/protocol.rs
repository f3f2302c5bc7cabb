//! What the control socket carries: JSON over HTTP/1.1 on a Unix socket that only its owner can open.
//!
//! [`endpoints`] lists the requests.
//!
//! A failure has the status 4xx or 5xx and the body [`Failure`].

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use tailnet::BackendState;

use crate::config::CloudKind;

/// The paths of the requests, with the method and the answer of each.
pub mod endpoints {
    #[cfg(doc)]
    use super::*;

    /// `GET`: [`Status`].
    pub const STATUS: &str = "/v1/status";
    /// `POST` with [`PingRequest`]: [`Pong`].
    pub const PING: &str = "/v1/ping";
    /// `GET` with `?address=IP` (or `IP:PORT`, or a name): [`Whois`].
    pub const WHOIS: &str = "/v1/whois";
    /// `GET`: [`Netcheck`].
    pub const NETCHECK: &str = "/v1/netcheck";
    /// `POST` with [`UpRequest`]: [`Status`], once the node has joined.
    pub const UP: &str = "/v1/up";
    /// `POST`: [`Status`], once the node has left its tailnet.
    pub const DOWN: &str = "/v1/down";
    /// `POST`: [`Status`], once the node has left its tailnet and forgotten its identity.
    pub const LOGOUT: &str = "/v1/logout";
    /// `POST`: [`Reloaded`], once the configuration was read again.
    pub const RELOAD: &str = "/v1/reload";
    /// `GET`: a list of [`Cloud`].
    pub const CLOUDS: &str = "/v1/clouds";
    /// `POST`, with a cloud's name in the place of `{name}`: the [`Cloud`], which is probed for this.
    pub const CHECK: &str = "/v1/clouds/{name}/check";
    /// `GET` with `?address=HOST:PORT`, `Connection: Upgrade` and `Upgrade: tcp`: the status `101`, and then the bytes
    /// of a stream through the tailnet.
    pub const DIAL: &str = "/v1/dial";
}

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
    /// How packets to it travel.
    pub path: NetworkPath,
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
    /// What kind of server it is.
    pub kind: CloudKind,
    /// Its address in the tailnet.
    pub address: String,
    /// Whether the service is ready only while it is reachable.
    pub required: bool,
    /// What the newest probe found.
    pub health: Health,
}

/// How packets to another node travel. In JSON it is a text: `direct IP:PORT`, `relay REGION`, or empty where the path
/// is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
#[non_exhaustive]
pub enum NetworkPath {
    /// Not known.
    #[default]
    Unknown,
    /// Straight to this address of the node's.
    Direct(SocketAddr),
    /// Through the DERP relays of this region.
    Relayed(String),
    /// Some way that this version does not know.
    Other(String),
}

impl NetworkPath {
    /// `direct`, `relay` or `unknown`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            NetworkPath::Direct(_) => "direct",
            NetworkPath::Relayed(_) => "relay",
            NetworkPath::Unknown | NetworkPath::Other(_) => "unknown",
        }
    }
}

impl fmt::Display for NetworkPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NetworkPath::Unknown => Ok(()),
            NetworkPath::Direct(address) => write!(f, "direct {address}"),
            NetworkPath::Relayed(region) => write!(f, "relay {region}"),
            NetworkPath::Other(text) => f.write_str(text),
        }
    }
}

impl From<NetworkPath> for String {
    fn from(path: NetworkPath) -> String {
        path.to_string()
    }
}

impl From<String> for NetworkPath {
    fn from(text: String) -> NetworkPath {
        match text.split_once(' ') {
            None if text.is_empty() => NetworkPath::Unknown,
            Some(("direct", address)) => {
                address.parse().map_or(NetworkPath::Other(text), NetworkPath::Direct)
            }
            Some(("relay", region)) => NetworkPath::Relayed(region.to_owned()),
            _ => NetworkPath::Other(text),
        }
    }
}

impl From<tailnet::Path> for NetworkPath {
    fn from(path: tailnet::Path) -> NetworkPath {
        match path {
            tailnet::Path::Direct(address) => NetworkPath::Direct(address),
            tailnet::Path::Relayed { region } if !region.is_empty() => NetworkPath::Relayed(region),
            _ => NetworkPath::Unknown,
        }
    }
}

/// A stage of the way to a cloud's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stage {
    /// The network map has a node with that address or name, or a route to it.
    Netmap,
    /// A TCP connection.
    Tcp,
    /// TLS, with the right certificate.
    Tls,
    /// The API.
    Api,
    /// A stage that this version does not know.
    #[serde(other)]
    Other,
}

/// What a probe of a cloud found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Health {
    /// Whether everything asked of it was answered; `None` before the first probe.
    pub reachable: Option<bool>,
    /// Seconds since 1970 at which that last changed.
    pub since: u64,
    /// The node that has the address, or routes it.
    pub peer: Option<String>,
    /// Whether the control server hears from that node.
    pub online: Option<bool>,
    /// The subnet route that the address is reached by, when no node has it.
    pub route: Option<String>,
    /// How packets travel.
    pub path: NetworkPath,
    /// How many milliseconds TCP took for the connection that is in use.
    pub tcp_ms: Option<f64>,
    /// How many milliseconds its TLS handshake took.
    pub tls_ms: Option<f64>,
    /// How many milliseconds the API took to answer.
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
    /// The first stage that failed.
    pub failed_at: Option<Stage>,
    /// Why.
    pub error: Option<String>,
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

/// Why a request failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Failure {
    /// What went wrong, in one line.
    pub error: String,
    /// The same for programs.
    pub code: FailureCode,
}

/// What kind of failure it was; in JSON as `not_running`, `no_such_peer` and so on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureCode {
    /// The node is not in its tailnet.
    NotRunning,
    /// The address is not in the tailnet.
    NotInTailnet,
    /// The tailnet has no node with that name or address.
    NoSuchPeer,
    /// No DNS server of the tailnet has the name.
    NoSuchHost,
    /// There is no such thing otherwise.
    NotFound,
    /// The request, the key or the configuration makes no sense.
    Invalid,
    /// The control server refused the key.
    AuthRejected,
    /// The node needs a login.
    NeedsLogin,
    /// The node waits for an administrator's approval.
    NeedsApproval,
    /// The node's key has expired.
    KeyExpired,
    /// The control server does not answer.
    ControlUnreachable,
    /// The control server's certificate is not trusted.
    ControlUntrusted,
    /// Nothing listens on the port.
    Refused,
    /// The peer, or a DNS server of the tailnet, is not reached.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// Anything else.
    Failed,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    /// Each value has its text in JSON, both ways.
    fn texts<T: Serialize + DeserializeOwned + PartialEq + Debug>(
        pairs: impl IntoIterator<Item = (T, &'static str)>,
    ) {
        for (value, text) in pairs {
            assert_eq!(serde_json::to_value(&value).unwrap(), json!(text));
            assert_eq!(serde_json::from_value::<T>(json!(text)).unwrap(), value);
        }
    }

    #[test]
    fn the_texts_that_scripts_read_stay() {
        texts([
            (BackendState::NoState, "NoState"),
            (BackendState::NeedsLogin, "NeedsLogin"),
            (BackendState::NeedsMachineAuth, "NeedsMachineAuth"),
            (BackendState::Stopped, "Stopped"),
            (BackendState::Starting, "Starting"),
            (BackendState::Running, "Running"),
            (BackendState::Other, "Other"),
        ]);
        texts([
            (NetworkPath::Unknown, ""),
            (NetworkPath::Direct("1.2.3.4:5".parse().unwrap()), "direct 1.2.3.4:5"),
            (NetworkPath::Direct("[fd7a::1]:5".parse().unwrap()), "direct [fd7a::1]:5"),
            (NetworkPath::Relayed("fra".to_owned()), "relay fra"),
        ]);
        texts([(Stage::Netmap, "netmap"), (Stage::Tcp, "tcp"), (Stage::Tls, "tls"), (Stage::Api, "api")]);
        texts([(PingKind::Disco, "disco"), (PingKind::Tsmp, "tsmp"), (PingKind::Icmp, "icmp")]);
        texts(PingKind::NAMES.map(|name| (PingKind::from(name.to_owned()), name)));
        texts([
            (FailureCode::NotRunning, "not_running"),
            (FailureCode::NotInTailnet, "not_in_tailnet"),
            (FailureCode::NoSuchPeer, "no_such_peer"),
            (FailureCode::NoSuchHost, "no_such_host"),
            (FailureCode::NotFound, "not_found"),
            (FailureCode::Invalid, "invalid"),
            (FailureCode::AuthRejected, "auth_rejected"),
            (FailureCode::NeedsLogin, "needs_login"),
            (FailureCode::NeedsApproval, "needs_approval"),
            (FailureCode::KeyExpired, "key_expired"),
            (FailureCode::ControlUnreachable, "control_unreachable"),
            (FailureCode::ControlUntrusted, "control_untrusted"),
            (FailureCode::Refused, "refused"),
            (FailureCode::Unreachable, "unreachable"),
            (FailureCode::Timeout, "timeout"),
            (FailureCode::Failed, "failed"),
        ]);
    }

    #[test]
    fn texts_of_a_newer_node_are_understood_as_something_else() {
        texts([
            (NetworkPath::Other("peer-relay 1.2.3.4:5:vni:1".to_owned()), "peer-relay 1.2.3.4:5:vni:1"),
            (NetworkPath::Other("direct somewhere".to_owned()), "direct somewhere"),
        ]);
        texts([(PingKind::Other("peerapi".to_owned()), "peerapi")]);
        texts([(FailureCode::Other("locked_out".to_owned()), "locked_out")]);
        assert_eq!(serde_json::from_value::<Stage>(json!("http3")).unwrap(), Stage::Other);
        assert_eq!(serde_json::from_value::<BackendState>(json!("Paused")).unwrap(), BackendState::Other);
    }
}
