//! A new instance, and its source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Action, InstanceHandle, StateChange};
use crate::redacted;
use crate::{Client, Error, Operation};

/// An instance to create, for [`Client::create_instance`] and [`Client::launch`].
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
/// use lxd_client::NewInstance;
///
/// let web = NewInstance::from_alias("web", "debian/12").config("limits.cpu", "2").profile("default");
/// client.launch(&web).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Serialize)]
#[must_use = "an instance is not created until it is given to a client"]
pub struct NewInstance {
    name: String,
    source: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    config: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    devices: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profiles: Option<Vec<String>>,
    ephemeral: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    start: bool,
}

redacted::debug!(NewInstance { name, description, kind, instance_type, profiles, ephemeral, start } hides { source, config, devices });

impl NewInstance {
    /// From any source, as the API has it.
    pub fn from_source(name: &str, source: Map<String, Value>) -> NewInstance {
        NewInstance {
            name: name.to_owned(),
            source,
            description: None,
            kind: None,
            instance_type: None,
            config: BTreeMap::new(),
            devices: BTreeMap::new(),
            profiles: None,
            ephemeral: false,
            start: false,
        }
    }

    fn from(name: &str, source: Value) -> NewInstance {
        let Value::Object(source) = source else { return NewInstance::from_source(name, Map::new()) };
        NewInstance::from_source(name, source)
    }

    /// From an image of the server, by its alias.
    pub fn from_alias(name: &str, alias: &str) -> NewInstance {
        NewInstance::from(name, json!({"type": "image", "alias": alias}))
    }

    /// From an image of the server, by its fingerprint or the beginning of it.
    pub fn from_fingerprint(name: &str, fingerprint: &str) -> NewInstance {
        NewInstance::from(name, json!({"type": "image", "fingerprint": fingerprint}))
    }

    /// From an image of an image server, which the LXD server fetches by itself; `protocol` is
    /// `simplestreams`, or that of an LXD (`lxd`) or Incus (`incus`).
    pub fn from_remote(name: &str, server: &str, protocol: &str, alias: &str) -> NewInstance {
        let source =
            json!({"type": "image", "mode": "pull", "server": server, "protocol": protocol, "alias": alias});
        NewInstance::from(name, source)
    }

    /// Without anything in it.
    pub fn empty(name: &str) -> NewInstance {
        NewInstance::from(name, json!({"type": "none"}))
    }

    /// A copy of another instance of the server, or of a snapshot (`instance/snapshot`), as `lxc copy` makes it: with
    /// the source's settings and devices, to which one's own are added, and with its description and its
    /// profiles where none are given here, for which it is asked first. An instance's snapshots are copied too.
    pub fn copy_of(name: &str, other: &str) -> NewInstance {
        NewInstance::from(name, json!({"type": "copy", "source": other}))
    }

    /// The project of the instance that is copied; default: that of the client.
    pub fn source_project(mut self, project: &str) -> NewInstance {
        self.source.insert("project".to_owned(), project.into());
        self
    }

    /// What it is for, for people.
    pub fn description(mut self, description: &str) -> NewInstance {
        self.description = Some(description.to_owned());
        self
    }

    /// A virtual machine instead of a container.
    pub fn virtual_machine(mut self) -> NewInstance {
        self.kind = Some("virtual-machine");
        self
    }

    /// The limits of a cloud's offer, such as `t2.micro` or `c2-m4`, which the server knows by that name.
    pub fn instance_type(mut self, name: &str) -> NewInstance {
        self.instance_type = Some(name.to_owned());
        self
    }

    /// Sets a setting.
    pub fn config(mut self, key: &str, value: &str) -> NewInstance {
        self.config.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds a device.
    pub fn device<'a>(
        mut self,
        name: &str,
        settings: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> NewInstance {
        let settings = settings.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        self.devices.insert(name.to_owned(), settings);
        self
    }

    /// Adds a profile; with none it gets `default`, and a copy gets those of its source.
    pub fn profile(mut self, name: &str) -> NewInstance {
        self.profiles.get_or_insert_default().push(name.to_owned());
        self
    }

    /// No profile, not even `default`.
    pub fn no_profiles(mut self) -> NewInstance {
        self.profiles = Some(Vec::new());
        self
    }

    /// It is deleted when it stops.
    pub fn ephemeral(mut self) -> NewInstance {
        self.ephemeral = true;
        self
    }
}

/// What a server does not copy by itself.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Copied {
    description: String,
    profiles: Vec<String>,
}

impl Client {
    /// `POST /1.0/instances`: creates an instance, which does not run yet.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name; [`Error::is_not_found`] when there is nothing to copy.
    pub async fn create_instance(&self, instance: &NewInstance) -> Result<Operation, Error> {
        let completed = self.complete_copy(instance).await?;
        self.post(["instances"]).json(completed.as_ref().unwrap_or(instance)).operation().await
    }

    /// A copy with what its source has and is not named: a server would give it no profile, not even `default`, and
    /// so no root disk.
    async fn complete_copy(&self, instance: &NewInstance) -> Result<Option<NewInstance>, Error> {
        let text = |key: &str| instance.source.get(key).and_then(Value::as_str);
        let (Some("copy"), Some(source)) = (text("type"), text("source")) else { return Ok(None) };
        if instance.profiles.is_some() && instance.description.is_some() {
            return Ok(None);
        }
        let request = match source.split_once('/') {
            Some((of, snapshot)) => self.get(["instances", of, "snapshots", snapshot]),
            None => self.get(["instances", source]),
        };
        let project = text("project").or_else(|| self.own_project());
        let request = project.into_iter().fold(request.unscoped(), |r, name| r.query("project", name));
        let Copied { description, profiles } = request.fetch().await?;
        let mut completed = instance.clone();
        completed.profiles.get_or_insert(profiles);
        completed.description.get_or_insert(description);
        Ok(Some(completed))
    }

    /// Creates an instance and starts it, and waits for both: four round trips, and two where the server
    /// starts what it creates. Not cancel safe: what is there then may be an instance that does not run.
    ///
    /// # Errors
    /// Those of creating and of starting.
    pub async fn launch(&self, instance: &NewInstance) -> Result<InstanceHandle, Error> {
        let mut started = instance.clone();
        started.start = true;
        // A server that cannot do that passes over it; which one this is, is asked meanwhile.
        let (created, server) = tokio::join!(self.create_instance(&started), self.known_server());
        created?.wait().await?;
        let handle = self.instance(&instance.name);
        if !server?.has_extension("instance_create_start") {
            handle.change_state(&StateChange::new(Action::Start)).await?.wait().await?;
        }
        Ok(handle)
    }
}
