//! What the node serves on this machine: health and metrics, the control socket, and proxies into the tailnet.

pub(crate) mod cloud_proxy;
mod health;
mod host;
mod proxies;

use std::time::Duration;

use futures_util::FutureExt;

use cloud_proxy::OfNode;

use crate::access::Access;
use crate::cloud::Cloud;
use crate::control;
use crate::inventory::Inventory;
use crate::listen::{Opens, ServeError, bind_tcp, bind_unix};
use crate::node::{Node, Serving};

/// Serves what the configuration says, until the node stops.
pub(crate) fn serve(node: &Node, inventory: &Inventory, access: &Access) -> Result<(), ServeError> {
    let config = node.config();
    let control = bind_unix("the control socket", &config.control_socket(), Opens::OWNER)?;
    let health = match config.listen {
        Some(address) => Some(bind_tcp("health and metrics", address)?),
        None => None,
    };
    let proxies = proxies::bind(&config)?;
    control::server::serve(node, inventory.clone(), access.clone(), control);
    if let Some(listener) = health {
        health::serve(node, listener);
    }
    for proxy in proxies {
        proxies::serve(node, proxy);
    }
    Ok(())
}

/// Binds the sockets and ports of a cloud. Clients are served once the futures are polled.
pub(crate) fn bind_cloud(node: &Node, cloud: &Cloud) -> Result<Vec<Serving>, ServeError> {
    let config = cloud.config();
    let purpose = format!("the proxy of {}", cloud.name());
    let opens = Opens { mode: config.proxy_mode, group: config.proxy_group };
    let places = cloud_proxy::bind(&purpose, config.proxy_unix.as_deref(), opens, config.proxy_listen)?;
    let serve = |place| {
        let upstream = OfNode { node: node.clone(), cloud: cloud.clone() };
        cloud_proxy::serve(place, upstream, node.tasks().clone(), node.stopping()).boxed()
    };
    Ok(places.into_iter().map(serve).collect())
}

/// How long a client waits that connects before the node has joined, for example while the machine starts.
const JOIN: Duration = Duration::from_secs(20);

/// Waits until the node has joined, but not longer than clients wait. If it has not, the request itself fails with the
/// reason.
async fn joined(node: &Node) {
    let _ = tokio::time::timeout(JOIN, node.joined()).await;
}
