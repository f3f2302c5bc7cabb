//! The clouds: servers in the tailnet, each with its client, its watcher and what the newest probe found.

mod backoff;
mod client;
mod dialled;
mod latency;
mod preconnected;
mod probe;
pub(crate) mod report;
mod scope;
mod watch;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lxd_client::{Client, Identity};
use tailnet::{ConnectError, Tailnet, TailnetStream};
use tokio::sync::{Notify, watch as channel};

use crate::clock::now;
use crate::config::{CloudConfig, CloudKind};

use dialled::Dialled;
use latency::Latencies;

pub use client::CloudError;
pub(crate) use client::{by_facade, establish_trust, one_line, other_project, over};
pub(crate) use scope::ConnectionScope;
pub(crate) use watch::watch;

/// A server in the tailnet. Clones share it.
#[derive(Clone, Debug)]
pub struct Cloud {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: CloudConfig,
    tailnet: Tailnet,
    client: Option<Client>,
    scope: ConnectionScope,
    dialled: Dialled,
    health: channel::Sender<report::Health>,
    wake: Notify,
    probes: AtomicU64,
    failures: AtomicU64,
    latencies: Latencies,
}

impl Cloud {
    /// Makes the client of a cloud, which connects with its first request.
    pub(crate) fn new(
        config: CloudConfig,
        tailnet: &Tailnet,
        scope: &ConnectionScope,
        identity: &Identity,
    ) -> Result<Cloud, CloudError> {
        let dialled = Dialled::default();
        let client = match config.kind {
            CloudKind::Tcp => None,
            _ => Some(client::over(
                &config,
                scope.connector(tailnet.connector(), dialled.clone()),
                identity.clone(),
            )?),
        };
        let health = channel::Sender::new(report::Health { since: now(), ..report::Health::default() });
        let shared = Shared {
            config,
            tailnet: tailnet.clone(),
            client,
            scope: scope.clone(),
            dialled,
            health,
            wake: Notify::new(),
            probes: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            latencies: Latencies::default(),
        };
        Ok(Cloud { shared: Arc::new(shared) })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.config.name
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &CloudConfig {
        &self.shared.config
    }

    /// Its client, in the configured project; `None` for a cloud of kind `tcp`.
    #[must_use]
    pub fn client(&self) -> Option<Client> {
        let client = self.shared.client.as_ref()?;
        Some(match &self.shared.config.project {
            Some(project) => client.project(project),
            None => client.clone(),
        })
    }

    /// Its client without a project, for what brings its own.
    pub(crate) fn bare_client(&self) -> Option<Client> {
        self.shared.client.clone()
    }

    /// A stream to its address, through the tailnet. Cancel safe.
    ///
    /// # Errors
    /// As [`Tailnet::connect`].
    pub async fn connect(&self) -> Result<TailnetStream, ConnectError> {
        self.shared.tailnet.connect(&self.shared.config.address).await
    }

    /// The result of the newest probe.
    #[must_use]
    pub fn health(&self) -> report::Health {
        self.shared.health.borrow().clone()
    }

    /// Waits until a probe finds something else than the one before, and gives that; the first time at once. Cancel safe.
    pub async fn health_changed(&self, receiver: &mut channel::Receiver<report::Health>) -> report::Health {
        // The sender lives as long as this cloud.
        let _ = receiver.changed().await;
        receiver.borrow_and_update().clone()
    }

    /// Follows what the probes find.
    #[must_use]
    pub fn watch_health(&self) -> channel::Receiver<report::Health> {
        let mut receiver = self.shared.health.subscribe();
        receiver.mark_changed();
        receiver
    }

    /// Probes it now, for as long as its configuration allows. Cancel safe.
    pub async fn check(&self) -> report::Health {
        let mut health = probe::probe(self).await;
        self.shared.probes.fetch_add(1, Ordering::Relaxed);
        if health.reachable == Some(false) {
            self.shared.failures.fetch_add(1, Ordering::Relaxed);
        }
        self.shared.latencies.add(health.api_ms);
        self.shared.health.send_if_modified(|before| {
            health.since = if before.reachable == health.reachable { before.since } else { now() };
            let changed = *before != health;
            *before = health.clone();
            changed
        });
        health
    }

    /// How long the API took to answer the newest probes, oldest first, in milliseconds. `None` is one that failed.
    pub(crate) fn latencies(&self) -> Vec<Option<f64>> {
        self.shared.latencies.all()
    }

    /// Has the watcher probe it now, as when the tailnet has come back.
    pub(crate) fn wake(&self) {
        self.shared.wake.notify_one();
    }

    /// How many probes there were, and how many of them found it unreachable.
    pub(crate) fn probes(&self) -> (u64, u64) {
        (self.shared.probes.load(Ordering::Relaxed), self.shared.failures.load(Ordering::Relaxed))
    }

    /// The cloud, as commands and pages show it.
    #[must_use]
    pub fn report(&self) -> report::Cloud {
        let CloudConfig { name, kind, address, required, .. } = &self.shared.config;
        report::Cloud {
            name: name.clone(),
            kind: *kind,
            address: address.to_string(),
            required: *required,
            health: self.health(),
        }
    }
}
