//! The report on a cloud: how its last probe went, and by which path. The control socket carries it as JSON.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::config::CloudKind;
use crate::failure_code::FailureCode;

/// How a cloud is.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[non_exhaustive]
pub struct Cloud {
    /// Its name.
    pub name: String,
    /// The kind of server.
    pub kind: CloudKind,
    /// Its address in the tailnet.
    pub address: String,
    /// Whether the service is ready only while it is reachable.
    pub required: bool,
    /// The result of the newest probe.
    pub health: Health,
}

/// The result of a probe of a cloud.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
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
    #[schema(value_type = String)]
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
    /// The kind of failure, where no connection was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<FailureCode>,
}

/// A stage of the way to a cloud's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
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
