//! YAML. The only use of serde_yaml in this package. It is no longer maintained: serde_norway keeps a fork of it, and
//! a change to that touches this file alone.

use serde::de::DeserializeOwned;

/// Reads a document. The error says what was wrong, and in which line and column.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_yaml::from_str(text).map_err(|e| e.to_string())
}
