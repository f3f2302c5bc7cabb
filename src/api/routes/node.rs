//! This node and its tailnet.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::api::needs::{Needs, Routes};
use crate::api::problem::{Code, Problem};
use crate::api::state::Api;
use crate::config::Verb;
use crate::node::report::{ExitNode, Peer, Status};

pub(super) fn routes() -> Routes {
    Routes::default()
        .add(Needs::anywhere(Verb::View), routes!(node))
        .add(Needs::anywhere(Verb::View), routes!(peers))
}

/// How this node is.
#[derive(Serialize, ToSchema)]
struct NodeView {
    version: String,
    /// What the node does in the tailnet, such as `Running`.
    state: String,
    /// Whether it has joined, and every required cloud is reachable.
    ready: bool,
    /// Why it is not ready.
    reasons: Vec<String>,
    /// What Tailscale's health checks warn of.
    health: Vec<String>,
    /// When the node's key expires, in seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_expires: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_node: Option<ExitNode>,
    /// The domain of the tailnet's MagicDNS names.
    tailnet: String,
    /// The node itself.
    this: Peer,
    /// How long it has run, in seconds.
    uptime: u64,
}

async fn status(api: &Api) -> Result<Status, Problem> {
    api.node.status().await.map_err(|error| Problem::new(Code::Unavailable, error.to_string()))
}

/// How this node is in its tailnet.
#[utoipa::path(
    get, path = "/node", operation_id = "get_node", tag = "node", responses((status = 200, body = NodeView)),
)]
async fn node(State(api): State<Api>) -> Result<Json<NodeView>, Problem> {
    let status = status(&api).await?;
    Ok(Json(NodeView {
        version: status.version,
        state: status.state.to_string(),
        ready: status.ready,
        reasons: status.reasons,
        health: status.health,
        key_expires: status.key_expires,
        exit_node: status.exit_node,
        tailnet: status.tailnet,
        this: status.this,
        uptime: api.node.uptime().as_secs(),
    }))
}

/// The other nodes of the tailnet that this one may know of.
#[utoipa::path(
    get, path = "/node/peers", operation_id = "list_peers", tag = "node", responses((status = 200, body = Vec<Peer>)),
)]
async fn peers(State(api): State<Api>) -> Result<Json<Vec<Peer>>, Problem> {
    Ok(Json(status(&api).await?.peers))
}
