//! A server that a test changes as it likes, and whose events it can lose, double and shuffle.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use lxd_client::{Error, Event};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::inventory::feed::remote::{Answer, Ask, EventStream, Remote, Scope};

/// Clones are the same server.
#[derive(Clone)]
pub(super) struct Scripted(Arc<Mutex<World>>);

type Listener = (Scope, mpsc::UnboundedSender<Result<Event, Error>>);

pub(super) struct World {
    /// By project and name.
    pub(super) instances: BTreeMap<(String, String), Value>,
    pub(super) images: BTreeMap<(String, String), Value>,
    pub(super) operations: BTreeMap<String, Value>,
    pub(super) projects: BTreeSet<String>,
    pub(super) extensions: Vec<&'static str>,
    pub(super) clustered: bool,
    /// Whether the certificate is restricted to the projects.
    pub(super) restricted: bool,
    /// Whether it may listen to all projects all the same, as with LXD 5.0.
    pub(super) hears_all: bool,
    /// Whether nothing can be reached.
    pub(super) down: bool,
    /// Whether no answer comes.
    pub(super) hangs: bool,
    /// How long an answer takes; it is of the moment when it was asked for.
    pub(super) delay: Duration,
    pub(super) asked: Vec<(Instant, Ask)>,
    listeners: Vec<Listener>,
    serial: u64,
}

pub(super) const ALL: [&str; 4] =
    ["instance_all_projects", "images_all_projects", "operations_get_query_all_projects", "metrics"];

impl Scripted {
    pub(super) fn new() -> Scripted {
        Scripted(Arc::new(Mutex::new(World {
            instances: BTreeMap::new(),
            images: BTreeMap::new(),
            operations: BTreeMap::new(),
            projects: ["default".to_owned()].into(),
            extensions: ALL.into(),
            clustered: false,
            restricted: false,
            hears_all: false,
            down: false,
            hangs: false,
            delay: Duration::from_millis(20),
            asked: Vec::new(),
            listeners: Vec::new(),
            serial: 0,
        })))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many streams of events are open.
    pub(super) fn listeners(&self) -> usize {
        let mut world = self.world();
        world.listeners.retain(|(_, listener)| !listener.is_closed());
        world.listeners.len()
    }
}

impl World {
    /// Makes an instance. Each has a number and a date of its own.
    pub(super) fn create(&mut self, project: &str, name: &str) -> Event {
        self.serial += 1;
        let instance = json!({
            "name": name, "project": project, "type": "container", "status": "Stopped",
            "architecture": "x86_64", "location": "none", "profiles": ["default"],
            "created_at": format!("2026-01-01T00:00:00.{:09}Z", self.serial),
            "config": {"volatile.uuid": format!("uuid-{}", self.serial), "volatile.base_image": "abc"},
            "expanded_config": {"user.secret": "s3cret", "volatile.eth0.hwaddr": "x"},
        });
        self.instances.insert((project.to_owned(), name.to_owned()), instance);
        lifecycle("instance-created", project, &instance_path(name), json!({"type": "container"}))
    }

    /// Gives it another status, by the action of that event.
    pub(super) fn act(&mut self, project: &str, name: &str, action: &str, status: &str) -> Event {
        if let Some(instance) = self.instances.get_mut(&(project.to_owned(), name.to_owned())) {
            instance["status"] = status.into();
        }
        lifecycle(action, project, &instance_path(name), Value::Null)
    }

    pub(super) fn delete(&mut self, project: &str, name: &str) -> Event {
        self.instances.remove(&(project.to_owned(), name.to_owned()));
        lifecycle("instance-deleted", project, &instance_path(name), Value::Null)
    }

    pub(super) fn rename(&mut self, project: &str, name: &str, to: &str) -> Event {
        if let Some(mut instance) = self.instances.remove(&(project.to_owned(), name.to_owned())) {
            instance["name"] = to.into();
            self.instances.insert((project.to_owned(), to.to_owned()), instance);
        }
        lifecycle("instance-renamed", project, &instance_path(to), json!({"old_name": name}))
    }

    /// Sends an event to those who listen to its project.
    pub(super) fn send(&mut self, event: &Event) {
        let project = match event {
            Event::Lifecycle(event) => event.project.clone(),
            Event::Operation(state) => state.project.clone(),
            _ => String::new(),
        };
        self.listeners.retain(|(scope, listener)| {
            let hears = scope.as_ref().is_none_or(|scope| *scope == project);
            !hears || listener.send(Ok(event.clone())).is_ok()
        });
    }

    /// Cuts all streams of events.
    pub(super) fn cut(&mut self) {
        for (_, listener) in self.listeners.drain(..) {
            let _ = listener.send(Ok(Event::Lost));
        }
    }

