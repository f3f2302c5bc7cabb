//! The rows of instances with those fields only that somebody asked for: a long list is short then.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::inventory::{InstanceRow, Snapshot};

/// What is asked for of each instance, besides its name; all where there is none.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<Field>);

/// A field of a row, by its name in JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Field {
    // These three are always told.
    Cloud,
    Project,
    Name,
    Type,
    Status,
    Description,
    Architecture,
    Ephemeral,
    Stateful,
    Profiles,
    Location,
    CreatedAt,
    LastUsedAt,
    Uuid,
    Pool,
    State,
    Snapshots,
    Config,
    /// One setting, by its key: `config.KEY`.
    #[serde(skip)]
    Setting(String),
}

impl Fields {
    /// Reads names with commas between them. The error is the name of no field.
    pub(super) fn parse(text: &str) -> Result<Fields, String> {
        let names = text.split(',').filter(|name| !name.is_empty());
        let fields = names.map(|name| match name.strip_prefix("config.") {
            Some(key) => Ok(Field::Setting(key.to_owned())),
            None => serde_json::from_value(name.into()).map_err(|_| name.to_owned()),
        });
        Ok(Fields(fields.collect::<Result<BTreeSet<_>, _>>()?.into_iter().collect()))
    }

    /// Whether the state of instances is among them, or their snapshots, which somebody has to look at.
    pub(super) fn need_a_look(&self) -> bool {
        self.0.is_empty() || self.0.contains(&Field::State) || self.0.contains(&Field::Snapshots)
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
        let instances: Vec<Row<'_>> = snapshot.instances.iter().map(|row| Row(row, &fields.0)).collect();
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("revision", &snapshot.revision)?;
        map.serialize_entry("clouds", &snapshot.clouds)?;
        map.serialize_entry("instances", &instances)?;
        map.serialize_entry("operations", &snapshot.operations)?;
        map.serialize_entry("images", &snapshot.images)?;
        map.end()
    }
}

struct Row<'a>(&'a InstanceRow, &'a [Field]);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Row(row, fields) = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cloud", &row.key.cloud)?;
        map.serialize_entry("project", &row.key.project)?;
        map.serialize_entry("name", &row.key.name)?;
        let mut settings = BTreeMap::new();
        for field in *fields {
            match field {
                Field::Cloud | Field::Project | Field::Name => {}
                Field::Type => map.serialize_entry(field, &row.kind)?,
                Field::Status => map.serialize_entry(field, &row.status)?,
                Field::Description => map.serialize_entry(field, &row.description)?,
                Field::Architecture => map.serialize_entry(field, &row.architecture)?,
                // What is left out is false.
                Field::Ephemeral if row.ephemeral => map.serialize_entry(field, &true)?,
                Field::Stateful if row.stateful => map.serialize_entry(field, &true)?,
                Field::Ephemeral | Field::Stateful => {}
                Field::Profiles => map.serialize_entry(field, &row.profiles)?,
                Field::Location => map.serialize_entry(field, &row.location)?,
                Field::CreatedAt => map.serialize_entry(field, &row.created_at)?,
                Field::LastUsedAt => map.serialize_entry(field, &row.last_used_at)?,
                Field::Uuid => map.serialize_entry(field, &row.uuid)?,
                Field::Pool => map.serialize_entry(field, &row.pool)?,
                Field::State if row.state.is_some() => map.serialize_entry(field, &row.state)?,
                Field::State => {}
                Field::Snapshots => map.serialize_entry(field, &row.snapshots)?,
                Field::Config => settings.extend(row.config.iter()),
                Field::Setting(key) => settings.extend(row.config.get_key_value(key)),
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

    fn told(fields: &str) -> Result<Value, String> {
        let mut told = serde_json::to_value(Narrowed(&snapshot(), &Fields::parse(fields)?)).unwrap();
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
        assert_eq!(told("status,colour").unwrap_err(), "colour");
    }

    #[test]
    fn all_fields_by_their_names_are_the_whole_row() {
        let Value::Object(whole) = serde_json::to_value(&*snapshot().instances[0]).unwrap() else { panic!() };
        let fields = whole.keys().cloned().chain(["state".to_owned(), "uuid".to_owned()]).collect::<Vec<_>>();
        let narrowed: InstanceRow = serde_json::from_value(told(&fields.join(",")).unwrap()).unwrap();
        assert_eq!(narrowed, *snapshot().instances[0]);
    }
}
