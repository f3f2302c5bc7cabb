//! The node: its membership in the tailnet, and its clouds.

mod builder;
mod clouds;
mod diagnose;
mod error;
mod exit_node;
mod expiry;
mod identity;
mod join;
mod lifecycle;
mod membership;
mod places;
mod reload;
mod relogin;
pub(crate) mod report;
mod requests;
mod serve;
mod state;
mod status;

pub use builder::NodeBuilder;
pub use error::{AskError, NodeError};
pub(crate) use identity::has_identity;
pub use reload::ReloadError;
pub(crate) use requests::Requests;
pub(crate) use serve::{Serve, Serving};

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use lxd_client::Identity;
use tailnet::{BackendState, State, Tailnet};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::warn;

use clouds::Running;
use reload::ConfigReader;

use crate::cloud::ConnectionScope;
use crate::config::Config;

/// A node of a tailnet that keeps watch over clouds and serves what its configuration says. Clones share it.
///
/// It runs until [`stop`](Node::stop). Dropping it does not stop it, because its servers hold clones.
#[derive(Clone, Debug)]
pub struct Node {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    tailnet: Tailnet,
    config: watch::Sender<Arc<Config>>,
    clouds: watch::Sender<Vec<Arc<Running>>>,
    /// Held during a reload, so that one follows another.
    reloading: Arc<tokio::sync::Mutex<()>>,
    identity: Identity,
    /// Ends the clouds' connections when the node goes down.
    scope: ConnectionScope,
    /// How far joining has come.
    joining: watch::Sender<Joining>,
    /// The tailnet's newest state.
    state: watch::Sender<Option<State>>,
    /// Whether the node was logged out on request: then no key logs it in by itself.
    logged_out: AtomicBool,
    /// How to read the configuration again.
    reload: Option<ConfigReader>,
    /// What serves the node on this machine, if anything does.
    serve: Option<&'static dyn Serve>,
    /// Whether clouds are probed at intervals.
    watch: bool,
    requests: Requests,
    began: Instant,
    /// Ends the tasks.
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Ends the tasks that the grace time did not suffice for.
    cut: CancellationToken,
    /// Those of the tasks that then have something to say.
    closing: TaskTracker,
}

/// How far joining has come.
#[derive(Clone, Debug)]
enum Joining {
    Waiting,
    Joined,
    Failed(Arc<NodeError>),
}

impl Node {
    /// Runs a task until the node stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(self.shared.stop.clone().run_until_cancelled_owned(task));
    }

    /// Is cancelled when the node is about to stop: servers then accept no more requests.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    /// Is cancelled when the grace time of a node that stops is over: what goes on has to end then, and to say so.
    pub(crate) fn cut(&self) -> CancellationToken {
        self.shared.cut.clone()
    }

    /// Runs a task that ends soon after the [`cut`](Self::cut). The node does not leave its tailnet before.
    pub(crate) fn spawn_until_cut(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.tasks.spawn(self.shared.closing.track_future(task));
    }

    /// The tasks that serve clients; [`stop`](Node::stop) waits for them.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.shared.tasks
    }

    /// The counts of requests and connections on this machine.
    pub(crate) fn requests(&self) -> &Requests {
        &self.shared.requests
    }

    /// How long it has been since the start.
    pub(crate) fn uptime(&self) -> Duration {
        self.shared.began.elapsed()
    }

    /// Waits until the node has joined its tailnet. Cancel safe.
    ///
    /// It has no deadline, because what is missing may come later: an answer of the control server, an administrator's
    /// approval, a person's login. The log says what it waits for.
    ///
    /// # Errors
    /// When the node cannot join: its key was refused, or is missing.
    pub async fn joined(&self) -> Result<(), NodeError> {
        let mut joining = self.shared.joining.subscribe();
        let outcome = joining.wait_for(|joining| !matches!(joining, Joining::Waiting)).await;
        match outcome.as_deref() {
            Ok(Joining::Joined) => Ok(()),
            Ok(Joining::Failed(error)) => Err(NodeError::Shared(Arc::clone(error))),
            _ => Err(NodeError::Stopped),
        }
    }

    /// The node as a member of its tailnet: to dial, to listen, and all else.
    #[must_use]
    pub fn tailnet(&self) -> &Tailnet {
        &self.shared.tailnet
    }

    /// The configuration that is in force.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.shared.config.borrow())
    }

    /// Follows the configuration that is in force.
    pub(crate) fn watch_config(&self) -> watch::Receiver<Arc<Config>> {
        self.shared.config.subscribe()
    }

    /// Follows the tailnet's newest state.
    pub(crate) fn watch_state(&self) -> watch::Receiver<Option<State>> {
        self.shared.state.subscribe()
    }

    /// What the tailnet's backend does, and the count of the changes of the network map.
    pub(crate) fn backend_and_netmap(&self) -> (BackendState, u64) {
        let state = self.shared.state.borrow();
        state.as_ref().map_or((BackendState::NoState, 0), |state| (state.backend, state.netmap_version))
    }

    /// The client certificate by which servers know this node.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// Stops the node: accepts no more connections on this machine, gives the open ones the configured grace time, and
    /// leaves the tailnet. A second call does nothing.
    pub async fn stop(&self) {
        let grace = self.config().grace_timeout;
        self.shared.stop.cancel();
        self.shared.tasks.close();
        let open = self.shared.tasks.len();
        if tokio::time::timeout(grace, self.shared.tasks.wait()).await.is_err() {
            warn!("{open} connections did not end within {} s", grace.as_secs_f32());
            self.shared.cut.cancel();
            self.shared.closing.close();
            let _ = tokio::time::timeout(LAST_WORDS, self.shared.closing.wait()).await;
        }
        close(&self.shared.tailnet).await;
    }
}

/// How long what is cut may take to say so: to clients, and to the disk.
const LAST_WORDS: Duration = Duration::from_secs(5);

async fn close(tailnet: &Tailnet) {
    if let Err(timeout) = tailnet.close().await {
        warn!("{timeout}");
    }
}

/// Runs work that waits for the disk on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()), // it is never cancelled
    }
}