    fn answer(&self, ask: &Ask) -> Result<Answer, Error> {
        let within = |project: &str, scope: &Scope| scope.as_ref().is_none_or(|scope| scope == project);
        if self.restricted
            && matches!(ask, Ask::Instances(None, _) | Ask::Images(None) | Ask::Operations(None))
        {
            return Err(not_allowed());
        }
        Ok(match ask {
            Ask::Server => Answer::Server(Box::new(read(json!({
                "auth": "trusted", "api_extensions": self.extensions,
                "environment": {"server": "lxd", "server_version": "5.0.2", "server_clustered": self.clustered},
            })))),
            Ask::Projects => {
                let own = json!({"features.images": "true"});
                let projects = self.projects.iter().map(|name| read(json!({"name": name, "config": own})));
                Answer::Projects(projects.collect())
            }
            Ask::Instances(scope, full) => {
                let list = self.instances.iter().filter(|((project, _), _)| within(project, scope));
                Answer::Instances(list.map(|(_, instance)| read(self.shown(instance, *full))).collect())
            }
            Ask::Instance(project, name, _) => match self.instances.get(&(project.clone(), name.clone())) {
                Some(instance) => Answer::Instance(read(self.shown(instance, true))),
                None => return Err(Error::Api { code: 404, message: "not found".to_owned() }),
            },
            Ask::Operations(scope) => {
                let project = |state: &Value| state["project"].as_str().unwrap_or_default().to_owned();
                let list = self.operations.values().filter(|state| within(&project(state), scope));
                Answer::Operations(list.cloned().map(read).collect())
            }
            Ask::Images(scope) => {
                let list = self.images.iter().filter(|((project, _), _)| within(project, scope));
                Answer::Images(list.map(|(_, image)| read(image.clone())).collect())
            }
            Ask::Metrics if self.restricted => return Err(not_allowed()),
            Ask::Metrics => Answer::Metrics(self.metrics()),
        })
    }

    /// An instance as a list shows it.
    fn shown(&self, instance: &Value, full: bool) -> Value {
        let mut shown = instance.clone();
        if full {
            shown["snapshots"] = instance["snapshots"].clone();
            shown["state"] = match instance["status"].as_str() {
                Some("Running") => json!({
                    "pid": 7, "processes": 3, "memory": {"usage": 1 << 20}, "cpu": {"usage": 5_000_000_000_u64},
                    "disk": {}, "network": {
                        "lo": {"addresses": [{"address": "127.0.0.1", "scope": "local"}], "counters": {}},
                        "eth0": {"addresses": [{"address": "10.0.0.2", "scope": "global"}], "counters": {"bytes_sent": 4}},
                    },
                }),
                _ => json!({"pid": -1, "status": "Stopped"}),
            };
        } else if let Some(shown) = shown.as_object_mut() {
            shown.remove("snapshots");
        }
        shown
    }

    fn metrics(&self) -> String {
        let running = self.instances.iter().filter(|(_, instance)| instance["status"] == "Running");
        running
            .map(|((project, name), _)| {
                format!("lxd_cpu_seconds_total{{mode=\"user\",name=\"{name}\",project=\"{project}\"}} 9\n")
            })
            .collect()
    }
}

impl Remote for Scripted {
    fn ask(&self, ask: Ask) -> BoxFuture<'static, Result<Answer, Error>> {
        let server = self.clone();
        async move {
            let (answer, delay) = {
                let mut world = server.world();
                world.asked.push((Instant::now(), ask.clone()));
                let answer = if world.down { Err(unreachable()) } else { world.answer(&ask) };
                (answer, if world.hangs { Duration::from_secs(30) } else { world.delay })
            };
            tokio::time::sleep(delay).await;
            let world = server.world();
            if world.hangs {
                return Err(Error::Timeout { server: "scripted".to_owned(), after: delay });
            }
            if world.down { Err(unreachable()) } else { answer }
        }
        .boxed()
    }

    fn listen(&self, scope: Scope) -> BoxFuture<'static, Result<EventStream, Error>> {
        let server = self.clone();
        async move {
            let delay = server.world().delay;
            tokio::time::sleep(delay).await;
            let mut world = server.world();
            if world.down {
                return Err(unreachable());
            }
            if world.restricted && !world.hears_all && scope.is_none() {
                return Err(not_allowed());
            }
            let (sender, receiver) = mpsc::unbounded_channel();
            world.listeners.push((scope, sender));
            let events =
                stream::unfold(
                    receiver,
                    |mut receiver| async move { Some((receiver.recv().await?, receiver)) },
                );
            Ok(events.boxed())
        }
        .boxed()
    }
}

fn instance_path(name: &str) -> String {
    format!("/1.0/instances/{name}")
}

pub(super) fn lifecycle(action: &str, project: &str, source: &str, context: Value) -> Event {
    let mut event: lxd_client::Lifecycle = read(
        json!({"action": action, "source": source, "context": context.as_object().cloned().unwrap_or_default()}),
    );
    event.project = project.to_owned();
    Event::Lifecycle(event)
}

pub(super) fn read<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn unreachable() -> Error {
    Error::Connect { server: "scripted".to_owned(), source: "no route".into() }
}

fn not_allowed() -> Error {
    Error::NotAllowed { message: "restricted".to_owned(), project: "default".to_owned(), allowed: Vec::new() }
}
