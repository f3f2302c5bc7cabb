//! A Rust service that embeds the node: an axum application on loopback which answers with the instances of all clouds,
//! reached through the tailnet.
//!
//! ```bash
//! cargo run --example sandbox -- /tmp/try &
//! cargo run --example axum_service -- /tmp/try/kolaboree.yaml
//! curl http://127.0.0.1:3000/instances
//! ```

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use kolaboree_node::{Config, Flags, Node};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter("info,tailscale=error").init();
    let mut flags = Flags::default();
    flags.config = std::env::args_os().nth(1).map(Into::into);
    let node = Node::up(Config::load(&flags)?.config).await?;

    let app = Router::new()
        .route("/instances", get(instances))
        .route("/clouds/{name}", get(cloud))
        .with_state(node.clone());
    let port = std::env::args().nth(2).map_or(Ok(3000), |text| text.parse())?;
    let listener = tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    println!("http://{}/instances", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    axum::serve(listener, app).with_graceful_shutdown(stop).await?;
    node.stop().await;
    Ok(())
}

/// The instances of all clouds; a cloud that cannot be reached has its error instead.
async fn instances(State(node): State<Node>) -> Json<Value> {
    let mut all = serde_json::Map::new();
    for cloud in node.clouds() {
        let Some(client) = cloud.client() else { continue };
        let answer = match client.instances().await {
            Ok(list) => list.iter().map(|i| json!({"name": i.name, "status": i.status})).collect(),
            Err(error) => json!({"error": error.to_string()}),
        };
        all.insert(cloud.name().to_owned(), answer);
    }
    Json(Value::Object(all))
}

/// What the newest probe of a cloud has found.
async fn cloud(State(node): State<Node>, Path(name): Path<String>) -> Result<Json<Value>, StatusCode> {
    let cloud = node.cloud(&name).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({"address": cloud.config().address.to_string(), "health": cloud.health()})))
}
