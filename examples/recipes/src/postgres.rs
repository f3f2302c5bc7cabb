//! PostgreSQL with tokio-postgres.

use tailnet::Tailnet;
use tokio_postgres::{Client, Config, NoTls};

/// Connects to the server at `address`, such as `db:5432`. The tailnet encrypts, so the protocol need not.
pub async fn connect(tailnet: &Tailnet, address: &str, config: &Config) -> anyhow::Result<Client> {
    let stream = tailnet.connect(address).await?;
    let (client, connection) = config.connect_raw(stream, NoTls).await?;
    tokio::spawn(connection); // ends with the client
    Ok(client)
}
