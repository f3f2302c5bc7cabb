//! Migration: copies of instances and custom volumes from one server to another.

mod copying;
mod progress;
mod relay;
mod silence;
mod volumes;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Map, Value, json};

use self::relay::Relay;
use crate::instances::{Instance, InstanceHandle};
use crate::{Client, Error, Operation};

pub use copying::{CopyEnds, Copying};
pub use progress::CopyProgress;
pub use volumes::VolumeMigration;

/// How the bytes of a copy get from one server to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// Through this process, which is connected to both. It always works, and all bytes pass here.
    Relay,
    /// The target fetches it from the source, which it reaches at this URL (`https://host:port`).
    Pull(String),
    /// The source sends it to the target, which it reaches at this URL.
    Push(String),
}

/// A copy to make on another server, for [`InstanceHandle::copy_to`].
#[derive(Clone, Debug)]
#[must_use = "nothing is copied until it is given to an instance"]
pub struct Migration {
    name: String,
    route: Route,
    instance_only: bool,
    pool: Option<String>,
    snapshot: Option<String>,
    wanted: Option<Instance>,
    live: bool,
    refresh: bool,
    allow_inconsistent: bool,
}

impl Migration {
    /// A copy of this name, through this process, with its snapshots.
    pub fn new(name: &str) -> Migration {
        Migration {
            name: name.to_owned(),
            route: Route::Relay,
            instance_only: false,
            pool: None,
            snapshot: None,
            wanted: None,
            live: false,
            refresh: false,
            allow_inconsistent: false,
        }
    }

    /// Another way.
    pub fn route(mut self, route: Route) -> Migration {
        self.route = route;
        self
    }

    /// Without the snapshots.
    pub fn instance_only(mut self) -> Migration {
        self.instance_only = true;
        self
    }

    /// Into this storage pool of the target.
    pub fn pool(mut self, pool: &str) -> Migration {
        self.pool = Some(pool.to_owned());
        self
    }

    /// Of this snapshot, instead of the instance.
    pub fn snapshot(mut self, snapshot: &str) -> Migration {
        self.snapshot = Some(snapshot.to_owned());
        self
    }

    /// With these settings, devices and profiles, as they are, instead of those of the source without its volatile ones.
    pub fn wanted(mut self, wanted: Instance) -> Migration {
        self.wanted = Some(wanted);
        self
    }

    /// With the state of its processes, if it runs. The source needs CRIU for a container.
    pub fn live(mut self) -> Migration {
        self.live = true;
        self
    }

    /// Into an instance that is there, of which only what differs is changed.
    pub fn refresh(mut self) -> Migration {
        self.refresh = true;
        self
    }

    /// Passes over files that change meanwhile.
    pub fn allow_inconsistent(mut self) -> Migration {
        self.allow_inconsistent = true;
        self
    }
}

/// A side of a migration: how its operation is begun.
pub(crate) trait Ends {
    /// Begins at the source; `target` is where it is to push to.
    async fn send(&self, target: Option<Value>) -> Result<Operation, Error>;
    /// Begins at the target, with the rest of the source.
    async fn receive(&self, source: Value) -> Result<Operation, Error>;
}

impl InstanceHandle {
    /// Copies it to another server, or into another project, and waits for that. It must be stopped, or its
    /// storage able to copy what changes. A dropped future ends a relayed copy; the other ways go on.
    ///
    /// # Errors
    /// Those of either server. The target removes what it has made of the copy, if it can.
    pub async fn copy_to(&self, target: &Client, migration: &Migration) -> Result<InstanceHandle, Error> {
        self.begin_copy_to(target, migration).await?.wait().await?;
        Ok(target.instance(&migration.name))
    }

    /// Begins a copy to another server, or into another project; see [`copy_to`](InstanceHandle::copy_to). Not cancel safe:
    /// a dropped future may leave an operation on a server that waits for the other one, and fails after some seconds.
    ///
    /// # Errors
    /// When a server refuses it.
    pub async fn begin_copy_to(&self, target: &Client, migration: &Migration) -> Result<Copying, Error> {
        let wanted = match (&migration.wanted, &migration.snapshot) {
            (Some(wanted), _) => wanted.clone(),
            (None, None) => without_volatile(self.get().await?.value),
            (None, Some(snapshot)) => {
                without_volatile(self.client.get(&self.path(["snapshots", snapshot])[..]).fetch().await?)
            }
        };
        let ends = InstanceEnds { source: self, target, migration, wanted };
        begin(&self.client, target, &migration.route, &ends).await
    }
}

struct InstanceEnds<'a> {
    source: &'a InstanceHandle,
    target: &'a Client,
    migration: &'a Migration,
    wanted: Instance,
}

