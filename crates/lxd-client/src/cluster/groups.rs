//! Groups of a cluster's members: `/1.0/cluster/groups`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::at;
use crate::{Client, Error, List};

/// A group of a cluster's members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ClusterGroup {
    /// Its name.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// The names of those in it.
    pub members: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl ClusterGroup {
    /// A group to create, of these members.
    #[must_use]
    pub fn new<S: Into<String>>(name: &str, members: impl IntoIterator<Item = S>) -> ClusterGroup {
        let members = members.into_iter().map(Into::into).collect();
        ClusterGroup { name: name.to_owned(), members, ..ClusterGroup::default() }
    }
}

handle! {
    /// One group, which may or may not exist; from [`Client::cluster_group`].
    ClusterGroupHandle of ClusterGroup as "/1.0/cluster/groups/{name}": get, update, patch, rename, delete
}

impl Client {
    /// `GET /1.0/cluster/groups`.
    pub fn cluster_groups(&self) -> List<ClusterGroup> {
        List::new(self.get(["cluster", "groups"]))
    }

    /// `POST /1.0/cluster/groups`: creates a group.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_cluster_group(&self, group: &ClusterGroup) -> Result<(), Error> {
        self.post(["cluster", "groups"]).json(group).done().await
    }

    /// A handle of a group. Nothing is sent.
    #[must_use]
    pub fn cluster_group(&self, name: &str) -> ClusterGroupHandle {
        ClusterGroupHandle::new(self, at(["cluster", "groups", name]))
    }
}
