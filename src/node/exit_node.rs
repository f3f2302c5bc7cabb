//! The exit node that the configuration names.

use std::net::IpAddr;
use std::sync::{Arc, Weak};

use tailnet::{BackendState, PrefsEdit, State, Status, Tailnet};
use tokio::sync::watch;
use tracing::{info, warn};

use super::report;
use super::{AskError, Shared};
use crate::config::ExitNode;

/// Chooses that exit node, or none, and returns its address. If no node has the name, none is chosen, and nothing outside
/// the tailnet is reached. The state folder keeps the choice of an earlier start, so each start chooses again.
pub(super) async fn choose(tailnet: &Tailnet, exit: Option<&ExitNode>) -> Result<Option<IpAddr>, AskError> {
    let status = tailnet.status().await?;
    let wanted = exit.and_then(|exit| ip_of(&status, exit));
    let used = status.peers().find(|peer| peer.exit_node);
    let is_used = wanted.is_some_and(|ip| used.is_some_and(|peer| peer.ips.contains(&ip)));
    if !is_used {
        tailnet.edit_prefs(&PrefsEdit::new().exit_node(wanted)).await?;
    }
    Ok(wanted)
}

fn ip_of(status: &Status, exit: &ExitNode) -> Option<IpAddr> {
    match exit {
        ExitNode::Ip(ip) => Some(*ip),
        ExitNode::Name(name) => status.peer_named(name)?.ips.first().copied(),
    }
}

/// Chooses again whenever another node gets the name, and after a logout, which loses the choice. Runs for as long as the
/// node lives.
pub(super) async fn follow(
    shared: Weak<Shared>,
    tailnet: Tailnet,
    mut state: watch::Receiver<Option<State>>,
) {
    let mut netmap = None;
    let mut logged = None;
    loop {
        let newest = state.borrow_and_update().as_ref().map(|state| (state.netmap_version, state.backend));
        if newest != netmap && newest.is_some_and(|(_, backend)| backend == BackendState::Running) {
            netmap = newest;
            let Some(shared) = shared.upgrade() else { return };
            // A reload that runs meanwhile must not have its choice overwritten.
            let _turn = shared.reloading.lock().await;
            let config = Arc::clone(&shared.config.borrow());
            if let Some(exit) = &config.exit_node {
                let chosen = choose(&tailnet, Some(exit)).await.map_err(|error| error.to_string());
                let news = logged.as_ref() != Some(&chosen);
                match &chosen {
                    _ if !news => {}
                    Ok(Some(ip)) => info!(%ip, "what is outside the tailnet goes through {exit}"),
                    Ok(None) => {
                        warn!("the exit node {exit} is not in the tailnet: nothing outside it is reached")
                    }
                    Err(error) => warn!("the exit node {exit} cannot be chosen: {error}"),
                }
                logged = Some(chosen);
            }
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

/// The status of the configured exit node.
pub(super) fn report(status: &Status, exit: &ExitNode) -> report::ExitNode {
    let peer = ip_of(status, exit).and_then(|ip| status.peer(ip));
    report::ExitNode {
        configured: exit.to_string(),
        name: peer.map(|peer| peer.short_name().to_owned()),
        online: peer.is_some_and(|peer| peer.online),
        offers: peer.is_some_and(|peer| peer.exit_node_option),
        used: peer.is_some_and(|peer| peer.exit_node),
    }
}
