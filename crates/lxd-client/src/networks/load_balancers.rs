//! Load balancers of a network: `/1.0/networks/{name}/load-balancers`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::NetworkHandle;
use crate::handle::handle;
use crate::path::below;
use crate::redacted;
use crate::{Error, List};

/// The API extension that has load balancers: LXD 5.3 and Incus.
const EXTENSION: &str = "network_load_balancer";

/// An outside address whose traffic is shared among instances of an OVN network.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkLoadBalancer {
    /// The outside address, by which it is known.
    pub listen_address: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// Who takes the traffic.
    pub backends: Vec<LoadBalancerBackend>,
    /// Which traffic goes to which of them.
    pub ports: Vec<LoadBalancerPort>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(NetworkLoadBalancer { listen_address, description, backends, ports } hides { config, rest });

/// One who takes traffic of a [`NetworkLoadBalancer`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LoadBalancerBackend {
    /// Its name, unique in the load balancer.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// Whither.
    pub target_address: String,
    /// The ports there; the same when it is empty.
    pub target_port: String,
}

/// Ports of a [`NetworkLoadBalancer`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LoadBalancerPort {
    /// What they are for, for people.
    pub description: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Ports and ranges, such as `80,443`.
    pub listen_port: String,
    /// The names of the backends.
    pub target_backend: Vec<String>,
}

handle! {
    /// One load balancer, which may or may not exist; from [`NetworkHandle::load_balancer`].
    NetworkLoadBalancerHandle of NetworkLoadBalancer as "/1.0/networks/{name}/load-balancers/{address}"
    needs "network_load_balancer":
    get, update, patch, delete
}

impl NetworkLoadBalancer {
    /// A load balancer to create, of this outside address.
    #[must_use]
    pub fn new(listen_address: &str) -> NetworkLoadBalancer {
        NetworkLoadBalancer { listen_address: listen_address.to_owned(), ..NetworkLoadBalancer::default() }
    }
}

impl NetworkHandle {
    /// `GET /1.0/networks/{name}/load-balancers`; [`Error::Unsupported`] before LXD 5.3.
    pub fn load_balancers(&self) -> List<NetworkLoadBalancer> {
        List::new(self.client.get(below(&self.path, ["load-balancers"])).needs(EXTENSION))
    }

    /// `POST /1.0/networks/{name}/load-balancers`: creates a load balancer.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before LXD 5.3.
    pub async fn create_load_balancer(&self, balancer: &NetworkLoadBalancer) -> Result<(), Error> {
        let request = self.client.post(below(&self.path, ["load-balancers"])).needs(EXTENSION);
        request.json(balancer).done().await
    }

    /// A handle of a load balancer, by its outside address. Nothing is sent.
    #[must_use]
    pub fn load_balancer(&self, listen_address: &str) -> NetworkLoadBalancerHandle {
        NetworkLoadBalancerHandle::new(&self.client, below(&self.path, ["load-balancers", listen_address]))
    }
}
