use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Deserializer};

use crate::BackendState;

/// A node's view of itself and its peers, from [`Tailnet::status`](crate::Tailnet::status).
#[derive(Clone, Debug, Deserialize)]
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
        self.peers().find(|peer| peer.ips.contains(&ip))
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
#[derive(Clone, Debug, Deserialize)]
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
    /// How packets to it travel at the moment.
    #[must_use]
    pub fn path(&self) -> Path {
        match self.cur_addr.parse() {
            Ok(addr) => Path::Direct(addr),
            Err(_) => Path::Relayed { region: self.relay.clone() },
        }
    }
}

/// How packets to a peer travel.
#[derive(Clone, Debug, PartialEq, Eq)]
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

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
