//! Rules for the traffic of networks: `/1.0/network-acls`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::{at, below};
use crate::redacted;
use crate::transfer::Download;
use crate::{Client, Error, List};

/// Rules for the traffic of what they are applied to, networks or instances' interfaces.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkAcl {
    /// Its name, unique in its project.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// Rules for what comes.
    pub ingress: Vec<AclRule>,
    /// Rules for what goes.
    pub egress: Vec<AclRule>,
    /// The URLs of what uses it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(NetworkAcl { name, description, ingress, egress, used_by } hides { config, rest });

/// A rule of a [`NetworkAcl`]. What is empty is any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AclRule {
    /// `allow`, `reject` or `drop`.
    pub action: String,
    /// `enabled`, `disabled` or `logged`.
    pub state: String,
    /// What it is for, for people.
    pub description: String,
    /// Addresses and ranges.
    pub source: String,
    /// Addresses and ranges.
    pub destination: String,
    /// `tcp`, `udp`, `icmp4` or `icmp6`.
    pub protocol: String,
    /// Ports and ranges, such as `80,443,8000-8100`.
    pub source_port: String,
    /// Ports and ranges.
    pub destination_port: String,
    /// The ICMP type.
    pub icmp_type: String,
    /// The ICMP code.
    pub icmp_code: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl NetworkAcl {
    /// Rules to create.
    #[must_use]
    pub fn new(name: &str) -> NetworkAcl {
        NetworkAcl { name: name.to_owned(), ..NetworkAcl::default() }
    }
}

impl AclRule {
    /// An enabled rule for all traffic, with this action.
    #[must_use]
    pub fn new(action: &str) -> AclRule {
        AclRule { action: action.to_owned(), state: "enabled".to_owned(), ..AclRule::default() }
    }
}

handle! {
    /// One set of rules, which may or may not exist; from [`Client::network_acl`].
    NetworkAclHandle of NetworkAcl as "/1.0/network-acls/{name}": get, update, patch, rename, delete
}

impl Client {
    /// `GET /1.0/network-acls`: the rules of the project.
    pub fn network_acls(&self) -> List<NetworkAcl> {
        List::new(self.get(["network-acls"]))
    }

    /// `POST /1.0/network-acls`: creates rules.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there are some of that name.
    pub async fn create_network_acl(&self, acl: &NetworkAcl) -> Result<(), Error> {
        self.post(["network-acls"]).json(acl).done().await
    }

    /// A handle of rules. Nothing is sent.
    #[must_use]
    pub fn network_acl(&self, name: &str) -> NetworkAclHandle {
        NetworkAclHandle::new(self, at(["network-acls", name]))
    }
}

impl NetworkAclHandle {
    /// `GET /1.0/network-acls/{name}/log`: what its rules with the state `logged` have seen, as a stream.
    ///
    /// # Errors
    /// When there is no such log.
    pub async fn log(&self) -> Result<Download, Error> {
        self.client.get(below(&self.path, ["log"])).download().await
    }
}
