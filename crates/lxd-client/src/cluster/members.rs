//! The members of a cluster, and how a server joins one: `/1.0/cluster/members`.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::handle::handle;
use crate::path::{at, below};
use crate::redacted;
use crate::{Client, Error, List, Operation};

/// A server of a cluster, from [`Client::cluster_members`] or [`ClusterMemberHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClusterMember {
    /// Its name.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub server_name: String,
    /// Where the others reach it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub url: String,
    /// `Online`, `Offline`, `Evacuated` and so on.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub status: String,
    /// The same for people.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub message: String,
    /// What it is for, for people.
    pub description: String,
    /// What may fail together.
    pub failure_domain: String,
    /// What it does for the cluster, such as `database`.
    pub roles: Vec<String>,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(ClusterMember { server_name, url, status, message, description, failure_domain, roles, groups } hides { config, rest });

/// How much a member has left, from [`ClusterMemberHandle::state`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClusterMemberState {
    /// Of the machine: memory, load, processes.
    pub sysinfo: Map<String, Value>,
    /// Of each storage pool.
    pub storage_pools: BTreeMap<String, crate::StoragePoolResources>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// What happens to the instances of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Evacuation {
    /// They go to other members.
    Evacuate,
    /// They come back.
    Restore,
}

/// What lets a server join a cluster, once; from [`Client::create_join_token`]. `Debug` does not show its
/// secret.
#[derive(Clone)]
pub struct JoinToken {
    server_name: String,
    text: String,
}

impl JoinToken {
    /// The name that the server will have.
    #[must_use]
    pub fn server_name(&self) -> &str {
        &self.server_name
    }

    /// The token as the joining server wants it: a secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

handle! {
    /// One member, which may or may not exist; from [`Client::cluster_member`].
    ClusterMemberHandle of ClusterMember as "/1.0/cluster/members/{name}": get, update, patch, delete
}

impl Client {
    /// `GET /1.0/cluster/members`.
    pub fn cluster_members(&self) -> List<ClusterMember> {
        List::new(self.get(["cluster", "members"]))
    }

    /// `POST /1.0/cluster/members`: makes a token by which a server of this name can join.
    ///
    /// # Errors
    /// When the server is in no cluster, or the name is taken.
    pub async fn create_join_token(&self, server_name: &str) -> Result<JoinToken, Error> {
        let request = self.post(["cluster", "members"]).json(&json!({"server_name": server_name}));
        let operation = request.operation().await?;
        let told = &operation.begun_as().metadata;
        let field = |name: &str| told.get(name).cloned().unwrap_or_default();
        let token = json!({
            "server_name": server_name, "fingerprint": field("fingerprint"), "addresses": field("addresses"),
            "secret": field("secret"), "expires_at": told.get("expiresAt").cloned().unwrap_or(json!("0001-01-01T00:00:00Z")),
        });
        if !token["secret"].is_string() {
            return Err(self.protocol("a token without a secret"));
        }
        Ok(JoinToken { server_name: server_name.to_owned(), text: STANDARD.encode(token.to_string()) })
    }

    /// A handle of a member. Nothing is sent. For a client whose requests go to it, see [`Client::target`].
    #[must_use]
    pub fn cluster_member(&self, name: &str) -> ClusterMemberHandle {
        ClusterMemberHandle::new(self, at(["cluster", "members", name]))
    }
}

impl ClusterMemberHandle {
    /// `POST /1.0/cluster/members/{name}`: gives it another name.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the new name is taken.
    pub async fn rename(&self, name: &str) -> Result<(), Error> {
        self.client.post(&self.path[..]).json(&json!({"server_name": name})).done().await
    }

    /// `DELETE /1.0/cluster/members/{name}?force=1`: takes it out of the cluster though it cannot be reached.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn delete_forced(&self) -> Result<(), Error> {
        self.client.delete(&self.path[..]).query("force", 1).done().await
    }

    /// `GET /1.0/cluster/members/{name}/state`: how much it has left. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before LXD 5.5.
    pub async fn state(&self) -> Result<ClusterMemberState, Error> {
        self.client.get(below(&self.path, ["state"])).needs("cluster_member_state").fetch().await
    }

    /// `POST /1.0/cluster/members/{name}/state`: sends its instances away, or gets them back.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn change_state(&self, evacuation: Evacuation) -> Result<Operation, Error> {
        let request = self.client.post(below(&self.path, ["state"]));
        request.json(&json!({"action": evacuation})).operation().await
    }
}
