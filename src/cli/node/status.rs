//! `status`: shows the running node, its peers and its clouds.

use tailnet::BackendState;

use super::super::exit::UserError;
use super::super::output::Out;
use super::super::tables;
use crate::config::Config;
use crate::uplink::running;

pub(super) async fn run(config: &Config, no_peers: bool, out: &Out) -> anyhow::Result<()> {
    let mut status = running(config).await?.status().await?;
    if no_peers {
        status.peers.clear();
    }
    out.print(&status, || tables::status(&status, out))?;
    if status.state == BackendState::Running {
        return Ok(());
    }
    // As `tailscale status`: whether it is up shows in the exit code too.
    Err(UserError::new(4, format!("the node is not in its tailnet ({})", status.state)).into())
}
