//! Follows the node's state in the tailnet: keeps the newest, and acts on changes.

use std::sync::Weak;
use std::sync::atomic::Ordering;

use tailnet::{BackendState, Tailnet};
use tracing::{info, warn};

use super::Shared;

/// Keeps the newest state, and logs changes, for as long as the node lives.
pub(super) async fn follow(shared: Weak<Shared>, tailnet: Tailnet) {
    let mut watch = tailnet.watch();
    let mut last = BackendState::NoState;
    let (mut joined_once, mut is_in, mut forgotten) = (false, false, false);
    let mut health: Vec<String> = Vec::new();
    let mut netmap_version = 0;
    while let Ok(state) = watch.changed().await {
        let Some(shared) = shared.upgrade() else { return };
        if state.forgotten && !forgotten {
            warn!(
                "the control server no longer knows this node, which was perhaps deleted in the admin console: no \
                 cloud can be reached until it is let in anew"
            );
        }
        forgotten = state.forgotten;
        let down = matches!(
            state.backend,
            BackendState::Stopped | BackendState::NeedsLogin | BackendState::NeedsMachineAuth
        );
        if down && is_in {
            is_in = false;
            shared.scope.end_connections();
            shared.wake(|_| true);
        }
        if state.backend != last {
            // Why a forgotten node needs a login is in the log already.
            if !(forgotten && state.backend == BackendState::NeedsLogin) {
                log(state.backend, joined_once, shared.logged_out.load(Ordering::Relaxed));
            }
            last = state.backend;
        }
        if state.health != health {
            for line in state.health.iter().filter(|line| !health.contains(line)) {
                tracing::debug!("Tailscale's health check: {line}");
            }
            health.clone_from(&state.health);
        }
        if state.backend == BackendState::Running {
            (joined_once, is_in) = (true, true);
            if state.netmap_version != netmap_version {
                netmap_version = state.netmap_version;
                shared.wake(|health| health.reachable != Some(true));
            }
        }
        shared.state.send_replace(Some(state));
    }
}

fn log(backend: BackendState, joined_once: bool, by_command: bool) {
    match backend {
        BackendState::Running if joined_once => info!("connected to the tailnet again"),
        BackendState::NeedsLogin if joined_once && !by_command => {
            warn!(
                "the node's key has expired or was revoked: no cloud can be reached until there is a new auth key"
            );
        }
        BackendState::NeedsLogin if joined_once => warn!("the node was logged out: no cloud can be reached"),
        BackendState::Stopped if joined_once => warn!("the node is down: no cloud can be reached"),
        _ => {}
    }
}
