//! `health`: exits with 0 when the running node is alive, or ready.

use super::super::exit::UserError;
use crate::config::Config;
use crate::uplink::running;

pub(super) async fn run(config: &Config, ready: bool) -> anyhow::Result<()> {
    let client = running(config).await?;
    if !ready {
        client.clouds().await?;
        return Ok(());
    }
    let status = client.status().await?;
    if status.ready {
        return Ok(());
    }
    Err(UserError::new(1, format!("not ready: {}", status.reasons.join("; "))).into())
}
