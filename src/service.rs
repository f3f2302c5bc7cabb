//! Puts the service together: the node, and what serves it on this machine.

use crate::config::Config;
use crate::local::Local;
use crate::node::{Node, NodeBuilder, NodeError};

impl Node {
    /// Begins to say how to start a node.
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
