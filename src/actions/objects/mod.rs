//! What is alike for all that a server keeps by name: profiles, networks, volumes and so on. A kind is a row of
//! `kinds.rs`; what only one kind has is in that kind's own file beside this folder.
//!
//! A thing is a JSON object as the server has it, so that an update sends back what this program does not know of.

mod items;
mod kinds;
mod lists;
mod settings;

use std::collections::BTreeMap;

use lxd_client::http::Method;
use lxd_client::{Client, Request, Versioned};
use serde_json::{Map, Value};

use super::{ActionError, Job, conflict};

pub(crate) use items::{add_item, remove_items};
pub(crate) use kinds::*;
pub(crate) use lists::{list, list_of_all_projects};
pub(crate) use settings::{
    add_device, remove_devices, set_config, set_device, set_fields, unset_config, unset_device,
};

/// A thing as the server has it.
pub(crate) type Fields = Map<String, Value>;

/// Settings, by key.
pub(crate) type Settings = BTreeMap<String, String>;

/// How often a change is tried on what somebody else has just changed.
const TRIES: usize = 5;

/// One thing of a server, which may or may not exist.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) kind: &'static Kind,
    client: Client,
    path: Vec<String>,
}

impl Object {
    /// The thing of these names: its own one, behind those of what it belongs to.
    pub(crate) fn new(client: &Client, kind: &'static Kind, names: &[&str]) -> Object {
        let mut path = list_path(kind, names);
        path.extend(names.last().map(|&name| name.to_owned()));
        Object { kind, client: client.clone(), path }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    fn ask(&self, method: Method) -> Request {
        ask(&self.client, self.kind, method, self.path.clone())
    }

    /// Reads it, with the version by which an update tells that nobody changed it since.
    pub(crate) async fn get(&self, job: &Job) -> Result<Versioned<Fields>, ActionError> {
        let mut found: Versioned<Fields> = job.run(self.ask(Method::GET).versioned()).await?;
        without_nulls(&mut found);
        Ok(found)
    }

    /// Makes it, with these fields.
    pub(crate) async fn create(&self, mut fields: Fields, job: &Job) -> Result<(), ActionError> {
        fields.insert(self.kind.key.to_owned(), self.name().into());
        as_texts(&mut fields);
        let list = self.path[..self.path.len() - 1].to_vec();
        self.done(ask(&self.client, self.kind, Method::POST, list).json(&fields), job).await
    }

    /// Replaces it, unless somebody else changed it since it was read. A field that is left out becomes empty.
    pub(crate) async fn replace(
        &self,
        before: &Versioned<Fields>,
        after: Fields,
        job: &Job,
    ) -> Result<(), ActionError> {
        match self.put(before, after, job).await {
            Err(ActionError::Cloud(error)) if error.is_changed_meanwhile() => {
                let now = self.get(job).await?;
                Err(conflict(&format!("the {} {}", self.kind.one, self.name()), &before.value, &now.value))
            }
            put => put,
        }
    }

    /// Reads it, changes it and writes it; again where somebody else was faster.
    pub(crate) async fn change(
        &self,
        job: &Job,
        change: impl Fn(&mut Fields) -> Result<(), ActionError>,
    ) -> Result<(), ActionError> {
        let mut tries = 1;
        loop {
            let before = self.get(job).await?;
            let mut after = before.value.clone();
            change(&mut after)?;
            match self.put(&before, after, job).await {
                Err(ActionError::Cloud(error)) if error.is_changed_meanwhile() && tries < TRIES => tries += 1,
                put => return put,
            }
        }
    }

    async fn put(&self, before: &Versioned<Fields>, mut after: Fields, job: &Job) -> Result<(), ActionError> {
        for (key, value) in &before.value {
            after.entry(key).or_insert_with(|| empty(value));
        }
        as_texts(&mut after);
        self.done(self.ask(Method::PUT).if_match(before).json(&after), job).await
    }

    /// Gives it another name.
    pub(crate) async fn rename(&self, to: &str, job: &Job) -> Result<(), ActionError> {
        self.done(self.ask(Method::POST).json(&serde_json::json!({"name": to})), job).await
    }

    /// Removes it.
    pub(crate) async fn delete(&self, job: &Job) -> Result<(), ActionError> {
        self.done(self.ask(Method::DELETE), job).await
    }

    async fn done(&self, request: Request, job: &Job) -> Result<(), ActionError> {
        let operation = job.run(request.operation()).await?;
        job.follow(operation).await.map(drop)
    }
}

/// The path of the list that a thing of these names is in.
fn list_path(kind: &Kind, names: &[&str]) -> Vec<String> {
    let mut names = names.iter();
    let segment = |part: &&'static str| match *part {
        "*" => names.next().copied().unwrap_or_default().to_owned(),
        part => part.to_owned(),
    };
    kind.place.iter().map(segment).collect()
}

