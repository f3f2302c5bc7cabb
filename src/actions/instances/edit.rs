//! The settings of instances.

use std::collections::BTreeMap;

use lxd_client::{Client, Instance, Snapshot, Versioned};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::actions::{ActionError, Job, conflict};

/// How often a change is made anew because somebody else was faster.
const TRIES: usize = 5;

/// The settings of a device: its `type`, and what that has.
pub(crate) type Device = BTreeMap<String, String>;

/// Devices by name.
pub(crate) type Devices = BTreeMap<String, Device>;

/// What can be changed of an instance, in the order in which `lxc` shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) architecture: String,
    #[serde(deserialize_with = "texts")]
    pub(crate) config: BTreeMap<String, String>,
    #[serde(deserialize_with = "devices")]
    pub(crate) devices: Devices,
    pub(crate) ephemeral: bool,
    pub(crate) profiles: Vec<String>,
    pub(crate) stateful: bool,
    pub(crate) description: String,
}

impl Settings {
    /// Those of an instance; expanded, with what its profiles give it.
    pub(crate) fn of(instance: &Instance, expanded: bool) -> Settings {
        let mut settings = Settings {
            architecture: instance.architecture.clone(),
            config: instance.config.clone(),
            devices: instance.devices.clone(),
            ephemeral: instance.ephemeral,
            profiles: instance.profiles.clone(),
            stateful: instance.rest.get("stateful").and_then(Value::as_bool).unwrap_or_default(),
            description: instance.description.clone(),
        };
        if expanded {
            settings.config = expanded_config(instance);
            settings.devices = expanded_devices(instance);
        }
        settings
    }
}

/// The configuration of an instance, with that of its profiles.
pub(crate) fn expanded_config(instance: &Instance) -> BTreeMap<String, String> {
    expanded(instance, "expanded_config")
}

/// The devices of an instance, with those of its profiles.
pub(crate) fn expanded_devices(instance: &Instance) -> Devices {
    expanded(instance, "expanded_devices")
}

fn expanded<T: for<'a> Deserialize<'a> + Default>(instance: &Instance, key: &str) -> T {
    let value = instance.rest.get(key).cloned().unwrap_or_default();
    serde_json::from_value(value).unwrap_or_default()
}

/// A text as YAML may have it: numbers and switches need no quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Switch(bool),
    Whole(i64),
    Number(f64),
    None(()),
}

impl From<Scalar> for String {
    fn from(scalar: Scalar) -> String {
        match scalar {
            Scalar::Text(text) => text,
            Scalar::Switch(on) => on.to_string(),
            Scalar::Whole(number) => number.to_string(),
            Scalar::Number(number) => number.to_string(),
            Scalar::None(()) => String::new(),
        }
    }
}

fn texts<'a, D: Deserializer<'a>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let read = Option::<BTreeMap<String, Scalar>>::deserialize(from)?.unwrap_or_default();
    Ok(read.into_iter().map(|(key, value)| (key, value.into())).collect())
}

fn devices<'a, D: Deserializer<'a>>(from: D) -> Result<Devices, D::Error> {
    let read = Option::<BTreeMap<String, BTreeMap<String, Scalar>>>::deserialize(from)?.unwrap_or_default();
    let device = |device: BTreeMap<String, Scalar>| device.into_iter().map(|(k, v)| (k, v.into())).collect();
    Ok(read.into_iter().map(|(name, settings)| (name, device(settings))).collect())
}

/// Changes what was read of an instance, and writes it; anew where somebody else was faster.
pub(crate) async fn change(
    client: &Client,
    name: &str,
    job: &Job,
    change: impl Fn(&mut Instance) -> Result<(), ActionError>,
) -> Result<(), ActionError> {
    let handle = client.instance(name);
    let mut tries = 0;
    loop {
        let before = job.run(handle.get()).await?;
        let mut after = before.clone();
        change(&mut after)?;
        tries += 1;
        match job.run(handle.update(&after)).await {
            Ok(operation) => return job.follow(operation).await.map(drop),
            Err(ActionError::Cloud(error)) if error.is_changed_meanwhile() && tries < TRIES => {}
            Err(ActionError::Cloud(error)) if error.is_changed_meanwhile() => {
                let now = job.run(handle.get()).await?;
                return Err(conflict(name, &Settings::of(&before, false), &Settings::of(&now, false)));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Sets keys of an instance's configuration; those without a value are unset.
pub(crate) async fn set(
    client: &Client,
    name: &str,
    values: &BTreeMap<String, Option<String>>,
    job: &Job,
) -> Result<(), ActionError> {
    change(client, name, job, |instance| {
        for (key, value) in values {
            match value {
                Some(value) => drop(instance.config.insert(key.clone(), value.clone())),
                None if instance.config.remove(key).is_some() => {}
                None => return Err(not_set(key)),
            }
        }
        Ok(())
    })
    .await
}

/// The error for a key that is to be unset and is not set.
pub(crate) fn not_set(key: &str) -> ActionError {
    ActionError::Refused(format!("Can't unset key '{key}', it's not currently set"))
}

/// Replaces the settings of an instance: only where they still are as they were read before, if that is given.
pub(crate) async fn update(
    client: &Client,
    name: &str,
    before: Option<&Versioned<Instance>>,
    after: &Settings,
    job: &Job,
) -> Result<(), ActionError> {
    let request = client.put(["instances", name]).json(after);
    let request = before.into_iter().fold(request, |request, before| request.if_match(before));
    match (job.run(request.operation()).await, before) {
        (Ok(operation), _) => job.follow(operation).await.map(drop),
        (Err(ActionError::Cloud(error)), Some(before)) if error.is_changed_meanwhile() => {
            let now = job.run(client.instance(name).get()).await?;
            Err(conflict(name, &Settings::of(before, false), &Settings::of(&now, false)))
        }
        (Err(error), _) => Err(error),
    }
}

/// What can be changed of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SnapshotSettings {
    /// When the server will delete it; the year 1 for never.
    pub(crate) expires_at: String,
}

/// Changes when a snapshot expires; see [`update`].
pub(crate) async fn update_snapshot(
    client: &Client,
    instance: &str,
    before: &Versioned<Snapshot>,
    after: &SnapshotSettings,
    job: &Job,
) -> Result<(), ActionError> {
    let handle = client.instance(instance).snapshot(&before.name);
    let mut changed = before.clone();
    changed.expires_at.clone_from(&after.expires_at);
    match job.run(handle.update(&changed)).await {
        Err(ActionError::Cloud(error)) if error.is_changed_meanwhile() => {
            let now = job.run(handle.get()).await?;
            Err(conflict(&format!("{instance}/{}", before.name), &before.value, &now.value))
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_people_write_them() {
        let text = "config: {limits.cpu: 2, security.nesting: true, user.a: 'x', user.b: }\ndevices:\n  root: {path: /, size: 1.5}\nprofiles: [a]\nname: web\n";
        let read: Settings = serde_yaml::from_str(text).unwrap();
        let config: Vec<(&str, &str)> = read.config.iter().map(|(k, v)| (&**k, &**v)).collect();
        assert_eq!(
            config,
            [("limits.cpu", "2"), ("security.nesting", "true"), ("user.a", "x"), ("user.b", "")]
        );
        assert_eq!(read.devices["root"]["size"], "1.5");
        assert_eq!(serde_yaml::from_str::<Settings>("config:\n").unwrap(), Settings::default());
        assert_eq!(serde_yaml::from_str::<Settings>(&crate::config::to_text(&read)).unwrap(), read);
    }
}
