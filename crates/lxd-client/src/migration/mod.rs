//! Migration: copies of instances from one server to another.

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use crate::instances::{Instance, InstanceHandle};
use crate::websocket::Socket;
use crate::{Client, Error, Operation};

/// How the bytes of a copy get from one server to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// Through this process, which is connected to both: it always works, and all bytes pass here.
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
}

impl Migration {
    /// A copy of this name, through this process, with its snapshots.
    pub fn new(name: &str) -> Migration {
        Migration { name: name.to_owned(), route: Route::Relay, instance_only: false, pool: None }
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
}

impl InstanceHandle {
    /// Copies it to another server, or into another project, and waits for that. It must be stopped, or its
    /// storage able to copy what changes. A dropped future ends a relayed copy; the other ways go on.
    ///
    /// # Errors
    /// Those of either server; what is left of the copy then is the target's business, which removes it.
    pub async fn copy_to(&self, target: &Client, migration: &Migration) -> Result<InstanceHandle, Error> {
        let instance = self.get().await?.value;
        let (mut sending, mut receiving) = match &migration.route {
            Route::Relay => {
                let sending = self.send(migration, None).await?;
                let receiving = self.receive(target, migration, &instance, json!({"mode": "push"})).await?;
                relay(&self.client, &sending, target, &receiving).await?;
                (sending, receiving)
            }
            Route::Pull(url) => {
                let sending = self.send(migration, None).await?;
                let source = json!({
                    "mode": "pull",
                    "operation": operation_url(url, &sending),
                    "secrets": secrets(&self.client, &sending)?,
                    "certificate": certificate(&self.client).await?,
                });
                let receiving = self.receive(target, migration, &instance, source).await?;
                (sending, receiving)
            }
            Route::Push(url) => {
                let receiving = self.receive(target, migration, &instance, json!({"mode": "push"})).await?;
                let to = json!({
                    "operation": operation_url(url, &receiving),
                    "secrets": secrets(target, &receiving)?,
                    "certificate": certificate(target).await?,
                });
                (self.send(migration, Some(to)).await?, receiving)
            }
        };
        let (sent, received) = tokio::join!(sending.wait(), receiving.wait());
        match (sent, received) {
            // The side that failed says more than the one that waited for it.
            (Err(error), Err(other)) => {
                Err(if other.to_string().contains("Timed out") { error } else { other })
            }
            (sent, received) => sent.and(received),
        }?;
        Ok(target.instance(&migration.name))
    }

    async fn send(&self, migration: &Migration, target: Option<Value>) -> Result<Operation, Error> {
        let mut body = json!({
            "migration": true, "live": false,
            "instance_only": migration.instance_only, "container_only": migration.instance_only,
        });
        if let Some(target) = target {
            body["target"] = target;
        }
        self.client.post(&self.path([])[..]).json(&body).operation().await
    }

    async fn receive(
        &self,
        target: &Client,
        migration: &Migration,
        instance: &Instance,
        mut source: Value,
    ) -> Result<Operation, Error> {
        source["type"] = "migration".into();
        source["live"] = false.into();
        source["instance_only"] = migration.instance_only.into();
        source["container_only"] = migration.instance_only.into();
        if let Some(image) = instance.config.get("volatile.base_image") {
            source["base-image"] = image.as_str().into();
        }
        // The others are the source's own: addresses, maps of users.
        let kept = |key: &str| !key.starts_with("volatile.") || key == "volatile.base_image";
        let config: Map<String, Value> = instance
            .config
            .iter()
            .filter(|(key, _)| kept(key))
            .map(|(key, value)| (key.clone(), value.as_str().into()))
            .collect();
        let mut devices = instance.devices.clone();
        if let Some(pool) = &migration.pool {
            let root = [("type", "disk"), ("path", "/"), ("pool", pool)];
            devices
                .entry(root_disk(instance))
                .or_default()
                .extend(root.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        }
        let body = json!({
            "name": migration.name, "source": source, "type": instance.kind, "architecture": instance.architecture,
            "config": config, "devices": devices, "profiles": instance.profiles,
            "ephemeral": instance.ephemeral, "description": instance.description,
        });
        target.post(["instances"]).json(&body).operation().await
    }
}

/// The name of an instance's root disk, which may come from a profile.
fn root_disk(instance: &Instance) -> String {
    let is_root = |device: &Value| device["type"] == "disk" && device["path"] == "/";
    let all = instance.rest.get("expanded_devices").and_then(Value::as_object);
    let root = all.and_then(|devices| devices.iter().find(|(_, device)| is_root(device)));
    root.map_or_else(|| "root".to_owned(), |(name, _)| name.clone())
}

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

/// Connects the websockets of both sides, each with its like, and carries their messages as they are.
async fn relay(from: &Client, sending: &Operation, to: &Client, receiving: &Operation) -> Result<(), Error> {
    let (left, right) = (secrets(from, sending)?, secrets(to, receiving)?);
    let connect = async |client: &Client, operation: &Operation, secret: &Value| {
        let request = client.get(["operations", operation.id(), "websocket"]).unscoped();
        request.query("secret", secret.as_str().unwrap_or_default()).websocket().await
    };
    let mut carrying = Vec::new();
    for (name, secret) in left {
        let Some(other) = right.get(name) else { continue };
        carrying.push(async move {
            tokio::try_join!(connect(from, sending, secret), connect(to, receiving, other))
        });
    }
    let pairs = futures_util::future::try_join_all(carrying).await?;
    let pumps = pairs.into_iter().map(async |(left, right)| {
        let (left_sink, left_stream) = left.stream.split();
        let (right_sink, right_stream) = right.stream.split();
        let there = async { one_way(left_stream, right_sink).await.map_err(|e| from.broken(e)) };
        let back = async { one_way(right_stream, left_sink).await.map_err(|e| to.broken(e)) };
        tokio::try_join!(there, back)
    });
    futures_util::future::try_join_all(pumps).await?;
    Ok(())
}

/// Carries messages until one side has closed. How the copy went, the operations tell, other than that a server has
/// fallen silent, which ends it.
async fn one_way(
    mut from: SplitStream<Socket>,
    mut to: SplitSink<Socket, Message>,
) -> Result<(), std::io::Error> {
    loop {
        // Each side's pings are answered on that side.
        let ended = match from.next().await {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => to.send(message).await.is_err(),
            Some(Ok(other)) => other.is_close(),
            Some(Err(WsError::Io(error))) if error.kind() == std::io::ErrorKind::TimedOut => {
                return Err(error);
            }
            Some(Err(_)) | None => true,
        };
        if ended {
            let _ = to.close().await;
            return Ok(());
        }
    }
}