fn ask(client: &Client, kind: &Kind, method: Method, path: Vec<String>) -> Request {
    let request = client.request(method, path);
    let request = if kind.server_wide { request.unscoped() } else { request };
    match kind.needs {
        Some(extension) => request.needs(extension),
        None => request,
    }
}

/// An empty value of the same type.
fn empty(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => false.into(),
        Value::Number(_) => 0.into(),
        Value::String(_) => "".into(),
        Value::Array(_) => Vec::<Value>::new().into(),
        Value::Object(_) => Fields::new().into(),
    }
}

/// Servers have `null` for an empty map or list.
fn without_nulls(fields: &mut Fields) {
    for (key, value) in fields {
        match key.as_str() {
            _ if !value.is_null() => {}
            "config" | "devices" => *value = Fields::new().into(),
            "used_by" | "ports" | "backends" | "ingress" | "egress" | "entries" | "projects" => {
                *value = Vec::<Value>::new().into();
            }
            _ => {}
        }
    }
}

/// Settings are texts for a server. What people write as YAML has numbers and booleans among them.
fn as_texts(fields: &mut Fields) {
    let maps = ["config", "devices"].map(|key| fields.get_mut(key).map(Value::take));
    for (key, map) in ["config", "devices"].into_iter().zip(maps) {
        if let Some(map) = map {
            fields.insert(key.to_owned(), text_of(map));
        }
    }
}

fn text_of(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, text_of(value))).collect(),
        Value::Bool(value) => value.to_string().into(),
        Value::Number(value) => value.to_string().into(),
        value => value,
    }
}

/// A text of a thing, empty where it has none.
pub(crate) fn text<'a>(fields: &'a Fields, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A setting of a thing, empty where it has none.
pub(crate) fn setting<'a>(fields: &'a Fields, key: &str) -> &'a str {
    fields.get("config").and_then(|config| config.get(key)).and_then(Value::as_str).unwrap_or_default()
}

/// How many things of a list a thing has, such as those that use it.
pub(crate) fn count(fields: &Fields, key: &str) -> usize {
    fields.get(key).and_then(Value::as_array).map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_thing_has_its_path_among_those_it_belongs_to() {
        let client = Client::unix("/nowhere".as_ref(), std::time::Duration::from_secs(1)).unwrap();
        let path = |kind, names: &[&str]| Object::new(&client, kind, names).path.join("/");
        assert_eq!(path(&PROFILE, &["web"]), "profiles/web");
        assert_eq!(path(&FORWARD, &["br0", "192.0.2.1"]), "networks/br0/forwards/192.0.2.1");
        assert_eq!(
            path(&VOLUME_SNAPSHOT, &["pool", "custom", "data", "snap0"]),
            "storage-pools/pool/volumes/custom/data/snapshots/snap0"
        );
    }

    #[test]
    fn settings_of_yaml_are_sent_as_texts() {
        let mut fields =
            json!({"config": {"a": 2, "b": true, "c": "x"}, "devices": {"root": {"size": 1.5}}, "ttl": 3});
        as_texts(fields.as_object_mut().unwrap());
        let texts = json!({"config": {"a": "2", "b": "true", "c": "x"}, "devices": {"root": {"size": "1.5"}}, "ttl": 3});
        assert_eq!(fields, texts);
    }
}
