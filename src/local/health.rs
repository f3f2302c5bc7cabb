//! `/healthz`, `/readyz` and `/metrics`: they change nothing and contain no secret. `/readyz` and `/metrics` describe the
//! tailnet, so the name in the request is checked to keep web pages out (see [`super::host`]). `/healthz` describes
//! nothing and is answered under any name, because a container is killed when it fails.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tracing::warn;

use super::host::Hosts;
use crate::node::Node;

pub(super) fn serve(node: &Node, listener: TcpListener) {
    let hosts = Hosts::new(&node.config().hosts);
    let router = Router::new()
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route_layer(middleware::from_fn_with_state((node.clone(), hosts), for_this_machine))
        .route("/healthz", get(alive))
        .with_state(node.clone());
    let stopping = node.stopping().cancelled_owned();
    node.tasks().spawn(async move {
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopping).await {
            warn!("health and metrics are served no more: {error}");
        }
    });
}

/// Refuses a request whose host name a stranger could own.
async fn for_this_machine(
    State((node, hosts)): State<(Node, Hosts)>,
    request: Request,
    next: Next,
) -> Response {
    if hosts.accept(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    node.requests().count("another host", "421");
    let text = "this is asked for by an IP address or a name of this machine; others go to local.hosts in kolaboree.yaml\n";
    (StatusCode::MISDIRECTED_REQUEST, text).into_response()
}

async fn alive(State(node): State<Node>) -> &'static str {
    node.requests().count("/healthz", "200");
    "ok\n"
}

/// Answers with one line for each reason why the node is not ready.
async fn ready(State(node): State<Node>) -> Response {
    let reasons = node.not_ready();
    if reasons.is_empty() {
        node.requests().count("/readyz", "200");
        return "ready\n".into_response();
    }
    node.requests().count("/readyz", "503");
    (StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n").into_response()
}

async fn metrics(State(node): State<Node>) -> Response {
    node.requests().count("/metrics", "200");
    let text = crate::metrics::text(&node).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
