//! DNS zones and their records: `/1.0/network-zones`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::{at, below};
use crate::redacted;
use crate::{Client, Error, List};

/// A DNS zone that the server serves.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NetworkZone {
    /// Its name, such as `lxd.example.net`.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// The URLs of what uses it.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(NetworkZone { name, description, used_by } hides { config, rest });

/// A name in a [`NetworkZone`] that was put there by hand.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ZoneRecord {
    /// The name, without the zone's.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// What it stands for.
    pub entries: Vec<ZoneEntry>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(ZoneRecord { name, description, entries } hides { config, rest });

/// What a [`ZoneRecord`] stands for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ZoneEntry {
    /// The kind of DNS record, such as `A` or `TXT`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How long others may keep it, in seconds; 0 for the zone's own.
    pub ttl: u64,
    /// The record's value.
    pub value: String,
}

impl NetworkZone {
    /// A zone to create.
    #[must_use]
    pub fn new(name: &str) -> NetworkZone {
        NetworkZone { name: name.to_owned(), ..NetworkZone::default() }
    }
}

impl ZoneRecord {
    /// A name to create.
    #[must_use]
    pub fn new(name: &str) -> ZoneRecord {
        ZoneRecord { name: name.to_owned(), ..ZoneRecord::default() }
    }

    /// Adds what it stands for.
    #[must_use]
    pub fn entry(mut self, kind: &str, value: &str) -> ZoneRecord {
        self.entries.push(ZoneEntry { kind: kind.to_owned(), ttl: 0, value: value.to_owned() });
        self
    }
}

handle! {
    /// One zone, which may or may not exist; from [`Client::network_zone`].
    NetworkZoneHandle of NetworkZone as "/1.0/network-zones/{zone}": get, update, patch, delete
}

handle! {
    /// One name in a zone, which may or may not exist; from [`NetworkZoneHandle::record`].
    ///
    /// LXD 5.0.2 breaks off in `patch` where there is no `config` among the changes.
    ZoneRecordHandle of ZoneRecord as "/1.0/network-zones/{zone}/records/{record}": get, update, patch, delete
}

impl Client {
    /// `GET /1.0/network-zones`: the zones of the project.
    pub fn network_zones(&self) -> List<NetworkZone> {
        List::new(self.get(["network-zones"]))
    }

    /// `POST /1.0/network-zones`: creates a zone.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_network_zone(&self, zone: &NetworkZone) -> Result<(), Error> {
        self.post(["network-zones"]).json(zone).done().await
    }

    /// A handle of a zone. Nothing is sent.
    #[must_use]
    pub fn network_zone(&self, name: &str) -> NetworkZoneHandle {
        NetworkZoneHandle::new(self, at(["network-zones", name]))
    }
}

impl NetworkZoneHandle {
    /// `GET /1.0/network-zones/{zone}/records`.
    pub fn records(&self) -> List<ZoneRecord> {
        List::new(self.client.get(below(&self.path, ["records"])))
    }

    /// `POST /1.0/network-zones/{zone}/records`: puts a name there.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when it is there.
    pub async fn create_record(&self, record: &ZoneRecord) -> Result<(), Error> {
        self.client.post(below(&self.path, ["records"])).json(record).done().await
    }

    /// A handle of a name. Nothing is sent.
    #[must_use]
    pub fn record(&self, name: &str) -> ZoneRecordHandle {
        ZoneRecordHandle::new(&self.client, below(&self.path, ["records", name]))
    }
}
