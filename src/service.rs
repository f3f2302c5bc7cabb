//! Composes the service: a node, and what serves it on this machine and in the tailnet.

use crate::access::Access;
use crate::cloud::Cloud;
use crate::config::Config;
use crate::inventory::Inventory;
use crate::listen::ServeError;
use crate::node::{Node, NodeBuilder, NodeError, Serve, Serving};
use crate::{api, local};

/// Serves what the configuration says. One inventory, and one knowledge of callers, are for all.
#[derive(Debug)]
struct Service;

impl Serve for Service {
    fn serve_node(&self, node: &Node) -> Result<(), NodeError> {
        let (inventory, access) = (Inventory::start(node), Access::start(node));
        local::serve(node, &inventory, &access)?;
        api::serve(node, inventory, access)
    }

    fn bind_cloud(&self, node: &Node, cloud: &Cloud) -> Result<Vec<Serving>, ServeError> {
        local::bind_cloud(node, cloud)
    }
}

impl Node {
    /// A builder for a node that serves what its configuration says.
    pub fn builder(config: Config) -> NodeBuilder {
        NodeBuilder::new(config).serve_with(&Service)
    }

    /// Starts a node and waits until it has joined its tailnet.
    ///
    /// # Errors
    /// Says why there is no node; nothing is left running then.
    pub async fn up(config: Config) -> Result<Node, NodeError> {
        Node::builder(config).up().await
    }
}
