//! Who has an address: node, user, tags, capabilities.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::Method;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::go_json::null_is_default;
use crate::{LocalApiError, Subnet, Tailnet, go_json};

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

impl WhoIs {
    /// Whether it has the app capability, with values or without.
    #[must_use]
    pub fn has_capability(&self, name: &str) -> bool {
        self.capabilities.as_ref().is_some_and(|all| all.contains_key(name))
    }

    /// The values of an app capability, of every grant that gives it, each read by itself: one that cannot be read as a `T`
    /// leaves the others.
    ///
    /// ```
    /// # #[derive(serde::Deserialize)] struct Access { role: String }
    /// # fn example(caller: &tailnet::WhoIs) {
    /// for access in caller.capability::<Access>("example.com/cap/wiki") {
    ///     match access {
    ///         Ok(access) => println!("it is {}", access.role),
    ///         Err(error) => eprintln!("a grant of the tailnet's policy makes no sense: {error}"),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn capability<T: DeserializeOwned>(
        &self,
        name: &str,
    ) -> impl Iterator<Item = Result<T, serde_json::Error>> {
        let values = self.capabilities.as_ref().and_then(|all| all.get(name)?.as_array());
        values.into_iter().flatten().map(T::deserialize)
    }
}

/// The node of a [`WhoIs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WhoIsNode {
    /// Its stable ID, which it keeps for as long as it is in the tailnet, whatever becomes of its name, addresses and key.
    #[serde(rename = "StableID", default)]
    pub id: String,
    /// The full MagicDNS name, with its final dot.
    pub name: String,
    /// The ACL tags.
    #[serde(default, deserialize_with = "null_is_default")]
    pub tags: Vec<String>,
    /// By which IPv4 address it knows this node, if not by this node's own.
    #[serde(rename = "SelfNodeV4MasqAddrForThisPeer", default, skip_serializing_if = "Option::is_none")]
    pub masquerade_v4: Option<Ipv4Addr>,
    /// By which IPv6 address it knows this node, if not by this node's own.
    #[serde(rename = "SelfNodeV6MasqAddrForThisPeer", default, skip_serializing_if = "Option::is_none")]
    pub masquerade_v6: Option<Ipv6Addr>,
    #[serde(default, deserialize_with = "null_is_default")]
    addresses: Vec<Subnet>,
    #[serde(rename = "AllowedIPs", default, deserialize_with = "null_is_default")]
    allowed_ips: Vec<Subnet>,
    #[serde(default, skip_serializing_if = "is_default")]
    sharer: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    computed_name: String,
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "is_default")]
    hostinfo: Hostinfo,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a node's control server says beside what the node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Hostinfo {
    #[serde(default)]
    sharee_node: bool,
}

impl WhoIsNode {
    /// Its own addresses in the tailnet, IPv4 first.
    pub fn ips(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.iter().map(|address| address.ip())
    }

    /// The subnets that it routes, an exit node's everything excepted: with any it may pass on what other machines send.
    pub fn routes(&self) -> impl Iterator<Item = Subnet> {
        self.allowed_ips.iter().copied().filter(|route| route.is_route() && !self.addresses.contains(route))
    }

    /// Whether it belongs to another tailnet: it was shared with this one, or its user was given a node of this one.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        // The name for display is a short one for this tailnet's own nodes.
        self.sharer != 0 || self.hostinfo.sharee_node || self.computed_name.contains('.')
    }
}

/// The user of a [`WhoIs`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WhoIsUser {
    /// The number that a user keeps, whatever becomes of the login name.
    #[serde(rename = "ID", default)]
    pub id: i64,
    /// Such as `user@example.com`; `tagged-devices` for nodes with tags.
    pub login_name: String,
    /// Such as a person's full name.
    #[serde(default)]
    pub display_name: String,
    /// The groups, such as `group:operators`, of which the tailnet's policy tells this node.
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

impl Tailnet {
    /// Who has an address, such as the [`peer_addr`](crate::TailnetStream::peer_addr) of a stream or the sender of a datagram.
    /// Its capabilities are those towards this node's own addresses. Cancel safe.
    ///
    /// It is about the node that has the address. Machines behind a node that come with its address (NAT, containers, a proxy)
    /// are taken for that node. Those behind a subnet router that leaves their own addresses as they are, which reach only a
    /// node that [accepts routes](crate::TailnetBuilder::accept_routes), are nobody.
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] with status 404 when no node has the address.
    pub async fn whois(&self, address: SocketAddr) -> Result<WhoIs, LocalApiError> {
        self.ask_whois(address, "").await
    }

    /// As [`whois`](Self::whois), with the capabilities towards one address, such as the
    /// [`local_addr`](crate::TailnetStream::local_addr) of a stream to a Service of which this node is a host. Cancel safe.
    ///
    /// # Errors
    /// As [`whois`](Self::whois).
    pub async fn whois_to(&self, address: SocketAddr, local: IpAddr) -> Result<WhoIs, LocalApiError> {
        self.ask_whois(address, &format!("&dst_ip={}", local.to_canonical())).await
    }

    async fn ask_whois(&self, address: SocketAddr, further: &str) -> Result<WhoIs, LocalApiError> {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let path = format!("/localapi/v0/whois?addr={address}{further}");
        Ok(go_json::read(&self.local_api(Method::GET, &path, "").await?)?)
    }
}
