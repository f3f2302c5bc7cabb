//! The rows of the inventory: what each cloud has, as a list shows it. In JSON they are what the control socket and the API
//! give.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

/// The name of an instance among all clouds.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
pub(crate) struct InstanceKey {
    /// The cloud's name, as in the configuration.
    pub(crate) cloud: String,
    pub(crate) project: String,
    pub(crate) name: String,
}

/// An instance. `Debug` leaves its settings out, which may hold secrets.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(from = "FlatRow")]
pub(crate) struct InstanceRow {
    #[serde(flatten)]
    pub(crate) key: InstanceKey,
    /// `container` or `virtual-machine`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// Such as `Running`.
    pub(crate) status: String,
    pub(crate) description: String,
    pub(crate) architecture: String,
    pub(crate) ephemeral: bool,
    pub(crate) stateful: bool,
    pub(crate) profiles: Vec<String>,
    /// The member of a cluster that it is on; empty or `none` elsewhere.
    pub(crate) location: String,
    /// RFC 3339.
    pub(crate) created_at: String,
    pub(crate) last_used_at: String,
    /// The server's own number for it, a UUID: another one under the same name is another instance. Empty where the server
    /// has none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) uuid: String,
    /// Its settings with those of its profiles, without what the server keeps for itself (`volatile.*`, but for the base
    /// image).
    #[schema(value_type = BTreeMap<String, String>)]
    pub(crate) config: Arc<BTreeMap<String, String>>,
    /// What it uses and where it is reached; none where nobody has looked yet, and while it is stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<InstanceUsage>,
    /// The storage pool of its root disk.
    pub(crate) pool: String,
    /// How many snapshots it has, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) snapshots: Option<usize>,
}

/// [`InstanceRow`] as it is read: serde reads a flattened struct several times slower, and lists are long.
#[derive(Default, Deserialize)]
#[serde(default)]
struct FlatRow {
    cloud: String,
    project: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    description: String,
    architecture: String,
    ephemeral: bool,
    stateful: bool,
    profiles: Vec<String>,
    location: String,
    created_at: String,
    last_used_at: String,
    uuid: String,
    config: Option<Arc<BTreeMap<String, String>>>,
    state: Option<InstanceUsage>,
    pool: String,
    snapshots: Option<usize>,
}

/// The settings of the rows that were asked for without them.
static NO_SETTINGS: LazyLock<Arc<BTreeMap<String, String>>> = LazyLock::new(Arc::default);

impl From<FlatRow> for InstanceRow {
    fn from(row: FlatRow) -> InstanceRow {
        InstanceRow {
            key: InstanceKey { cloud: row.cloud, project: row.project, name: row.name },
            kind: row.kind,
            status: row.status,
            description: row.description,
            architecture: row.architecture,
            ephemeral: row.ephemeral,
            stateful: row.stateful,
            profiles: row.profiles,
            location: row.location,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            uuid: row.uuid,
            config: row.config.unwrap_or_else(|| Arc::clone(&NO_SETTINGS)),
            state: row.state,
            pool: row.pool,
            snapshots: row.snapshots,
        }
    }
}

impl fmt::Debug for InstanceRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceRow")
            .field("key", &self.key)
            .field("status", &self.status)
            .field("created_at", &self.created_at)
            .field("state", &self.state)
            .field("snapshots", &self.snapshots)
            .finish_non_exhaustive()
    }
}

impl InstanceRow {
    /// Whether this is the same instance, and not another one under the same name, as after a server was restored from a
    /// backup. A row that knows neither number nor date may be any.
    pub(crate) fn is_same_as(&self, other: &InstanceRow) -> bool {
        let fits = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
        fits(&self.uuid, &other.uuid) && fits(&self.created_at, &other.created_at)
    }

    /// Whether it uses processor and memory.
    pub(crate) fn is_running(&self) -> bool {
        !matches!(self.status.as_str(), "Stopped" | "Error")
    }
}

