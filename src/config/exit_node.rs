//! The node through which everything outside the tailnet goes.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// An exit node, as somebody names it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitNode {
    /// By its address in the tailnet.
    Ip(IpAddr),
    /// By its MagicDNS name, short or full.
    Name(String),
}

/// A text that names no exit node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a node's name nor an IP address")]
pub struct InvalidExitNode(String);

impl FromStr for ExitNode {
    type Err = InvalidExitNode;

    fn from_str(text: &str) -> Result<ExitNode, InvalidExitNode> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
        };
        match text.parse() {
            Ok(ip) => Ok(ExitNode::Ip(ip)),
            // A name of digits and dots alone is an address that was mistyped.
            Err(_) if text.contains(|c: char| c.is_ascii_alphabetic()) && text.split('.').all(label) => {
                Ok(ExitNode::Name(text.to_ascii_lowercase()))
            }
            Err(_) => Err(InvalidExitNode(text.to_owned())),
        }
    }
}

impl fmt::Display for ExitNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitNode::Ip(ip) => ip.fmt(f),
            ExitNode::Name(name) => f.write_str(name),
        }
    }
}
