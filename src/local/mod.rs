//! What the node serves on this machine: health and metrics, the control socket, and proxies into the tailnet.

mod health;
mod host;
mod listen;
mod metrics;
mod proxies;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpListener;

use crate::cloud::Cloud;
use crate::config::Config;
use crate::control;
use crate::node::Node;

pub(crate) use listen::{Opens, UnixSocket, bind_tcp, bind_unix};

/// Something cannot be served on this machine.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place} for {what}: {source}")]
#[non_exhaustive]
pub struct ServeError {
    /// For what.
    pub what: String,
    /// Where.
    pub place: String,
    /// Why.
    pub source: io::Error,
}

/// Serves what the configuration says, but for the clouds' proxies.
pub(crate) async fn serve(node: &Node, config: &Config) -> Result<(), ServeError> {
    let control = bind_unix("the control socket", &config.control_socket(), Opens::OWNER)?;
    let health = match config.listen {
        Some(address) => Some(bind_tcp("health and metrics", address)?),
        None => None,
    };
    let proxies = proxies::bind(config)?;
    control::server::serve(node, control);
    if let Some(listener) = health {
        health::serve(node, listener);
    }
    for proxy in proxies {
        proxies::serve(node, proxy);
    }
    Ok(())
}

/// A place on this machine where a cloud is served.
pub(crate) enum CloudProxy {
    Unix(UnixSocket),
    Tcp(TcpListener),
}

/// Takes the places of a cloud's proxies.
pub(crate) fn bind_cloud(cloud: &Cloud) -> Result<Vec<CloudProxy>, ServeError> {
    let config = cloud.config();
    let what = format!("the proxy of {}", cloud.name());
    let opens = Opens { mode: config.proxy_mode, group: config.proxy_group };
    let unix = config.proxy_unix.as_deref().map(|path| bind_unix(&what, path, opens).map(CloudProxy::Unix));
    let tcp = config.proxy_listen.map(|address| bind_tcp(&what, address).map(CloudProxy::Tcp));
    unix.into_iter().chain(tcp).collect()
}

impl CloudProxy {
    /// Serves until the future is dropped; connections go on then.
    pub(crate) async fn serve(self, node: Node, cloud: Cloud) {
        match self {
            CloudProxy::Unix(socket) => proxies::serve_cloud_unix(node, cloud, socket).await,
            CloudProxy::Tcp(listener) => proxies::serve_cloud_tcp(node, cloud, listener).await,
        }
    }
}

/// How many requests and connections there were, by what was asked and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<BTreeMap<(String, &'static str), u64>>);

impl Requests {
    /// Counts one.
    pub(crate) fn count(&self, what: &str, outcome: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((what.to_owned(), outcome)).or_default() += 1;
    }

    fn all(&self) -> BTreeMap<(String, &'static str), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
