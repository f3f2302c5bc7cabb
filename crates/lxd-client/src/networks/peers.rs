//! Peerings between networks: `/1.0/networks/{name}/peers`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::NetworkHandle;
use crate::handle::handle;
use crate::path::below;
use crate::redacted;
use crate::{Error, List};

/// Half of a connection between two OVN networks; the other has the other half.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkPeer {
    /// Its name, unique in the network.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// The other network's project.
    pub target_project: String,
    /// The other network.
    pub target_network: String,
    /// `Pending`, `Created` or `Errored`.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub status: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(NetworkPeer { name, description, target_project, target_network, status } hides { config, rest });

impl NetworkPeer {
    /// A half to create, towards a network of a project.
    #[must_use]
    pub fn new(name: &str, target_project: &str, target_network: &str) -> NetworkPeer {
        NetworkPeer {
            name: name.to_owned(),
            target_project: target_project.to_owned(),
            target_network: target_network.to_owned(),
            ..NetworkPeer::default()
        }
    }
}

handle! {
    /// One half of a connection, which may or may not exist; from [`NetworkHandle::peer`].
    NetworkPeerHandle of NetworkPeer as "/1.0/networks/{name}/peers/{peer}": get, update, patch, delete
}

impl NetworkHandle {
    /// `GET /1.0/networks/{name}/peers`.
    pub fn peers(&self) -> List<NetworkPeer> {
        List::new(self.client.get(below(&self.path, ["peers"])))
    }

    /// `POST /1.0/networks/{name}/peers`: creates this network's half.
    ///
    /// # Errors
    /// When the network is not of the type `ovn`.
    pub async fn create_peer(&self, peer: &NetworkPeer) -> Result<(), Error> {
        self.client.post(below(&self.path, ["peers"])).json(peer).done().await
    }

    /// A handle of a half. Nothing is sent.
    #[must_use]
    pub fn peer(&self, name: &str) -> NetworkPeerHandle {
        NetworkPeerHandle::new(&self.client, below(&self.path, ["peers", name]))
    }
}
