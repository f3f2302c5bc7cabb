//! Networks of a server, and what belongs to them: `/1.0/networks`, `/1.0/network-acls`, `/1.0/network-zones`.

mod acls;
mod forwards;
mod load_balancers;
mod peers;
mod zones;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::{at, below};
use crate::redacted;
use crate::{Client, Error, List};

pub use acls::{AclRule, NetworkAcl, NetworkAclHandle};
pub use forwards::{ForwardPort, NetworkForward, NetworkForwardHandle};
pub use load_balancers::{
    LoadBalancerBackend, LoadBalancerPort, NetworkLoadBalancer, NetworkLoadBalancerHandle,
};
pub use peers::{NetworkPeer, NetworkPeerHandle};
pub use zones::{NetworkZone, NetworkZoneHandle, ZoneEntry, ZoneRecord, ZoneRecordHandle};

/// A network, from [`Client::networks`] or [`NetworkHandle::get`]; also an interface of the server's machine,
/// which is not managed.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Network {
    /// Its name, unique in its project, and that of the interface.
    pub name: String,
    /// `bridge`, `ovn`, `macvlan`, `sriov` or `physical`; empty for `bridge` when it is created.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings, such as `ipv4.address`.
    pub config: BTreeMap<String, String>,
    /// Whether the server made it, and can change it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub managed: bool,
    /// `Created`, `Pending`, `Errored` and so on.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub status: String,
    /// The URLs of what uses it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Network { name, kind, description, managed, status, used_by } hides { config, rest });

/// An address that a network gave to somebody, from [`NetworkHandle::leases`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkLease {
    /// To whom: the name of an instance, as a rule.
    pub hostname: String,
    /// To which hardware address.
    pub hwaddr: String,
    /// Which address.
    pub address: String,
    /// `static`, `dynamic`, `gateway` or `uplink`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The cluster's member where it is.
    pub location: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// How a network is right now, from [`NetworkHandle::state`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkState {
    /// `up` or `down`.
    pub state: String,
    /// `broadcast`, `loopback` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its hardware address.
    pub hwaddr: String,
    /// The largest packet, in bytes.
    pub mtu: u64,
    /// Its addresses.
    pub addresses: Vec<NetworkAddress>,
    /// What went through it: `bytes_received`, `bytes_sent`, `packets_received`, `packets_sent`.
    pub counters: BTreeMap<String, i64>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// An address of a network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkAddress {
    /// `inet` or `inet6`.
    pub family: String,
    /// The address.
    pub address: String,
    /// How many of its first bits are the network's.
    pub netmask: String,
    /// `global`, `link` or `local`.
    pub scope: String,
}

/// An address that is taken, and by what; from [`Client::network_allocations`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkAllocation {
    /// The address or range, such as `192.0.2.0/24`.
    #[serde(rename = "addresses", alias = "address")]
    pub address: String,
    /// The URL of what has it.
    pub used_by: String,
    /// `network`, `instance`, `network-forward` or `network-load-balancer`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The hardware address, where it has one.
    pub hwaddr: String,
    /// Whether the outside sees another address.
    pub nat: bool,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Network {
    /// A network to create.
    #[must_use]
    pub fn new(name: &str) -> Network {
        Network { name: name.to_owned(), ..Network::default() }
    }
}

handle! {
    /// One network, which may or may not exist; from [`Client::network`].
    NetworkHandle of Network as "/1.0/networks/{name}": get, update, patch, rename, delete
}

impl Client {
    /// `GET /1.0/networks`: the networks of the project, and the interfaces of the server's machine.
    pub fn networks(&self) -> List<Network> {
        List::new(self.get(["networks"]))
    }

    /// `POST /1.0/networks`: creates a network. In a cluster it is created on each member first, by clients
    /// with that [`target`](Client::target), and then without.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_network(&self, network: &Network) -> Result<(), Error> {
        self.post(["networks"]).json(network).done().await
    }

    /// A handle of a network. Nothing is sent.
    #[must_use]
    pub fn network(&self, name: &str) -> NetworkHandle {
        NetworkHandle::new(self, at(["networks", name]))
    }

    /// `GET /1.0/network-allocations`: the addresses that are taken. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before LXD 5.17.
    pub async fn network_allocations(&self) -> Result<Vec<NetworkAllocation>, Error> {
        self.get(["network-allocations"]).needs("network_allocations").list().await
    }
}

impl NetworkHandle {
    /// `GET /1.0/networks/{name}/leases`: the addresses that it gave away. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is no such network, or it gives none.
    pub async fn leases(&self) -> Result<Vec<NetworkLease>, Error> {
        self.client.get(below(&self.path, ["leases"])).list().await
    }

    /// `GET /1.0/networks/{name}/state`: how it is right now. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn state(&self) -> Result<NetworkState, Error> {
        self.client.get(below(&self.path, ["state"])).fetch().await
    }
}
