//! Redis with the crate redis.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use tailnet::Tailnet;

/// Connects to the server at `address`, such as `cache:6379`.
pub async fn connect(
    tailnet: &Tailnet,
    address: &str,
    info: &RedisConnectionInfo,
) -> anyhow::Result<MultiplexedConnection> {
    let stream = tailnet.connect(address).await?;
    let config = AsyncConnectionConfig::new();
    let (client, connection) = MultiplexedConnection::new_with_config(info, stream, config).await?;
    tokio::spawn(connection); // ends with the client
    Ok(client)
}
