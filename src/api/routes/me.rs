//! Who asks, and what that caller may do.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::api::connection::{Connection, Door};
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::state::Api;
use crate::version::VERSION;
use crate::web;

pub(super) fn routes() -> Routes {
    Routes::default().add(Needs::ANY, routes!(me))
}

/// Who asks.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The caller: the node, its user, its tags, and the rights that it has by the tailnet's policy and by `kolaboree.yaml`.
    #[schema(value_type = Object)]
    caller: Caller,
    /// The version of this node.
    version: &'static str,
    /// The number of the page's build. A page that has another one is to be loaded anew.
    page: String,
    /// Whether the caller is a fixed one, for development.
    development: bool,
    /// Actions that the page asks about before they are done.
    confirm: Vec<String>,
    /// Templates of links to elsewhere, by their names; `{cloud}`, `{project}` and `{instance}` stand for those.
    links: std::collections::BTreeMap<String, String>,
}

/// Who asks, and what that caller may do.
#[utoipa::path(
    get, path = "/me", operation_id = "me", tag = "me",
    responses((status = 200, body = Me)),
)]
async fn me(State(api): State<Api>, connection: Connection, caller: Asker) -> Json<Me> {
    let config = api.node.config();
    let (confirm, links) = match &config.tailnet {
        Some(tailnet) => (tailnet.confirm.iter().map(ToString::to_string).collect(), tailnet.links.clone()),
        None => Default::default(),
    };
    Json(Me {
        caller: Caller::clone(&caller),
        version: VERSION,
        page: web::build(),
        development: connection.door == Door::Development,
        confirm,
        links,
    })
}
