//! `/healthz`, `/readyz` and `/metrics`, for whoever reaches the address: they change nothing and tell no secret.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tracing::warn;

use super::metrics;
use crate::node::Node;

pub(super) fn serve(node: &Node, listener: TcpListener) {
    let router = Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(figures))
        .with_state(node.clone());
    let stopping = node.stopping().cancelled_owned();
    node.tasks().spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopping).await {
            warn!("health and metrics are served no more: {error}");
        }
    });
}

async fn alive(State(node): State<Node>) -> &'static str {
    node.shared.requests.count("/healthz", "200");
    "ok\n"
}

/// One line for each reason why it is not ready.
async fn ready(State(node): State<Node>) -> Response {
    let reasons = node.not_ready();
    if reasons.is_empty() {
        node.shared.requests.count("/readyz", "200");
        return "ready\n".into_response();
    }
    node.shared.requests.count("/readyz", "503");
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}

async fn figures(State(node): State<Node>) -> Response {
    node.shared.requests.count("/metrics", "200");
    let text = metrics::text(&node).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
