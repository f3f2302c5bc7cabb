//! What serves a node on this machine, as far as the node knows it: whoever composes the service gives it.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

use super::Node;
use crate::cloud::Cloud;
use crate::listen::ServeError;

/// Serves a place until it is dropped, which frees the place; connections that are open go on.
pub(crate) type Serving = BoxFuture<'static, ()>;

/// Serves a node and its clouds.
pub(crate) trait Serve: Debug + Send + Sync {
    /// Serves the node until it stops.
    fn serve_node(&self, node: &Node) -> Result<(), ServeError>;

    /// Takes the places of a cloud, each of which is served once it is polled.
    fn bind_cloud(&self, node: &Node, cloud: &Cloud) -> Result<Vec<Serving>, ServeError>;
}
