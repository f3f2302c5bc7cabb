//! Servers that are one cluster: `/1.0/cluster`.

mod groups;
mod members;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Client, Error, Operation, Versioned};

pub use groups::{ClusterGroup, ClusterGroupHandle};
pub use members::{ClusterMember, ClusterMemberHandle, ClusterMemberState, Evacuation, JoinToken};

/// A server's place in a cluster, from [`Client::cluster`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Cluster {
    /// Its name in the cluster.
    pub server_name: String,
    /// Whether it is in one.
    pub enabled: bool,
    /// The settings that a server has to bring when it joins, each an object with `entity`, `name`, `key`
    /// and `value`.
    pub member_config: Vec<Map<String, Value>>,
    /// What else a change needs, such as `cluster_address` and `cluster_certificate`; and all else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Client {
    /// `GET /1.0/cluster`. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`]; that there is no cluster is none.
    pub async fn cluster(&self) -> Result<Versioned<Cluster>, Error> {
        self.get(["cluster"]).versioned().await
    }

    /// `PUT /1.0/cluster`: makes a cluster of the server, has it join one, or take leave.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn update_cluster(&self, cluster: &Versioned<Cluster>) -> Result<Operation, Error> {
        self.put(["cluster"]).if_match(cluster).json(&cluster.value).operation().await
    }

    /// `PUT /1.0/cluster/certificate`: gives all members another certificate, both parts in PEM. Whoever knows
    /// the cluster by the old one does not know it any more.
    ///
    /// # Errors
    /// When the key is not that of the certificate.
    pub async fn update_cluster_certificate(&self, certificate: &str, key: &str) -> Result<(), Error> {
        let body = json!({"cluster_certificate": certificate, "cluster_certificate_key": key});
        self.put(["cluster", "certificate"]).json(&body).done().await
    }
}
