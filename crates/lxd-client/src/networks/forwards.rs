//! Addresses that are forwarded into a network: `/1.0/networks/{name}/forwards`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::NetworkHandle;
use crate::handle::handle;
use crate::path::below;
use crate::redacted;
use crate::{Error, List};

/// An outside address whose traffic goes to instances of a network.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkForward {
    /// The outside address, by which it is known.
    pub listen_address: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings; `target_address` is for what no port is for.
    pub config: BTreeMap<String, String>,
    /// Where the traffic of single ports goes.
    pub ports: Vec<ForwardPort>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(NetworkForward { listen_address, description, ports } hides { config, rest });

/// Ports of a [`NetworkForward`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ForwardPort {
    /// What they are for, for people.
    pub description: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Ports and ranges, such as `80,443,8000-8100`.
    pub listen_port: String,
    /// Whither.
    pub target_address: String,
    /// The ports there; the same when it is empty.
    pub target_port: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl NetworkForward {
    /// A forward to create, of this outside address.
    #[must_use]
    pub fn new(listen_address: &str) -> NetworkForward {
        NetworkForward { listen_address: listen_address.to_owned(), ..NetworkForward::default() }
    }

    /// Adds ports.
    #[must_use]
    pub fn port(mut self, protocol: &str, listen_port: &str, target_address: &str) -> NetworkForward {
        self.ports.push(ForwardPort {
            protocol: protocol.to_owned(),
            listen_port: listen_port.to_owned(),
            target_address: target_address.to_owned(),
            ..ForwardPort::default()
        });
        self
    }
}

handle! {
    /// One forward, which may or may not exist; from [`NetworkHandle::forward`].
    NetworkForwardHandle of NetworkForward as "/1.0/networks/{name}/forwards/{address}":
    get, update, patch, delete
}

impl NetworkHandle {
    /// `GET /1.0/networks/{name}/forwards`.
    pub fn forwards(&self) -> List<NetworkForward> {
        List::new(self.client.get(below(&self.path, ["forwards"])))
    }

    /// `POST /1.0/networks/{name}/forwards`: creates a forward.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the address has one.
    pub async fn create_forward(&self, forward: &NetworkForward) -> Result<(), Error> {
        self.client.post(below(&self.path, ["forwards"])).json(forward).done().await
    }

    /// A handle of a forward, by its outside address. Nothing is sent.
    #[must_use]
    pub fn forward(&self, listen_address: &str) -> NetworkForwardHandle {
        NetworkForwardHandle::new(&self.client, below(&self.path, ["forwards", listen_address]))
    }
}
