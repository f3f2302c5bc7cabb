//! A cloud at a Unix socket or a port of this machine, for stock clients: for the service and the command `proxy`.

use std::net::SocketAddr;
use std::path::Path;

use lxd_client::{Client, Facade, PrivateSocket};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

use super::joined;
use crate::cloud::Cloud;
use crate::listen::{Opens, ServeError, accepted, bind_tcp, bind_unix, reset};
use crate::node::Node;

/// A place where a cloud is served.
pub(crate) enum Place {
    /// Speaks the cloud's API as this node's client certificate, or for a cloud of kind `tcp` forwards streams.
    Unix(PrivateSocket),
    /// Forwards streams as they are.
    Tcp(TcpListener),
}

/// Takes the places that are given.
pub(crate) fn bind(
    purpose: &str,
    unix: Option<&Path>,
    opens: Opens,
    tcp: Option<SocketAddr>,
) -> Result<Vec<Place>, ServeError> {
    let unix = unix.map(|path| bind_unix(purpose, path, opens).map(Place::Unix));
    let tcp = tcp.map(|address| bind_tcp(purpose, address).map(Place::Tcp));
    unix.into_iter().chain(tcp).collect()
}

/// How a proxy reaches its cloud.
pub(crate) trait Upstream: Clone + Send + Sync + 'static {
    /// The client of the cloud's API, for one connection; none for a cloud of kind `tcp`.
    fn api(&self) -> impl Future<Output = Option<Client>> + Send;

    /// Forwards one connection, and says whether everything was carried to its end.
    fn forward(
        &self,
        client: &mut (impl AsyncRead + AsyncWrite + Send + Unpin),
    ) -> impl Future<Output = bool> + Send;
}

/// Serves a place until the future is dropped, which frees the place. Connections go on as tasks; those that speak the
/// API end with `stop`, as keep-alive connections would last for ever.
pub(crate) async fn serve(
    place: Place,
    upstream: impl Upstream,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    match place {
        Place::Unix(socket) => loop {
            let mut client = accepted(|| socket.accept()).await;
            let (upstream, stop) = (upstream.clone(), stop.clone());
            tasks.spawn(async move {
                if let Some(api) = upstream.api().await {
                    stop.run_until_cancelled(Facade::new(api).serve(client)).await;
                } else {
                    upstream.forward(&mut client).await; // Unix streams know no reset
                }
            });
        },
        Place::Tcp(listener) => loop {
            let (mut client, _) = accepted(|| listener.accept()).await;
            let upstream = upstream.clone();
            tasks.spawn(async move {
                if !upstream.forward(&mut client).await {
                    reset(&client);
                }
            });
        },
    }
}

/// A cloud of the running node.
#[derive(Clone)]
pub(super) struct OfNode {
    pub(super) node: Node,
    pub(super) cloud: Cloud,
}

impl OfNode {
    fn count(&self, outcome: &'static str) {
        self.node.requests().count(&format!("proxy {}", self.cloud.name()), outcome);
    }
}

impl Upstream for OfNode {
    async fn api(&self) -> Option<Client> {
        let api = self.cloud.bare_client()?;
        joined(&self.node).await;
        self.count("connected");
        Some(api)
    }

    async fn forward(&self, client: &mut (impl AsyncRead + AsyncWrite + Send + Unpin)) -> bool {
        joined(&self.node).await;
        match self.cloud.connect().await {
            Ok(stream) => {
                self.count("connected");
                let carried = stream.carry(client).await;
                if let Err(error) = &carried {
                    debug!(cloud = self.cloud.name(), "a forwarded stream broke: {error}");
                }
                carried.is_ok()
            }
            Err(error) => {
                self.count("failed");
                debug!(cloud = self.cloud.name(), "{error}");
                false
            }
        }
    }
}