impl Ends for InstanceEnds<'_> {
    async fn send(&self, target: Option<Value>) -> Result<Operation, Error> {
        let Migration { snapshot, instance_only, live, allow_inconsistent, .. } = self.migration;
        let mut body = json!({
            "migration": true, "live": live, "allow_inconsistent": allow_inconsistent,
            "instance_only": instance_only, "container_only": instance_only,
        });
        if let Some(target) = target {
            body["target"] = target;
        }
        let path = match snapshot {
            Some(snapshot) => {
                body["name"] = snapshot.as_str().into();
                self.source.path(["snapshots", snapshot]).to_vec()
            }
            None => self.source.path([]).to_vec(),
        };
        self.source.client.post(&path[..]).json(&body).operation().await
    }

    async fn receive(&self, mut source: Value) -> Result<Operation, Error> {
        let Migration { name, pool, snapshot, instance_only, live, refresh, allow_inconsistent, .. } =
            self.migration;
        let alone = *instance_only || snapshot.is_some();
        let more = json!({
            "type": "migration", "live": live, "refresh": refresh, "allow_inconsistent": allow_inconsistent,
            "instance_only": alone, "container_only": alone,
        });
        if let (Value::Object(source), Value::Object(more)) = (&mut source, more) {
            source.extend(more);
        }
        let wanted = &self.wanted;
        if let Some(image) = wanted.config.get("volatile.base_image") {
            source["base-image"] = image.as_str().into();
        }
        let mut devices = wanted.devices.clone();
        if let Some(pool) = pool {
            let root = [("type", "disk"), ("path", "/"), ("pool", pool)];
            devices
                .entry(root_disk(wanted))
                .or_default()
                .extend(root.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        let body = json!({
            "name": name, "source": source, "type": wanted.kind, "architecture": wanted.architecture,
            "config": wanted.config, "devices": devices, "profiles": wanted.profiles,
            "ephemeral": wanted.ephemeral, "description": wanted.description,
        });
        self.target.post(["instances"]).json(&body).operation().await
    }
}

/// The instance without the source's own settings, such as addresses and maps of users.
fn without_volatile(mut instance: Instance) -> Instance {
    instance.config.retain(|key, _| !key.starts_with("volatile.") || key == "volatile.base_image");
    instance
}

/// The name of an instance's root disk, which may come from a profile.
fn root_disk(instance: &Instance) -> String {
    let is_root = |device: &Value| device["type"] == "disk" && device["path"] == "/";
    let all = instance.rest.get("expanded_devices").and_then(Value::as_object);
    let root = all.and_then(|devices| devices.iter().find(|(_, device)| is_root(device)));
    root.map_or_else(|| "root".to_owned(), |(name, _)| name.clone())
}

/// Begins both sides in the order that the route wants, and connects what is relayed.
async fn begin(from: &Client, to: &Client, route: &Route, ends: &impl Ends) -> Result<Copying, Error> {
    let carried = Arc::<AtomicU64>::default();
    let (sending, receiving, relay) = match route {
        Route::Relay => {
            let sending = ends.send(None).await?;
            let receiving = or_cancel(&sending, ends.receive(json!({"mode": "push"})).await).await?;
            match Relay::connect(from, &sending, to, &receiving, &carried).await {
                Ok(relay) => (sending, receiving, Some(relay)),
                Err(error) => {
                    let _ = sending.cancel().await;
                    end_receiving(to, receiving).await;
                    return Err(error);
                }
            }
        }
        Route::Pull(url) => {
            let certificate = certificate(from).await?;
            let sending = ends.send(None).await?;
            let source = json!({
                "mode": "pull", "operation": operation_url(url, &sending),
                "secrets": secrets(from, &sending)?, "certificate": certificate,
            });
            let receiving = or_cancel(&sending, ends.receive(source).await).await?;
            (sending, receiving, None)
        }
        Route::Push(url) => {
            let certificate = certificate(to).await?;
            let receiving = ends.receive(json!({"mode": "push"})).await?;
            let secrets = secrets(to, &receiving)?;
            let target = json!({
                "operation": operation_url(url, &receiving), "certificate": certificate,
                "secrets": secrets, "websockets": secrets,
            });
            match ends.send(Some(target)).await {
                Ok(sending) => (sending, receiving, None),
                Err(error) => {
                    end_receiving(to, receiving).await;
                    return Err(error);
                }
            }
        }
    };
    Ok(Copying { source: from.clone(), target: to.clone(), sending, receiving, relay, carried })
}

/// Has the source forget an operation whose counterpart could not be begun.
async fn or_cancel<T>(operation: &Operation, begun: Result<T, Error>) -> Result<T, Error> {
    if begun.is_err() {
        let _ = operation.cancel().await; // else it ends by itself, after some seconds in which nobody connects
    }
    begun
}

/// Ends the target's operation, to which nobody has connected, and waits until the target has removed what it has made: an
/// instance of the same name that is made before that would be removed with it. For the same reason it is not cancelled:
/// a server tells the end of a cancelled operation before it is at its end.
async fn end_receiving(client: &Client, mut operation: Operation) {
    let hang_up = relay::connect_all(client, &operation);
    let _ = tokio::time::timeout(client.timeout(), hang_up).await;
    let _ = operation.wait_for(ENDS_WITHIN).await;
}

/// How long a target waits for its connections, and some time to remove what it has made.
const ENDS_WITHIN: std::time::Duration = std::time::Duration::from_secs(20);

fn secrets<'a>(client: &Client, operation: &'a Operation) -> Result<&'a Map<String, Value>, Error> {
    let secrets = &operation.begun_as().metadata;
    if secrets.contains_key("control") {
        Ok(secrets)
    } else {
        Err(client.protocol("a migration without secrets"))
    }
}

fn operation_url(server: &str, operation: &Operation) -> String {
    format!("{}/1.0/operations/{}", server.trim_end_matches('/'), operation.id())
}

/// The server's certificate in PEM, by which the other server knows it.
async fn certificate(client: &Client) -> Result<String, Error> {
    let environment = client.known_server().await?.environment;
    let certificate =
        environment.and_then(|e| e.rest.get("certificate").and_then(Value::as_str).map(str::to_owned));
    certificate.ok_or_else(|| client.protocol("a server without a certificate"))
}
