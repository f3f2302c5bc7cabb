//! What servers list, as rows: of each thing only what a row has is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use lxd_client::OperationState;
use serde::Deserialize;
use serde_json::Value;

use crate::inventory::row::{
    ImageRow, InstanceAddress, InstanceKey, InstanceRow, InstanceUsage, OperationRow,
};

/// An instance as a server lists it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListedInstance {
    name: String,
    project: String,
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
    config: BTreeMap<String, String>,
    expanded_config: BTreeMap<String, String>,
    expanded_devices: BTreeMap<String, BTreeMap<String, String>>,
    state: Option<ListedState>,
    /// `null` where there is none; absent where the server was not asked.
    #[serde(deserialize_with = "present")]
    snapshots: Option<Vec<serde::de::IgnoredAny>>,
}

/// The state of an instance.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::inventory) struct ListedState {
    pid: i64,
    processes: i64,
    memory: Memory,
    cpu: Cpu,
    disk: BTreeMap<String, Disk>,
    network: BTreeMap<String, Network>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Memory {
    usage: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Cpu {
    usage: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Disk {
    usage: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Network {
    addresses: Vec<Address>,
    counters: Counters,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Address {
    address: String,
    scope: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counters {
    bytes_received: i64,
    bytes_sent: i64,
}

/// An image as a server lists it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::inventory) struct ListedImage {
    fingerprint: String,
    project: String,
    aliases: Vec<Alias>,
    architecture: String,
    #[serde(rename = "type")]
    kind: String,
    size: u64,
    public: bool,
    cached: bool,
    uploaded_at: String,
    properties: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Alias {
    name: String,
}

/// A list that is there, be it `null`.
fn present<'de, D: serde::Deserializer<'de>, T: Deserialize<'de>>(
    source: D,
) -> Result<Option<Vec<T>>, D::Error> {
    Ok(Some(Option::<Vec<T>>::deserialize(source)?.unwrap_or_default()))
}

impl ListedInstance {
    /// [`row`](ListedInstance::row) with all settings that the server tells: those that it keeps for itself, and those of
    /// devices, each as `devices:NAME.KEY`.
    pub(crate) fn whole_row(self, cloud: &str, project: &str, now: u64) -> InstanceRow {
        let mut config = self.config.clone();
        config.extend(self.expanded_config.clone());
        for (device, settings) in &self.expanded_devices {
            let named =
                settings.iter().map(|(key, value)| (format!("devices:{device}.{key}"), value.clone()));
            config.extend(named);
        }
        InstanceRow { config: Arc::new(config), ..self.row(cloud, project, now) }
    }

    /// The row, and what is used now, of an instance that is in that project if it says of none.
    pub(crate) fn row(self, cloud: &str, project: &str, now: u64) -> InstanceRow {
        let project = if self.project.is_empty() { project.to_owned() } else { self.project };
        let uuid = self.config.get("volatile.uuid").cloned().unwrap_or_default();
        let mut config = if self.expanded_config.is_empty() { self.config } else { self.expanded_config };
        config.retain(|key, _| !key.starts_with("volatile.") || key == "volatile.base_image");
        let mut devices = self.expanded_devices.into_values();
        let is = |device: &BTreeMap<String, String>, key, value| {
            device.get(key).is_some_and(|found| found == value)
        };
        let root = devices.find(|device| is(device, "type", "disk") && is(device, "path", "/"));
        let pool = root.and_then(|mut root| root.remove("pool")).unwrap_or_default();
        // The state of one that does not run has no process, and no news.
        let state = self.state.filter(|state| state.pid > 0).map(|state| state.usage(now));
        InstanceRow {
            key: InstanceKey { cloud: cloud.to_owned(), project, name: self.name },
            kind: self.kind,
            status: self.status,
            description: self.description,
            architecture: self.architecture,
            ephemeral: self.ephemeral,
            stateful: self.stateful,
            profiles: self.profiles,
            location: self.location,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            uuid,
            config: Arc::new(config),
            pool,
            state,
            snapshots: self.snapshots.map(|list| list.len()),
        }
    }
}

impl ListedState {
    pub(in crate::inventory) fn usage(self, now: u64) -> InstanceUsage {
        let positive = |n: i64| u64::try_from(n).unwrap_or_default();
        let networks = || self.network.iter().filter(|(name, _)| *name != "lo");
        let addresses = networks()
            .flat_map(|(name, network)| network.addresses.iter().map(move |address| (name, address)));
        let counters = || networks().map(|(_, network)| &network.counters);
        InstanceUsage {
            at: now,
            addresses: addresses
                .filter(|(_, address)| address.scope == "global")
                .map(|(interface, address)| InstanceAddress {
                    interface: interface.clone(),
                    address: address.address.clone(),
                })
                .collect(),
            pid: self.pid,
            processes: self.processes,
            cpu_seconds: positive(self.cpu.usage) as f64 / 1e9,
            memory: positive(self.memory.usage),
            disk: self.disk.get("root").map(|disk| positive(disk.usage)).unwrap_or_default(),
            received: counters().map(|counters| positive(counters.bytes_received)).sum(),
            sent: counters().map(|counters| positive(counters.bytes_sent)).sum(),
        }
    }
}

impl ListedImage {
    pub(in crate::inventory) fn row(self, cloud: &str, project: &str) -> ImageRow {
        ImageRow {
            cloud: cloud.to_owned(),
            project: if self.project.is_empty() { project.to_owned() } else { self.project },
            fingerprint: self.fingerprint,
            aliases: self.aliases.into_iter().map(|alias| alias.name).collect(),
            description: self.properties.get("description").cloned().unwrap_or_default(),
            architecture: self.architecture,
            kind: self.kind,
            size: self.size,
            public: self.public,
            cached: self.cached,
            uploaded_at: self.uploaded_at,
        }
    }
}

/// The row of an operation, which is in that project if it says of none.
pub(crate) fn operation_row(cloud: &str, project: &str, state: OperationState) -> OperationRow {
    let progress = state.progress().unwrap_or_default().to_owned();
    let paths = state.resources.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let mut resources: Vec<String> = paths.map(str::to_owned).collect();
    resources.sort();
    OperationRow {
        cloud: cloud.to_owned(),
        project: if state.project.is_empty() { project.to_owned() } else { state.project },
        id: state.id,
        class: state.class,
        description: state.description,
        status: state.status,
        status_code: state.status_code,
        progress,
        error: state.err,
        created_at: state.created_at,
        updated_at: state.updated_at,
        location: state.location,
        resources,
        may_cancel: state.may_cancel,
    }
}
