use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::Method;
use libtailscale_sys as sys;
use serde::Deserialize;

use crate::ffi::Failure;
use crate::{Path, Tailnet};

/// Why the node's LocalAPI gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalApiError {
    /// It answered with an error.
    #[error("{message} (status {status})")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The text.
        message: String,
    },
    /// The request makes no sense, or would connect or resolve by the host's network.
    #[error("{message}")]
    Invalid {
        /// Why.
        message: String,
    },
    /// No answer within the deadline, which is the builder's
    /// [`connect_timeout`](crate::TailnetBuilder::connect_timeout).
    #[error("no answer within {} s", after.as_secs_f32())]
    Timeout {
        /// The deadline.
        after: Duration,
    },
    /// The node was closed.
    #[error("the node was closed")]
    Closed,
    /// The answer was not understood.
    #[error("the answer was not understood")]
    Malformed(#[from] serde_json::Error),
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What.
        message: String,
    },
}

impl LocalApiError {
    fn of(failure: Failure, after: Duration) -> LocalApiError {
        let message = failure.message;
        match failure.code {
            sys::TAILSCALE_LOCAL_API => {
                LocalApiError::Refused { status: failure.data.parse().unwrap_or_default(), message }
            }
            sys::TAILSCALE_INVALID_ARGUMENT => LocalApiError::Invalid { message },
            sys::TAILSCALE_TIMEOUT => LocalApiError::Timeout { after },
            sys::TAILSCALE_CLOSED => LocalApiError::Closed,
            _ => LocalApiError::Other { message },
        }
    }
}

/// Who has an address of the tailnet, from [`Tailnet::whois`].
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct WhoIsUser {
    /// Such as `user@example.com`.
    pub login_name: String,
    /// Such as a person's full name.
    #[serde(default)]
    pub display_name: String,
}

/// At which layer [`Tailnet::ping`] asks, as `tailscale ping` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PingKind {
    /// The peer's Tailscale, outside WireGuard; it also looks for a direct path.
    Disco,
    /// The peer's Tailscale, through WireGuard, but before its packet filter.
    Tsmp,
    /// The peer's network stack.
    Icmp,
}

/// An answer to [`Tailnet::ping`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Pong {
    /// The time from the question to the answer.
    pub latency: Duration,
    /// How the packets travelled; only [`PingKind::Disco`] tells.
    pub path: Option<Path>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PingResult {
    #[serde(default)]
    err: String,
    latency_seconds: f64,
    #[serde(default)]
    endpoint: String,
    #[serde(rename = "DERPRegionCode", default)]
    derp_region_code: String,
}

impl Tailnet {
    /// Sends a request to the node's LocalAPI, which is what the `tailscale` command uses, and gives the answer's
    /// body. It is for what this crate has no method for; Tailscale may change it between versions.
    ///
    /// Cancel safe as far as the request is.
    ///
    /// ```no_run
    /// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), tailnet::LocalApiError> {
    /// let metrics = tailnet.local_api(http::Method::GET, "/localapi/v0/usermetrics", "").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] when the answer is an error; [`LocalApiError::Invalid`] also for the requests that
    /// would connect or resolve by the host's network.
    pub async fn local_api(&self, method: Method, path: &str, body: &str) -> Result<String, LocalApiError> {
        let timeout = self.connect_timeout;
        let error = |failure| LocalApiError::of(failure, timeout);
        let operation = self.node.local_api(method.as_str(), path, body, timeout).map_err(error)?;
        Ok(operation.await.map_err(error)?.data)
    }

    /// Who has an address, such as the [`peer_addr`](crate::TailnetStream::peer_addr) of a stream. Cancel safe.
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] with status 404 when nobody of the tailnet has it.
    pub async fn whois(&self, address: SocketAddr) -> Result<WhoIs, LocalApiError> {
        let path = format!("/localapi/v0/whois?addr={address}");
        Ok(serde_json::from_str(&self.local_api(Method::GET, &path, "").await?)?)
    }

    /// Asks a node of the tailnet for a sign of life. Cancel safe.
    ///
    /// # Errors
    /// [`LocalApiError::Timeout`] when none came; [`LocalApiError::Other`] when the node knows why.
    pub async fn ping(&self, ip: IpAddr, kind: PingKind) -> Result<Pong, LocalApiError> {
        let name = match kind {
            PingKind::Disco => "disco",
            PingKind::Tsmp => "TSMP",
            PingKind::Icmp => "ICMP",
        };
        let path = format!("/localapi/v0/ping?ip={ip}&type={name}");
        let result: PingResult = serde_json::from_str(&self.local_api(Method::POST, &path, "").await?)?;
        if !result.err.is_empty() {
            return Err(LocalApiError::Other { message: result.err });
        }
        let path = match (result.endpoint.parse(), result.derp_region_code) {
            (Ok(addr), _) => Some(Path::Direct(addr)),
            (Err(_), region) if !region.is_empty() => Some(Path::Relayed { region }),
            _ => None,
        };
        Ok(Pong { latency: Duration::from_secs_f64(result.latency_seconds.max(0.0)), path })
    }
}
