//! The HTTP API on the tailnet, for the page, scripts and other programs. The tailnet is the login: a caller is the node at the
//! other end of the connection.
//!
//! ```text
//! serve         ports of the node, connections, deadlines
//! gate          each request: by which name (guard/hosts), from which page (guard/fetch), who, how many (guard/limits)
//! needs         each route: the right that it takes, checked before its handler and told in the OpenAPI document
//! routes/       a file for each kind of thing, from the inventory and by the actions
//! jobs/ list    what changes things; pages of what there is, made once for many (answers)
//! transfers/    long bodies, which end with the right to them (recheck)
//! terminals/    commands and consoles by websocket, which outlive it
//! replica       which of the nodes behind one service something belongs to
//! page          the document of the page and its files
//! problem       refusals and failures, as RFC 9457 has them
//! ```

mod answers;
mod ask;
mod attachment;
mod cloud;
mod connection;
mod counted;
mod doctor;
mod extract;
mod frames;
mod gate;
mod guard;
mod jobs;
mod list;
mod names;
mod needs;
mod openapi;
mod page;
mod problem;
mod recheck;
mod replica;
mod router;
mod routes;
mod secrets;
mod serve;
mod state;
mod terminals;
mod transfers;

use tracing::warn;

use crate::access::Access;
use crate::access::audit::Audit;
use crate::inventory::Inventory;
use crate::node::{Node, NodeError};

use serve::{Port, Server};
use state::Api;

/// Serves the API where the configuration says, until the node stops.
///
/// # Errors
/// When the audit cannot be written, or the address for development not be bound.
pub(crate) fn serve(node: &Node, inventory: Inventory, access: Access) -> Result<(), NodeError> {
    let config = node.config();
    let Some(tailnet) = &config.tailnet else { return Ok(()) };
    let audit = Audit::open(&config.state_dir).map_err(|error| NodeError::Audit(error.into()))?;
    let api = Api::new(node.clone(), inventory, access, audit);
    let server = Server::new(api.clone(), router::router(api.clone()));
    if let Some(development) = &tailnet.development {
        let listener = serve::bind_loopback(development.listen)?;
        warn!(
            "the API is served at http://{} for development: every program of this machine is {} there",
            development.listen, development.user
        );
        node.spawn(server.clone().serve_loopback(listener, development.listen));
    }
    // The node itself, and the service that it hosts.
    for service in std::iter::once(None).chain(tailnet.service.clone().map(Some)) {
        for (port, tls) in [(tailnet.listen, false), (tailnet.tls, true)] {
            if let Some(port) = port {
                let port = Port { port, tls, service: service.clone() };
                node.spawn(server.clone().serve_port(port));
            }
        }
    }
    node.spawn(names::follow(api));
    Ok(())
}
