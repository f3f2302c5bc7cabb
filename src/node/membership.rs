//! The node's membership in its tailnet: starts the node there, and runs what keeps it in.

use std::sync::{Arc, Weak};

use tailnet::Tailnet;
use tracing::info;

use super::{Joining, NodeError, Shared, exit_node, expiry, join, relogin, state};
use crate::config::{Config, Key};

/// Starts the node in the tailnet, which then joins in the background.
pub(super) async fn start(config: &Config, key: Option<&Key>) -> Result<Tailnet, NodeError> {
    let mut node = Tailnet::builder()
        .hostname(&config.hostname)
        .state_dir(&config.state_dir)
        .tags(&config.tags)
        .accept_routes(config.accept_routes)
        .own_proxies(config.socks5.into_iter().chain(config.http_proxy))
        .ephemeral(config.ephemeral)
        .connect_timeout(config.connect_timeout)
        .join_timeout(config.join_timeout);
    // Tests ask no gateway for a port.
    if cfg!(test) || std::env::var_os("TS_DISABLE_PORTMAPPER").is_some() {
        node = node.port_mapping(false);
    }
    if let Some(url) = &config.control_url {
        node = node.control_url(url.clone());
    }
    node = match key {
        Some(Key::Auth(key)) => node.auth_key(key.clone()),
        Some(Key::ClientSecret(secret)) => node.client_secret(secret.clone()),
        Some(Key::Workload { client_id, id_token }) => node.workload_identity(client_id, id_token.clone()),
        None => node,
    };
    info!("Authenticating with Tailscale");
    let node = node.start().await.map_err(NodeError::Join)?;
    if let Err(error) = exit_node::choose(&node, config.exit_node.as_ref()).await {
        super::close(&node).await;
        return Err(NodeError::ExitNode(error));
    }
    Ok(node)
}

/// Joins, and then follows the node's state for as long as it lives.
pub(super) async fn keep(shared: Weak<Shared>, tailnet: Tailnet) {
    let Some(strong) = shared.upgrade() else { return };
    let follow = state::follow(Weak::clone(&shared), tailnet.clone());
    let log_in_again = relogin::watch(Weak::clone(&shared), tailnet.clone(), strong.state.subscribe());
    let follow_exit_node = exit_node::follow(Weak::clone(&shared), tailnet.clone(), strong.state.subscribe());
    let warn_of_expiry = expiry::watch(strong.state.subscribe());
    let config = Arc::clone(&strong.config.borrow());
    drop(strong);
    let join = async {
        let outcome = join::join(&tailnet, &config).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.joining.send_replace(match outcome {
            Ok(()) => Joining::Joined,
            Err(error) => Joining::Failed(Arc::new(error)),
        });
    };
    tokio::join!(join, follow, log_in_again, follow_exit_node, warn_of_expiry);
}
