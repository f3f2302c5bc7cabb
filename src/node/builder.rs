//! Starts a node.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use lxd_client::Identity;
use tailnet::Tailnet;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::clouds::Running;
use super::identity::{has_identity, read_key};
use super::reload::ConfigReader;
use super::{Joining, Node, NodeError, Requests, Serve, Shared, blocking, close, membership};
use crate::cloud::ConnectionScope;
use crate::config::Config;

/// Configures how a node starts; from [`Node::builder`].
#[must_use = "a builder does nothing until `start`"]
#[derive(Debug)]
pub struct NodeBuilder {
    config: Config,
    reload: Option<ConfigReader>,
    serve: Option<&'static dyn Serve>,
    watch: bool,
}

impl NodeBuilder {
    /// A builder for a node that serves nothing on this machine.
    pub(crate) fn new(config: Config) -> NodeBuilder {
        NodeBuilder { config, reload: None, serve: None, watch: true }
    }

    /// What serves the node and its clouds on this machine.
    pub(crate) fn serve_with(mut self, serve: &'static dyn Serve) -> NodeBuilder {
        self.serve = Some(serve);
        self
    }

    /// How [`Node::reload`] reads the configuration again.
    pub fn reload_with(
        mut self,
        read: impl Fn() -> Result<Config, crate::config::ConfigError> + Send + Sync + 'static,
    ) -> NodeBuilder {
        self.reload = Some(ConfigReader::new(read));
        self
    }

    /// Serves nothing on this machine: no address, no control socket, no proxies.
    pub fn serve_nothing(mut self) -> NodeBuilder {
        self.serve = None;
        self
    }

    /// Does not probe the clouds by itself.
    pub fn watch_nothing(mut self) -> NodeBuilder {
        self.watch = false;
        self
    }

    /// Starts the node, which joins in the background; [`Node::joined`] waits for that. From now on it serves this
    /// machine, and reports that it has not joined yet.
    ///
    /// # Errors
    /// When the state folder, an address on this machine or a cloud's client cannot be used; nothing is left running
    /// then.
    pub async fn start(self) -> Result<Node, NodeError> {
        let config = &self.config;
        info!("Starting with Tailscale as {}", config.hostname);
        let key = match read_key(config).await {
            Err(error) if has_identity(&config.state_dir) => {
                warn!("{error}; the node joins with the identity that it has");
                None
            }
            key => key?,
        };
        let tailnet = membership::start(config, key.as_ref()).await?;
        match self.around(tailnet.clone()).await {
            Ok(node) => {
                node.spawn(membership::keep(Arc::downgrade(&node.shared), tailnet));
                Ok(node)
            }
            Err(error) => {
                close(&tailnet).await;
                Err(error)
            }
        }
    }

    /// Starts the node and waits until it has joined its tailnet.
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`Node::joined`]; the node is stopped then.
    pub async fn up(self) -> Result<Node, NodeError> {
        let node = self.start().await?;
        if let Err(error) = node.joined().await {
            node.stop().await;
            return Err(error);
        }
        Ok(node)
    }

    /// The node around its place in the tailnet, with what watches and serves its clouds.
    async fn around(self, tailnet: Tailnet) -> Result<Node, NodeError> {
        let NodeBuilder { config, reload, serve, watch } = self;
        let (folder, name) = (config.state_dir.clone(), config.hostname.clone());
        let identity = blocking(move || Identity::load_or_generate(&folder, &name)).await?;
        let config = Arc::new(config);
        let shared = Shared {
            tailnet,
            config: watch::Sender::new(Arc::clone(&config)),
            clouds: watch::Sender::default(),
            reloading: Arc::default(),
            identity,
            scope: ConnectionScope::default(),
            joining: watch::Sender::new(Joining::Waiting),
            state: watch::Sender::new(None),
            logged_out: AtomicBool::new(false),
            reload,
            serve,
            watch,
            requests: Requests::default(),
            began: Instant::now(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            cut: CancellationToken::new(),
            closing: TaskTracker::new(),
        };
        let node = Node { shared: Arc::new(shared) };
        let clouds = config.clouds.iter().map(|config| {
            let cloud = node.make_cloud(config)?;
            let places = node.bind_cloud(&cloud)?;
            Ok(node.run_cloud(cloud, places))
        });
        let clouds: Vec<Arc<Running>> = clouds.collect::<Result<_, NodeError>>()?;
        node.shared.clouds.send_replace(clouds);
        if let Some(serve) = serve {
            serve.serve_node(&node)?;
        }
        Ok(node)
    }
}
