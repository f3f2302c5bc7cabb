//! What the node serves on this machine: health and metrics, the control socket, and proxies into the tailnet.

mod health;
mod host;
mod metrics;
mod proxies;

use futures_util::FutureExt;

use crate::cloud::Cloud;
use crate::control;
use crate::listen::{Opens, ServeError, bind_tcp, bind_unix};
use crate::node::{Node, Serve, Serving};

/// Serves what the configuration says.
#[derive(Debug)]
pub(crate) struct Local;

impl Serve for Local {
    fn serve_node(&self, node: &Node) -> Result<(), ServeError> {
        let config = node.config();
        let control = bind_unix("the control socket", &config.control_socket(), Opens::OWNER)?;
        let health = match config.listen {
            Some(address) => Some(bind_tcp("health and metrics", address)?),
            None => None,
        };
        let proxies = proxies::bind(&config)?;
        control::server::serve(node, control);
        if let Some(listener) = health {
            health::serve(node, listener);
        }
        for proxy in proxies {
            proxies::serve(node, proxy);
        }
        Ok(())
    }

    fn bind_cloud(&self, node: &Node, cloud: &Cloud) -> Result<Vec<Serving>, ServeError> {
        let config = cloud.config();
        let what = format!("the proxy of {}", cloud.name());
        let opens = Opens { mode: config.proxy_mode, group: config.proxy_group };
        let (node, cloud) = (|| node.clone(), || cloud.clone());
        let mut serving = Vec::new();
        if let Some(path) = &config.proxy_unix {
            let socket = bind_unix(&what, path, opens)?;
            serving.push(proxies::serve_cloud_unix(node(), cloud(), socket).boxed());
        }
        if let Some(address) = config.proxy_listen {
            let listener = bind_tcp(&what, address)?;
            serving.push(proxies::serve_cloud_tcp(node(), cloud(), listener).boxed());
        }
        Ok(serving)
    }
}
