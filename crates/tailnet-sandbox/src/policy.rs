//! What an administrator says of a sandbox's nodes: users, tags, app capabilities, other tailnets.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::Value;

use crate::sandbox::Command;
use crate::{Sandbox, SandboxError};

/// A user of the tailnet, for [`Sandbox::set_user`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[must_use = "a user owns nothing until `Sandbox::set_user`"]
pub struct User {
    #[serde(rename = "ID")]
    id: u32,
    #[serde(rename = "LoginName")]
    login_name: String,
    #[serde(rename = "DisplayName")]
    display_name: String,
    #[serde(rename = "Groups")]
    groups: Vec<String>,
}

impl User {
    /// A user with an ID, which is 1000 at the least, and a login name such as `alice@example.com`.
    pub fn new(id: u32, login_name: impl Into<String>) -> User {
        User { id, login_name: login_name.into(), display_name: String::new(), groups: Vec::new() }
    }

    /// Sets a person's name.
    pub fn display_name(mut self, name: impl Into<String>) -> User {
        self.display_name = name.into();
        self
    }

    /// Puts the user into a group, such as `group:operators`, of which nodes are told.
    pub fn group(mut self, group: impl Into<String>) -> User {
        self.groups.push(group.into());
        self
    }
}

/// How a node of another tailnet has come into this one, for [`Sandbox::set_share`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Share {
    /// It was shared with this tailnet. Unlike Tailscale's control server the sandbox lets it begin streams.
    In,
    /// It belongs to a user with whom a node of this tailnet was shared.
    Sharee,
}

/// The tailnet's policy. Nodes are named by their hostnames, and need not have joined yet. Those that have are told at once;
/// a call does not wait until they have heard it.
impl Sandbox {
    /// Has a node belong to a user. One with tags belongs to none, for as long as it has them.
    ///
    /// # Errors
    /// When the ID is below 1000: those are for users that nobody has set.
    pub async fn set_user(&self, node: &str, user: &User) -> Result<(), SandboxError> {
        self.order(Command { name: "set_user", node, user: Some(user), ..Command::default() }).await
    }

    /// Has a node have exactly these tags, each `tag:name`, whichever it asks for.
    ///
    /// # Errors
    /// When one is no tag.
    pub async fn set_tags(&self, node: &str, tags: &[&str]) -> Result<(), SandboxError> {
        self.order(Command { name: "set_tags", node, tags: Some(tags), ..Command::default() }).await
    }

    /// Gives the nodes `from` an app capability towards `to`, with these values in place of those before. Each is a
    /// hostname, or `*` for all; `to` may also be a service (`svc:name`), for those who reach it at its own addresses.
    ///
    /// # Errors
    /// When the capability has no name.
    pub async fn grant(
        &self,
        from: &str,
        to: &str,
        capability: &str,
        values: &[Value],
    ) -> Result<(), SandboxError> {
        let values = Some(values);
        self.order(Command { name: "grant", from, to, capability, values, ..Command::default() }).await
    }

    /// Takes away what [`grant`](Self::grant) gave by the same words.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn revoke(&self, from: &str, to: &str, capability: &str) -> Result<(), SandboxError> {
        self.order(Command { name: "grant", from, to, capability, ..Command::default() }).await
    }

    /// Has a node be one of another tailnet in the eyes of all others, or of this one again.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn set_share(&self, node: &str, share: Option<Share>) -> Result<(), SandboxError> {
        self.order(Command { name: "share", node, share, ..Command::default() }).await
    }

    /// Has `peer` know `node` by another address, or by its own again. Both must have joined.
    ///
    /// # Errors
    /// When one has not.
    pub async fn masquerade(&self, node: &str, peer: &str, ip: Option<IpAddr>) -> Result<(), SandboxError> {
        self.order(Command { name: "masquerade", node, peer, ip, ..Command::default() }).await
    }

    /// Takes a node out of what all others know of the tailnet; it goes on knowing them.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn hide_node(&self, node: &str) -> Result<(), SandboxError> {
        self.order(Command { name: "hide", node, hidden: true, ..Command::default() }).await
    }

    /// Lets all others know of a hidden node again.
    ///
    /// # Errors
    /// When the sandbox has ended.
    pub async fn show_node(&self, node: &str) -> Result<(), SandboxError> {
        self.order(Command { name: "hide", node, hidden: false, ..Command::default() }).await
    }
}
