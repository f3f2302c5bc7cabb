//! The way into the tailnet for a command and the doctor: the running node, by its control socket or from within it, or a node
//! of the command's own.

use std::pin::Pin;

use lxd_client::{Client as LxdClient, Identity};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::access::Access;
use crate::cloud;
use crate::config::{CloudConfig, CloudKind, Config};
use crate::control::client::{self as control, ControlError};
use crate::control::connector::{ApiConnector, Connector};
use crate::control::protocol::{self as api, Health, PingRequest, Pong, Status};
use crate::inventory::{Inventory, Query};
use crate::node::{Node, NodeBuilder, NodeError, blocking};

/// A stream through either kind of uplink.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Stream for T {}

/// A node of the tailnet that a command uses.
pub(crate) enum Uplink {
    /// The node that runs already, by its control socket.
    Running(control::Client),
    /// A node for the time of the command, with the same state folder.
    Own(Node),
    /// The running node, from within it, with what it knows of callers.
    Inside(Node, Access),
}

/// The running node, for commands that need one.
pub(crate) async fn running(config: &Config) -> Result<control::Client, ControlError> {
    control::Client::find(&config.control_socket()).await
}

impl Uplink {
    /// The running node, or if there is none a node of the command's own that has joined.
    pub(crate) async fn either(config: &Config) -> anyhow::Result<Uplink> {
        match running(config).await {
            Ok(client) => return Ok(Uplink::Running(client)),
            Err(ControlError::NoNode(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Uplink::own(config).await
    }

    /// A node of the command's own that has joined.
    pub(crate) async fn own(config: &Config) -> anyhow::Result<Uplink> {
        let node = NodeBuilder::new(config.clone()).watch_nothing().start().await?;
        let joined = tokio::select! {
            // `joined` has no deadline but knows why a key cannot be used; `up` ends after join_timeout.
            joined = node.joined() => joined,
            joined = node.tailnet().up() => joined.map(drop).map_err(NodeError::Join),
        };
        if let Err(error) = joined {
            node.stop().await;
            return Err(error.into());
        }
        Ok(Uplink::Own(node))
    }

    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        Ok(match self {
            Uplink::Running(client) => client.status().await?,
            Uplink::Own(node) | Uplink::Inside(node, _) => node.status().await?,
        })
    }

    pub(crate) async fn netcheck(&self) -> anyhow::Result<api::Netcheck> {
        Ok(match self {
            Uplink::Running(client) => client.netcheck().await?,
            Uplink::Own(node) | Uplink::Inside(node, _) => node.netcheck().await?,
        })
    }

    /// Who may do what.
    pub(crate) async fn access(&self) -> anyhow::Result<api::AccessList> {
        Ok(match self {
            Uplink::Running(client) => client.access().await?,
            Uplink::Own(node) => Access::start(node).list().await?,
            Uplink::Inside(_, access) => access.list().await?,
        })
    }

    pub(crate) async fn ping(&self, request: &PingRequest) -> anyhow::Result<Pong> {
        Ok(match self {
            Uplink::Running(client) => client.ping(request).await?,
            Uplink::Own(node) | Uplink::Inside(node, _) => node.ping(request).await?,
        })
    }

    /// Probes a cloud.
    pub(crate) async fn check(&self, name: &str) -> anyhow::Result<Health> {
        Ok(match self {
            Uplink::Running(client) => client.check(name).await?.health,
            Uplink::Own(node) | Uplink::Inside(node, _) => node.check(name).await?.health,
        })
    }

    /// A stream through the tailnet.
    pub(crate) async fn connect(&self, address: &str) -> anyhow::Result<Pin<Box<dyn Stream>>> {
        Ok(match self {
            Uplink::Running(client) => Box::pin(hyper_util::rt::TokioIo::new(client.dial(address).await?)),
            Uplink::Own(node) | Uplink::Inside(node, _) => Box::pin(node.tailnet().connect(address).await?),
        })
    }

    /// A client of a cloud, in its configured project, with the node's certificate.
    pub(crate) async fn client(&self, config: &Config, of: &CloudConfig) -> anyhow::Result<LxdClient> {
        let client = match self {
            // Its connections are open already, and its watcher has established trust.
            Uplink::Running(node) => {
                let (api, own) = (ApiConnector(node.clone(), of.clone()), Connector(node.clone()));
                cloud::by_facade(of, api, own, identity(config).await?)?
            }
            Uplink::Own(_) | Uplink::Inside(..) => {
                let client = self.bare_client(config, of).await?;
                cloud::establish_trust(&client, of).await?;
                client
            }
        };
        Ok(match &of.project {
            Some(project) => client.project(project),
            None => client,
        })
    }

    /// A client without a project, which makes its own connections.
    pub(crate) async fn bare_client(&self, config: &Config, of: &CloudConfig) -> anyhow::Result<LxdClient> {
        let identity = identity(config).await?;
        Ok(match self {
            Uplink::Running(client) => cloud::over(of, Connector(client.clone()), identity)?,
            Uplink::Own(node) | Uplink::Inside(node, _) => {
                cloud::over(of, node.tailnet().connector(), identity)?
            }
        })
    }

    /// An inventory of the clouds that the query is about, for a command whose node has none.
    pub(crate) async fn inventory(&self, config: &Config, query: &Query) -> anyhow::Result<Inventory> {
        let mut clouds = Vec::new();
        let with_api = config.clouds.iter().filter(|cloud| cloud.kind != CloudKind::Tcp);
        for cloud in with_api.filter(|cloud| query.has_cloud(&cloud.name)) {
            clouds.push((cloud.name.clone(), cloud.kind, self.bare_client(config, cloud).await?));
        }
        Ok(Inventory::over(clouds))
    }

    /// Stops the command's own node.
    pub(crate) async fn close(self) {
        if let Uplink::Own(node) = self {
            node.stop().await;
        }
    }
}

/// The node's certificate, which commands use too.
async fn identity(config: &Config) -> anyhow::Result<Identity> {
    let (folder, name) = (config.state_dir.clone(), config.hostname.clone());
    Ok(blocking(move || Identity::load_or_generate(&folder, &name)).await?)
}
