//! The network around the node: UDP, NAT, relays.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::go_json::{self, empty_is_none};
use crate::local_api::LOCAL_TIMEOUT;
use crate::{LocalApiError, Tailnet};

/// The network around the node, as its newest check found it; from [`Tailnet::netcheck`].
///
/// With serde it has the names of `tailscale netcheck --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct Netcheck {
    /// Whether UDP gets out and back. Without it all paths are relayed.
    #[serde(rename = "UDP")]
    pub udp: bool,
    /// Whether IPv4 does.
    #[serde(rename = "IPv4")]
    pub ipv4: bool,
    /// Whether IPv6 does.
    #[serde(rename = "IPv6")]
    pub ipv6: bool,
    /// The node's public IPv4 address and port.
    #[serde(rename = "GlobalV4", default, with = "empty_is_none")]
    pub public_v4: Option<SocketAddr>,
    /// The node's public IPv6 address and port.
    #[serde(rename = "GlobalV6", default, with = "empty_is_none")]
    pub public_v6: Option<SocketAddr>,
    /// Whether a NAT gives another public address for each destination, which makes direct paths hard to find;
    /// `None` when that is not known.
    #[serde(default, deserialize_with = "known_or_empty")]
    pub mapping_varies_by_dest_ip: Option<bool>,
    /// The relay region that the node prefers: a key of [`DerpMap::regions`]. 0 when there is none.
    #[serde(rename = "PreferredDERP", default)]
    pub preferred_derp: u32,
    #[serde(default)]
    region_latency: Option<BTreeMap<u32, u64>>,
}

impl Netcheck {
    /// The round trip to each relay region that answered, by its number.
    pub fn region_latencies(&self) -> impl Iterator<Item = (u32, Duration)> {
        self.region_latency.iter().flatten().map(|(region, ns)| (*region, Duration::from_nanos(*ns)))
    }
}

fn known_or_empty<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    // Go writes an optional truth as true, false, null or an empty text.
    Ok(serde_json::Value::deserialize(deserializer)?.as_bool())
}

/// The relays that the control server names, from [`Tailnet::derp_map`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DerpMap {
    /// The regions, by their numbers.
    #[serde(default)]
    pub regions: BTreeMap<u32, DerpRegion>,
}

/// A region of relays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct DerpRegion {
    /// Such as `fra`.
    pub region_code: String,
    /// Such as `Frankfurt`.
    pub region_name: String,
}

impl Tailnet {
    /// The node's newest check of the network around it, as `tailscale netcheck` shows it. The node makes one when it
    /// starts, when the network changes, and every half minute while it is used; this waits for the first, 30 seconds at
    /// the most. Cancel safe.
    ///
    /// # Errors
    /// [`LocalApiError::Timeout`] when there was none.
    pub async fn netcheck(&self) -> Result<Netcheck, LocalApiError> {
        let error = |failure| LocalApiError::of(failure, LOCAL_TIMEOUT);
        Ok(go_json::read(&self.node.netcheck().map_err(error)?.await.map_err(error)?.data)?)
    }

    /// The relays that the control server names, none while it has not. Cancel safe.
    ///
    /// # Errors
    /// As [`local_api`](Self::local_api).
    pub async fn derp_map(&self) -> Result<DerpMap, LocalApiError> {
        let text = self.local_api(Method::GET, "/localapi/v0/derpmap", "").await?;
        Ok(go_json::read::<Option<DerpMap>>(&text)?.unwrap_or_default())
    }
}
