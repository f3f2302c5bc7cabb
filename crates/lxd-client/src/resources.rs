//! What the server's machine has, and what is used of it: `/1.0/resources`, `/1.0/metrics`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Client, Error};

/// What a machine has, from [`Client::resources`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Resources {
    /// Its processors.
    pub cpu: CpuResources,
    /// Its memory.
    pub memory: MemoryResources,
    /// All else, such as `gpu`, `network`, `storage`, `usb`, `pci` and `system`.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The processors of a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CpuResources {
    /// Such as `x86_64`.
    pub architecture: String,
    /// How many threads they have together.
    pub total: u64,
    /// All else, such as `sockets`.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// The memory of a machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct MemoryResources {
    /// How much there is, in bytes.
    pub total: u64,
    /// How much is used.
    pub used: u64,
    /// All else, such as `hugepages_total` and `nodes`.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Client {
    /// `GET /1.0/resources`: the processors, memory, disks and cards of the machine. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn resources(&self) -> Result<Resources, Error> {
        self.get(["resources"]).fetch().await
    }

    /// `GET /1.0/metrics`: the instances' figures in the text format of OpenMetrics. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn metrics(&self) -> Result<String, Error> {
        self.get(["metrics"]).needs("metrics").text().await
    }
}
