//! The status of the node and its peers.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::BackendState;
use crate::error::into_io_error;
use crate::go_json::null_is_default;

/// A node's view of itself and its peers, from [`Tailnet::status`](crate::Tailnet::status).
///
/// With serde it has the names of `tailscale status --json`, and is read back as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Status {
    /// What the backend is doing.
    pub backend_state: BackendState,
    /// The node's addresses in the tailnet, IPv4 first; empty before it has joined.
    #[serde(rename = "TailscaleIPs", default, deserialize_with = "null_is_default")]
    pub ips: Vec<IpAddr>,
    /// What Tailscale's health checks warn of, one sentence each.
    #[serde(default, deserialize_with = "null_is_default")]
    pub health: Vec<String>,
    /// The domain of the tailnet's MagicDNS names.
    #[serde(rename = "MagicDNSSuffix", default)]
    pub magic_dns_suffix: String,
    /// The node itself.
    #[serde(rename = "Self")]
    pub this: Peer,
    #[serde(rename = "Peer", default, deserialize_with = "null_is_default")]
    peers: BTreeMap<String, Peer>,
}

impl Status {
    /// The other nodes that this one may know of.
    pub fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    /// The peer that has the address. For an address behind a subnet router there is none.
    #[must_use]
    pub fn peer(&self, ip: IpAddr) -> Option<&Peer> {
        let ip = ip.to_canonical();
        self.peers().find(|peer| peer.ips.contains(&ip))
    }

    /// The peer that routes the address for its subnet, and that subnet: the smallest, as routing takes it.
    #[must_use]
    pub fn router_of(&self, ip: IpAddr) -> Option<(&Peer, Subnet)> {
        let ip = ip.to_canonical();
        let all = self.peers().flat_map(|peer| peer.routes().map(move |route| (peer, route)));
        all.filter(|(_, route)| route.contains(ip)).max_by_key(|(_, route)| route.length)
    }

    /// The peer of that MagicDNS name, short or full.
    #[must_use]
    pub fn peer_named(&self, name: &str) -> Option<&Peer> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.peers().find(|peer| {
            let full = peer.dns_name.trim_end_matches('.');
            full == name || full.strip_suffix(&self.magic_dns_suffix) == Some(&format!("{name}."))
        })
    }
}

/// A node, as another one knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Peer {
    /// The name that the machine gives itself.
    pub host_name: String,
    /// The full MagicDNS name, with its final dot.
    #[serde(rename = "DNSName", default)]
    pub dns_name: String,
    /// Its addresses in the tailnet, IPv4 first.
    #[serde(rename = "TailscaleIPs", default, deserialize_with = "null_is_default")]
    pub ips: Vec<IpAddr>,
    /// The ACL tags that it has.
    #[serde(default, deserialize_with = "null_is_default")]
    pub tags: Vec<String>,
    /// Its operating system, as it says itself.
    #[serde(rename = "OS", default)]
    pub os: String,
    /// Whether the control server hears from it.
    #[serde(default)]
    pub online: bool,
    /// Whether this node has chosen it as its exit node.
    #[serde(default)]
    pub exit_node: bool,
    /// Whether it offers itself as an exit node, and may be one.
    #[serde(default)]
    pub exit_node_option: bool,
    #[serde(rename = "AllowedIPs", default, deserialize_with = "null_is_default")]
    allowed_ips: Vec<String>,
    #[serde(default, deserialize_with = "null_is_default")]
    cur_addr: String,
    /// How many bytes were sent to it, WireGuard's own included.
    #[serde(default)]
    pub tx_bytes: u64,
    /// How many bytes came from it, WireGuard's own included.
    #[serde(default)]
    pub rx_bytes: u64,
    #[serde(default, deserialize_with = "null_is_default")]
    relay: String,
}

impl Peer {
    /// The first part of its MagicDNS name.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.dns_name.split('.').next().filter(|name| !name.is_empty()).unwrap_or(&self.host_name)
    }

    /// The subnets that it routes, whether or not this node accepts routes; an exit node's, which are everything, are
    /// not among them.
    pub fn routes(&self) -> impl Iterator<Item = Subnet> {
        let all = self.allowed_ips.iter().filter_map(|text| text.parse().ok());
        all.filter(|route: &Subnet| route.is_route() && !self.ips.contains(&route.ip))
    }

    /// How packets to it travel at the moment.
    #[must_use]
    pub fn path(&self) -> Path {
        match self.cur_addr.parse() {
            Ok(addr) => Path::Direct(addr),
            Err(_) => Path::Relayed { region: self.relay.clone() },
        }
    }
}

/// A range of addresses, such as `198.51.100.0/24`, which is also how serde has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subnet {
    ip: IpAddr,
    length: u8,
}

impl Subnet {
    /// Its first address.
    pub(crate) fn ip(self) -> IpAddr {
        self.ip
    }

    /// Whether it is a subnet that somebody routes, and not everything, as an exit node's is.
    pub(crate) fn is_route(self) -> bool {
        self.length > 0
    }

    /// Whether the address is in it.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        let same = |own: u128, other: u128, width: u8| {
            (own ^ other).checked_shr((width - self.length).into()).unwrap_or(0) == 0
        };
        match (self.ip, ip) {
            (IpAddr::V4(own), IpAddr::V4(other)) => same(own.to_bits().into(), other.to_bits().into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

impl std::str::FromStr for Subnet {
    type Err = InvalidSubnet;

    fn from_str(text: &str) -> Result<Subnet, InvalidSubnet> {
        let invalid = || InvalidSubnet { text: text.to_owned() };
        let (ip, length) = text.split_once('/').ok_or_else(invalid)?;
        let ip: IpAddr = ip.parse().map_err(|_| invalid())?;
        let length = length.parse().map_err(|_| invalid())?;
        if length > if ip.is_ipv4() { 32 } else { 128 } {
            return Err(invalid());
        }
        Ok(Subnet { ip, length })
    }
}

impl TryFrom<String> for Subnet {
    type Error = InvalidSubnet;

    fn try_from(text: String) -> Result<Subnet, InvalidSubnet> {
        text.parse()
    }
}

impl From<Subnet> for String {
    fn from(subnet: Subnet) -> String {
        subnet.to_string()
    }
}

impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.ip, self.length)
    }
}

/// A text that is no [`Subnet`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a subnet: it must be an IP address, a slash and a length")]
pub struct InvalidSubnet {
    text: String,
}

impl InvalidSubnet {
    /// The [`std::io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> std::io::ErrorKind {
        std::io::ErrorKind::InvalidInput
    }
}

into_io_error!(InvalidSubnet);

/// How packets to a peer travel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Path {
    /// Straight to this address of the peer's.
    Direct(SocketAddr),
    /// Through a DERP relay, or not yet at all.
    Relayed {
        /// The code of the peer's home region; empty when it is not known.
        region: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_has_its_addresses_and_no_others() {
        for (subnet, inside, outside) in [
            ("198.51.100.0/24", "198.51.100.7", "198.51.101.7"),
            ("198.51.100.7/32", "198.51.100.7", "198.51.100.6"),
            ("fd7a::/16", "fd7a:1::2", "fd7b::1"),
            ("128.0.0.0/1", "200.0.0.1", "1.0.0.1"),
        ] {
            let parsed: Subnet = subnet.parse().unwrap();
            assert!(parsed.contains(inside.parse().unwrap()), "{subnet}");
            assert!(!parsed.contains(outside.parse().unwrap()), "{subnet}");
            assert_eq!(parsed.to_string(), subnet);
        }
        for text in ["", "198.51.100.0", "198.51.100.0/33", "x/8"] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }
}
