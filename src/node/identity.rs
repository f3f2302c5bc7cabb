//! What lets the node into its tailnet: the key that is configured, and the identity of an earlier start.

use std::path::Path;

use super::blocking;
use crate::config::{Config, Key, KeyError, Secret};

/// The configured key.
pub(super) async fn read_key(config: &Config) -> Result<Option<Key>, KeyError> {
    let source = config.key.clone();
    blocking(move || source.read()).await
}

/// Where the key comes from, for messages.
pub(super) fn key_place(config: &Config) -> String {
    config.key.secret().map_or_else(|| "the configuration".to_owned(), Secret::place)
}

/// Whether the state folder holds the identity of a node that has joined before. Such a node needs no key.
pub(crate) fn has_identity(state_dir: &Path) -> bool {
    let text = std::fs::read_to_string(state_dir.join("tailscaled.state"));
    text.is_ok_and(|text| text.contains("\"profile-"))
}
