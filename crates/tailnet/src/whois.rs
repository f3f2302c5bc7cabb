//! Who has an address: node, user, tags.

use std::net::SocketAddr;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::{LocalApiError, Tailnet, go_json};

/// Who has an address of the tailnet, from [`Tailnet::whois`].
///
/// With serde it has the names of `tailscale whois --json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WhoIs {
    /// The node.
    pub node: WhoIsNode,
    /// The user whom the node belongs to. A node with tags belongs to no real user.
    #[serde(rename = "UserProfile")]
    pub user: WhoIsUser,
    /// What the tailnet's policy lets it do with this node: names of app capabilities and their values.
    #[serde(rename = "CapMap", default)]
    pub capabilities: Option<serde_json::Map<String, serde_json::Value>>,
}

/// The node of a [`WhoIs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WhoIsNode {
    /// The full MagicDNS name, with its final dot.
    pub name: String,
    /// The ACL tags.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// The user of a [`WhoIs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WhoIsUser {
    /// Such as `user@example.com`.
    pub login_name: String,
    /// Such as a person's full name.
    #[serde(default)]
    pub display_name: String,
}

impl Tailnet {
    /// Who has an address, such as the [`peer_addr`](crate::TailnetStream::peer_addr) of a stream or the sender of a datagram. Cancel safe.
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] with status 404 when nobody of the tailnet has it.
    pub async fn whois(&self, address: SocketAddr) -> Result<WhoIs, LocalApiError> {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let path = format!("/localapi/v0/whois?addr={address}");
        Ok(go_json::read(&self.local_api(Method::GET, &path, "").await?)?)
    }
}
