//! What is asked of the inventory, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::change::Revision;
use super::row::{CloudRow, ImageRow, InstanceRow, OperationRow};

/// Which rows are asked for. The default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Query {
    /// Of these clouds alone; of all when there is none.
    pub(crate) clouds: Vec<String>,
    /// Of these projects alone; of all when there is none.
    pub(crate) projects: Vec<String>,
    /// These kinds of rows alone; all when there is none. The clouds' own rows are always given.
    pub(crate) kinds: Vec<Kind>,
}

/// A kind of row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Instances,
    Operations,
    Images,
}

impl Kind {
    /// Its name, as in JSON.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Instances => "instances",
            Kind::Operations => "operations",
            Kind::Images => "images",
        }
    }
}

impl Query {
    pub(crate) fn has_cloud(&self, name: &str) -> bool {
        self.clouds.is_empty() || self.clouds.iter().any(|cloud| cloud == name)
    }

    pub(crate) fn has_project(&self, name: &str) -> bool {
        self.projects.is_empty() || self.projects.iter().any(|project| project == name)
    }

    pub(crate) fn has_kind(&self, kind: Kind) -> bool {
        self.kinds.is_empty() || self.kinds.contains(&kind)
    }
}

/// The rows of one moment, each list in the order of clouds, projects and names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Snapshot {
    /// All changes up to this one are in it.
    pub(crate) revision: Revision,
    pub(crate) clouds: Vec<Arc<CloudRow>>,
    pub(crate) instances: Vec<Arc<InstanceRow>>,
    pub(crate) operations: Vec<Arc<OperationRow>>,
    pub(crate) images: Vec<Arc<ImageRow>>,
}

/// How much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Overview {
    pub(crate) revision: Revision,
    pub(crate) clouds: Vec<Counts>,
}

/// How much a cloud has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counts {
    pub(crate) name: String,
    /// Whether its rows are not up to date, or were never read.
    pub(crate) stale: bool,
    pub(crate) instances: usize,
    /// The instances by their status, such as `Running`.
    pub(crate) statuses: BTreeMap<String, usize>,
    /// Operations that have not ended.
    pub(crate) operations: usize,
    pub(crate) images: usize,
}
