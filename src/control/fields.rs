//! The rows of instances with those fields only that somebody asked for: a long list is short then.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};

use crate::inventory::{InstanceRow, Snapshot};

/// The names of fields; `config.KEY` is one setting. All fields where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(BTreeSet<String>);

impl Fields {
    pub(super) fn parse(text: &str) -> Fields {
        Fields(text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }

    /// Whether a field is among them.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.contains(name)
    }
}

/// A snapshot whose instances have these fields.
pub(super) struct Narrowed<'a>(pub(super) &'a Snapshot, pub(super) &'a Fields);

impl Serialize for Narrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Narrowed(snapshot, fields) = self;
        if fields.0.is_empty() {
            return snapshot.serialize(serializer);
        }
        let instances: Vec<Row<'_>> = snapshot.instances.iter().map(|row| Row(row, fields)).collect();
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("revision", &snapshot.revision)?;
        map.serialize_entry("clouds", &snapshot.clouds)?;
        map.serialize_entry("instances", &instances)?;
        map.serialize_entry("operations", &snapshot.operations)?;
        map.serialize_entry("images", &snapshot.images)?;
        map.end()
    }
}

struct Row<'a>(&'a InstanceRow, &'a Fields);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Row(row, Fields(fields)) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cloud", &row.key.cloud)?;
        map.serialize_entry("project", &row.key.project)?;
        map.serialize_entry("name", &row.key.name)?;
        let mut settings = BTreeMap::new();
        for field in fields {
            match field.as_str() {
                "cloud" | "project" | "name" => {}
                "type" => map.serialize_entry(field, &row.kind)?,
                "status" => map.serialize_entry(field, &row.status)?,
                "description" => map.serialize_entry(field, &row.description)?,
                "architecture" => map.serialize_entry(field, &row.architecture)?,
                // What is left out is false.
                "ephemeral" if row.ephemeral => map.serialize_entry(field, &true)?,
                "stateful" if row.stateful => map.serialize_entry(field, &true)?,
                "ephemeral" | "stateful" => {}
                "profiles" => map.serialize_entry(field, &row.profiles)?,
                "location" => map.serialize_entry(field, &row.location)?,
                "created_at" => map.serialize_entry(field, &row.created_at)?,
                "last_used_at" => map.serialize_entry(field, &row.last_used_at)?,
                "uuid" => map.serialize_entry(field, &row.uuid)?,
                "pool" => map.serialize_entry(field, &row.pool)?,
                "state" => map.serialize_entry(field, &row.state)?,
                "snapshots" => map.serialize_entry(field, &row.snapshots)?,
                "config" => settings.extend(row.config.iter()),
                setting => match setting.strip_prefix("config.") {
                    Some(key) => settings.extend(row.config.get_key_value(key)),
                    None => return Err(S::Error::custom(format!("an instance has no field {setting:?}"))),
                },
            }
        }
        if !settings.is_empty() {
            map.serialize_entry("config", &settings)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::inventory::InstanceKey;

    fn snapshot() -> Snapshot {
        let text = |text: &str| text.to_owned();
        let row = InstanceRow {
            key: InstanceKey { cloud: text("berlin"), project: text("default"), name: text("c1") },
            status: text("Running"),
            kind: text("container"),
            config: Arc::new([(text("user.a"), text("1")), (text("user.b"), text("2"))].into()),
            snapshots: Some(3),
            ..InstanceRow::default()
        };
        Snapshot { instances: vec![Arc::new(row)], ..Snapshot::default() }
    }

    fn told(fields: &str) -> Result<Value, serde_json::Error> {
        let mut told = serde_json::to_value(Narrowed(&snapshot(), &Fields::parse(fields)))?;
        Ok(told["instances"][0].take())
    }

    #[test]
    fn a_row_has_the_fields_that_were_asked_for_and_its_name() {
        let key = json!({"cloud": "berlin", "project": "default", "name": "c1"});
        for (fields, more) in [
            ("name", json!({})),
            ("status,type,ephemeral", json!({"status": "Running", "type": "container"})),
            ("config.user.b,snapshots", json!({"config": {"user.b": "2"}, "snapshots": 3})),
            ("config", json!({"config": {"user.a": "1", "user.b": "2"}})),
            ("config.user.none", json!({})),
        ] {
            let mut expected = key.clone();
            expected.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            assert_eq!(told(fields).unwrap(), expected, "{fields}");
        }
        assert!(told("colour").unwrap_err().to_string().contains("colour"));
    }

    #[test]
    fn all_fields_by_their_names_are_the_whole_row() {
        let Value::Object(whole) = serde_json::to_value(&*snapshot().instances[0]).unwrap() else { panic!() };
        let fields = whole.keys().cloned().chain(["state".to_owned(), "uuid".to_owned()]).collect::<Vec<_>>();
        let narrowed: InstanceRow = serde_json::from_value(told(&fields.join(",")).unwrap()).unwrap();
        assert_eq!(narrowed, *snapshot().instances[0]);
    }
}
