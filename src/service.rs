//! Composes the service: a node, and what serves it on this machine.

use crate::config::Config;
use crate::local::Local;
use crate::node::{Node, NodeBuilder, NodeError};

impl Node {
    /// A builder for a node that serves what its configuration says.
    pub fn builder(config: Config) -> NodeBuilder {
        NodeBuilder::new(config).serve_with(&Local)
    }

    /// Starts a node and waits until it has joined its tailnet.
    ///
    /// # Errors
    /// Says why there is no node; nothing is left running then.
    pub async fn up(config: Config) -> Result<Node, NodeError> {
        Node::builder(config).up().await
    }
}
