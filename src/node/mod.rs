//! The node: in its tailnet, with its clouds, and what it serves on this machine.

mod builder;
mod exit_node;
mod expiry;
mod membership;
mod reload;
mod report;
mod requests;
mod serve;

pub use builder::NodeBuilder;
pub use reload::ReloadError;
pub use report::AskError;
pub(crate) use serve::{Serve, Serving};

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use lxd_client::{Identity, IdentityError};
use tailnet::{State, Tailnet, UpError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use requests::Requests;

use crate::cloud::{Cloud, CloudError, Gate};
use crate::config::{CloudConfig, Config, Key, KeyError};
use crate::listen::ServeError;

/// A node of a tailnet that keeps watch over clouds and serves what its configuration says. Clones share it.
///
/// It runs until [`stop`](Node::stop): dropping it does not stop it, as what it serves goes on.
#[derive(Clone, Debug)]
pub struct Node {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tailnet: Tailnet,
    config: RwLock<Arc<Config>>,
    clouds: RwLock<Vec<Arc<Running>>>,
    /// One reload after another.
    reloading: Arc<tokio::sync::Mutex<()>>,
    identity: Identity,
    /// Ends the clouds' connections when the node goes down.
    gate: Gate,
    /// How far joining has come.
    joining: watch::Sender<Joining>,
    /// The tailnet's newest state.
    state: watch::Sender<Option<State>>,
    /// Whether somebody logged the node out, so that no key is used by itself.
    logged_out: AtomicBool,
    /// How to read the configuration again.
    reload: Option<Reload>,
    /// What serves on this machine, if anything does.
    serve: Option<&'static dyn Serve>,
    /// Whether clouds are looked at by themselves.
    watch: bool,
    requests: Requests,
    began: Instant,
    /// Ends the tasks.
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Reads the configuration again.
type Reload = reload::Read;

/// A cloud with the tasks that watch and serve it, which end with this.
#[derive(Debug)]
struct Running {
    cloud: Cloud,
    tasks: Mutex<JoinSet<()>>,
}

impl Running {
    /// Ends the tasks; what they listened on is free then. Connections that are open go on.
    async fn end(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}

/// How far joining has come.
#[derive(Clone, Debug)]
enum Joining {
    Waiting,
    Joined,
    Failed(Arc<NodeError>),
}

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The key that should let the node in cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The node did not join its tailnet, and trying on would not help.
    #[error("cannot join the tailnet: {0}")]
    Join(UpError),
    /// The exit node cannot be chosen, or one that an earlier start has chosen cannot be left.
    #[error("cannot choose the exit node: {0}")]
    ExitNode(AskError),
    /// The client certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The client of a cloud cannot be made.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Something cannot be served on this machine.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The node was stopped meanwhile.
    #[error("the node was stopped")]
    Stopped,
    /// Another error, which several callers wait for.
    #[error("{0}")]
    Shared(Arc<NodeError>),
}

impl NodeError {
    /// The error itself, where several callers share it.
    #[must_use]
    pub fn root(&self) -> &NodeError {
        match self {
            NodeError::Shared(error) => error.root(),
            error => error,
        }
    }
}

impl Node {
    fn make_cloud(&self, config: &CloudConfig) -> Result<Cloud, NodeError> {
        let shared = &self.shared;
        Ok(Cloud::new(config.clone(), &shared.tailnet, &shared.gate, &shared.identity)?)
    }

    /// Takes the places where a cloud is served.
    fn bind_cloud(&self, cloud: &Cloud) -> Result<Vec<Serving>, NodeError> {
        Ok(match self.shared.serve {
            Some(serve) => serve.bind_cloud(self, cloud)?,
            None => Vec::new(),
        })
    }

    /// Has a cloud watched, and served at these places.
    fn run_cloud(&self, cloud: Cloud, places: Vec<Serving>) -> Arc<Running> {
        let mut tasks = JoinSet::new();
        let stop = &self.shared.stop;
        for serve in places {
            tasks.spawn(stop.clone().run_until_cancelled_owned(serve).map(drop));
        }
        if self.shared.watch {
            let watch = crate::cloud::watch(cloud.clone());
            tasks.spawn(stop.clone().run_until_cancelled_owned(watch).map(drop));
        }
        Arc::new(Running { cloud, tasks: Mutex::new(tasks) })
    }

    /// Runs a task until the node stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(self.shared.stop.clone().run_until_cancelled_owned(task));
    }

    /// What ends when the node is about to stop: servers take no more requests then.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.shared.tasks
    }

    /// What was asked of the node on this machine.
    pub(crate) fn requests(&self) -> &Requests {
        &self.shared.requests
    }

    /// How long it has been since the start.
    pub(crate) fn uptime(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// Waits until the node has joined its tailnet. Cancel safe.
    ///
    /// It waits for as long as it takes for what heals by itself or by others: a control server that gives no answer, an
    /// administrator's approval, a person's login; the log says which.
    ///
    /// # Errors
    /// When it will not join: its key was refused, or is missing.
    pub async fn joined(&self) -> Result<(), NodeError> {
        let mut joining = self.shared.joining.subscribe();
        let outcome = joining.wait_for(|joining| !matches!(joining, Joining::Waiting)).await;
        match outcome.as_deref() {
            Ok(Joining::Joined) => Ok(()),
            Ok(Joining::Failed(error)) => Err(NodeError::Shared(Arc::clone(error))),
            _ => Err(NodeError::Stopped),
        }
    }

    /// The node in its tailnet: to dial, listen, and all else.
    #[must_use]
    pub fn tailnet(&self) -> &Tailnet {
        &self.shared.tailnet
    }

    /// The configuration that is in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.shared.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The clouds.
    #[must_use]
    pub fn clouds(&self) -> Vec<Cloud> {
        let clouds = self.shared.clouds.read().unwrap_or_else(PoisonError::into_inner);
        clouds.iter().map(|running| running.cloud.clone()).collect()
    }

    /// The cloud of that name.
    #[must_use]
    pub fn cloud(&self, name: &str) -> Option<Cloud> {
        self.clouds().into_iter().find(|cloud| cloud.name() == name)
    }

    /// The client certificate by which servers know this node.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// Stops: takes no more connections on this machine, gives the open ones the configured grace time, and leaves the
    /// tailnet. Stopping again does nothing more.
    pub async fn stop(&self) {
        let grace = self.config().grace_timeout;
        self.shared.stop.cancel();
        self.shared.tasks.close();
        let open = self.shared.tasks.len();
        if tokio::time::timeout(grace, self.shared.tasks.wait()).await.is_err() {
            warn!("{open} connections did not end within {} s", grace.as_secs_f32());
        }
        close(&self.shared.tailnet).await;
    }
}

async fn close(tailnet: &Tailnet) {
    if let Err(timeout) = tailnet.close().await {
        warn!("{timeout}");
    }
}

async fn read_key(config: &Config) -> Result<Option<Key>, KeyError> {
    let source = config.key.clone();
    blocking(move || source.read()).await
}

/// Runs what waits for the disk where it may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()), // it is never cancelled
    }
}

/// Whether the state folder holds the identity of a node that has joined once: such a node needs no key.
pub(crate) fn has_identity(state_dir: &Path) -> bool {
    let text = std::fs::read_to_string(state_dir.join("tailscaled.state"));
    text.is_ok_and(|text| text.contains("\"profile-"))
}