/// What an instance uses, and where it is reached, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(crate) struct InstanceUsage {
    /// When, in seconds since 1970.
    pub(crate) at: u64,
    /// Its global addresses.
    pub(crate) addresses: Vec<InstanceAddress>,
    /// The number of its first process, as the server's machine sees it.
    pub(crate) pid: i64,
    pub(crate) processes: i64,
    /// CPU time since its start, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Bytes of memory in use.
    pub(crate) memory: u64,
    /// Bytes of its root disk, where the storage tells that.
    pub(crate) disk: u64,
    /// Bytes over its networks since its start, the loopback left out.
    pub(crate) received: u64,
    pub(crate) sent: u64,
}

impl InstanceUsage {
    /// Whether the instance is where it was: the same process, and the same addresses.
    pub(crate) fn is_where(&self, other: &InstanceUsage) -> bool {
        (self.pid, &self.addresses) == (other.pid, &other.addresses)
    }

    /// How fast the instance has used things since an earlier moment. None where it was started anew between.
    pub(crate) fn since(&self, before: &InstanceUsage) -> Option<Rates> {
        let seconds = self.at.checked_sub(before.at).filter(|seconds| *seconds > 0)? as f64;
        let a_second = |after: u64, before: u64| Some(after.checked_sub(before)? as f64 / seconds);
        let cpu = self.cpu_seconds - before.cpu_seconds;
        (cpu >= 0.0).then_some(Rates {
            cpu_percent: cpu / seconds * 100.0,
            received: a_second(self.received, before.received)?,
            sent: a_second(self.sent, before.sent)?,
        })
    }
}

/// How fast an instance uses things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub(crate) struct Rates {
    /// Of one processor.
    pub(crate) cpu_percent: f64,
    /// In bytes a second.
    pub(crate) received: f64,
    /// In bytes a second.
    pub(crate) sent: f64,
}

/// An address of an instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(crate) struct InstanceAddress {
    /// Its network interface, such as `eth0`.
    pub(crate) interface: String,
    pub(crate) address: String,
}

/// An operation of a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(crate) struct OperationRow {
    pub(crate) cloud: String,
    pub(crate) project: String,
    /// Its number, the server's own.
    pub(crate) id: String,
    /// `task`, `websocket` or `token`.
    pub(crate) class: String,
    pub(crate) description: String,
    pub(crate) status: String,
    /// From 200 on it has ended, and 200 alone is success.
    pub(crate) status_code: u16,
    /// What the server says of its progress.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) progress: String,
    /// Why it failed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) error: String,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
    pub(crate) location: String,
    /// What it works on: paths of endpoints.
    pub(crate) resources: Vec<String>,
    pub(crate) may_cancel: bool,
}

impl OperationRow {
    /// Whether it waits for its begin.
    pub(crate) fn is_pending(&self) -> bool {
        self.status_code == 105
    }

    /// Whether it has ended.
    pub(crate) fn is_final(&self) -> bool {
        self.status_code >= 200
    }
}

/// The name of an operation among all clouds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct OperationKey {
    pub(crate) cloud: String,
    pub(crate) id: String,
}

/// An image of a server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ImageRow {
    pub(crate) cloud: String,
    pub(crate) project: String,
    pub(crate) fingerprint: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) description: String,
    pub(crate) architecture: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) public: bool,
    pub(crate) cached: bool,
    pub(crate) uploaded_at: String,
}

/// The name of an image among all clouds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct ImageKey {
    pub(crate) cloud: String,
    pub(crate) project: String,
    pub(crate) fingerprint: String,
}

/// A cloud, and how fresh its rows are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CloudRow {
    pub(crate) name: String,
    /// `lxd` or `incus`, as the server says.
    pub(crate) server: String,
    pub(crate) version: String,
    /// The projects that this node may see.
    pub(crate) projects: Vec<String>,
    /// Whether its rows were read at all.
    pub(crate) filled: bool,
    /// Since when its rows are no longer kept up to date, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stale_since: Option<u64>,
    /// Why they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stale_reason: Option<String>,
}
