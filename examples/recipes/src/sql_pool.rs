//! A pool of sqlx's, or any other client that takes a host and a port and nothing else.

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tailnet::{Forwarder, Tailnet};
use tokio::net::TcpListener;

/// Connects to the server at `address`, such as `db:5432`, by a port of this machine's loopback. Its other users can use
/// that port too, so the database must ask for a password. Keep the forwarder for as long as the pool.
pub async fn connect(
    tailnet: &Tailnet,
    address: &str,
    options: PgConnectOptions,
) -> anyhow::Result<(PgPool, Forwarder)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let local = listener.local_addr()?;
    let forwarder = tailnet.forward(listener, address)?;
    let options = options.host(&local.ip().to_string()).port(local.port());
    Ok((PgPoolOptions::new().connect_with(options).await?, forwarder))
}
