//! Instances, which are containers and virtual machines: `/1.0/instances`.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Client, List};

/// A container or virtual machine, from [`Client::instances`].
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Instance {
    /// Its name, unique in its project.
    pub name: String,
    /// `Running`, `Stopped`, `Frozen` or `Error`.
    pub status: String,
    /// `container` or `virtual-machine`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its processor architecture, such as `x86_64`.
    #[serde(default)]
    pub architecture: String,
    /// The project it is in.
    #[serde(default)]
    pub project: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Client {
    /// `GET /1.0/instances?recursion=1`: the instances of the project, in one round trip.
    pub fn instances(&self) -> List<Instance> {
        List::new(self.get(["instances"]))
    }
}
