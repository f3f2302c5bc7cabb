//! What `tracing` gets: the node's log lines as events with the target `tailscale` and the node's name, and the spans of
//! this crate's own operations, with the target `tailnet`.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use libtailscale_sys as sys;
use tracing::{Level, Span};

use crate::Address;

static NAMES: LazyLock<RwLock<HashMap<u64, Arc<str>>>> = LazyLock::new(RwLock::default);

/// Gives the lines of `node` a name.
pub(crate) fn name(node: u64, name: &str) {
    NAMES.write().unwrap_or_else(PoisonError::into_inner).insert(node, name.into());
}

/// Forgets the name of `node`.
pub(crate) fn forget(node: u64) {
    NAMES.write().unwrap_or_else(PoisonError::into_inner).remove(&node);
}

/// The name of `node`; empty if it has none.
pub(crate) fn name_of(node: u64) -> Arc<str> {
    NAMES.read().unwrap_or_else(PoisonError::into_inner).get(&node).cloned().unwrap_or_default()
}

fn level(level: i32) -> Level {
    match level.unsigned_abs() {
        sys::TAILSCALE_LOG_TRACE => Level::TRACE,
        sys::TAILSCALE_LOG_DEBUG => Level::DEBUG,
        sys::TAILSCALE_LOG_INFO => Level::INFO,
        _ => Level::WARN,
    }
}

/// Whether a line of that level would go anywhere.
pub(crate) fn wanted(number: i32) -> bool {
    match level(number) {
        Level::TRACE => tracing::enabled!(target: "tailscale", Level::TRACE),
        Level::DEBUG => tracing::enabled!(target: "tailscale", Level::DEBUG),
        Level::INFO => tracing::enabled!(target: "tailscale", Level::INFO),
        _ => tracing::enabled!(target: "tailscale", Level::WARN),
    }
}

/// The span in which a node joins its tailnet.
pub(crate) fn up_span(hostname: &str) -> Span {
    tracing::info_span!(target: "tailnet", "up", hostname)
}

/// The span of a dial.
pub(crate) fn connect_span(peer: &Address) -> Span {
    tracing::debug_span!(target: "tailnet", "connect", %peer)
}

/// Hands the line to `tracing`.
pub(crate) fn emit(node: u64, number: i32, line: &str) {
    let name = name_of(node);
    let node = &*name;
    match level(number) {
        Level::TRACE => tracing::trace!(target: "tailscale", node, "{line}"),
        Level::DEBUG => tracing::debug!(target: "tailscale", node, "{line}"),
        Level::INFO => tracing::info!(target: "tailscale", node, "{line}"),
        _ => tracing::warn!(target: "tailscale", node, "{line}"),
    }
}
