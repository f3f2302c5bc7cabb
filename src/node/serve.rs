//! How a node is served on this machine. The node knows only this trait; [`crate::service`] gives it what implements it.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

use super::{Node, NodeError};
use crate::cloud::Cloud;
use crate::listen::ServeError;

/// Serves one socket or port until it is dropped, which frees it. Open connections go on.
pub(crate) type Serving = BoxFuture<'static, ()>;

/// Serves a node and its clouds.
pub(crate) trait Serve: Debug + Send + Sync {
    /// Serves the node until it stops.
    fn serve_node(&self, node: &Node) -> Result<(), NodeError>;

    /// Binds the sockets and ports of a cloud. Clients are served once the futures are polled.
    fn bind_cloud(&self, node: &Node, cloud: &Cloud) -> Result<Vec<Serving>, ServeError>;
}
