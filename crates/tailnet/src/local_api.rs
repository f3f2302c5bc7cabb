//! Requests of the node's LocalAPI, as the `tailscale` command makes them.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use libtailscale_sys as sys;
use serde::{Deserialize, Serialize};

use crate::error::into_io_error;
use crate::ffi::Failure;
use crate::{MalformedAnswer, Path, Tailnet, go_json};

/// The deadline of what has none of its own: the node answers by itself, or asks the control server.
pub(crate) const LOCAL_TIMEOUT: Duration = Duration::from_secs(30);

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
    /// The request makes no sense, or is one that [`Tailnet::local_api`] refuses.
    #[error("{message}")]
    Invalid {
        /// Why.
        message: String,
    },
    /// No answer within the request's own deadline: 30 seconds, where nothing else is said.
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
    Malformed(#[from] MalformedAnswer),
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What.
        message: String,
    },
}

impl LocalApiError {
    pub(crate) fn of(failure: Failure, after: Duration) -> LocalApiError {
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

impl LocalApiError {
    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            LocalApiError::Refused { status: 404, .. } => io::ErrorKind::NotFound,
            LocalApiError::Refused { status: 401 | 403, .. } => io::ErrorKind::PermissionDenied,
            LocalApiError::Invalid { .. } => io::ErrorKind::InvalidInput,
            LocalApiError::Timeout { .. } => io::ErrorKind::TimedOut,
            LocalApiError::Closed => io::ErrorKind::NotConnected,
            LocalApiError::Malformed(_) => io::ErrorKind::InvalidData,
            LocalApiError::Refused { .. } | LocalApiError::Other { .. } => io::ErrorKind::Other,
        }
    }

    /// Whether the deadline has passed: [`Timeout`](Self::Timeout) alone.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, LocalApiError::Timeout { .. })
    }

    /// Whether the node knows nothing of what was asked for: [`Refused`](Self::Refused) with status 404.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, LocalApiError::Refused { status: 404, .. })
    }
}

into_io_error!(LocalApiError);

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Pong {
    /// The time from the question to the answer.
    pub latency: Duration,
    /// How the packets travelled; only [`PingKind::Disco`] tells.
    pub path: Option<Path>,
    /// The short name of the node that has the address, or that routes to it.
    pub node: String,
    /// That node's address for [`PingKind::Disco`]; for the other kinds the address that was asked, which has answered
    /// itself.
    pub node_ip: Option<IpAddr>,
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
    #[serde(default)]
    node_name: String,
    #[serde(rename = "NodeIP", default)]
    node_ip: String,
}

#[derive(Deserialize)]
struct IdToken {
    id_token: String,
}

impl Tailnet {
    /// Sends a request to the node's LocalAPI, which is what the `tailscale` command uses, and gives the answer's
    /// body. It is for what this crate has no method for; Tailscale may change it between versions.
    ///
    /// Refused are the requests that would connect or resolve by the host's network, that would lose the node's
    /// identity or give it another control server, that change this machine, and all that this crate does not know.
    ///
    /// The deadline is 30 seconds. Cancel safe as far as the request is.
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
    /// are refused here, with the reason.
    pub async fn local_api(&self, method: Method, path: &str, body: &str) -> Result<String, LocalApiError> {
        self.local_api_within(LOCAL_TIMEOUT, method, path, body).await
    }

    /// As [`local_api`](Self::local_api), with another deadline, for what takes longer: a profile of a minute, say.
    ///
    /// # Errors
    /// As [`local_api`](Self::local_api).
    pub async fn local_api_within(
        &self,
        timeout: Duration,
        method: Method,
        path: &str,
        body: &str,
    ) -> Result<String, LocalApiError> {
        let error = |failure| LocalApiError::of(failure, timeout);
        let operation = self.node.local_api(method.as_str(), path, body, timeout).map_err(error)?;
        Ok(operation.await.map_err(error)?.data)
    }

    /// The metrics that Tailscale keeps of the node, in the text format of Prometheus. Cancel safe.
    ///
    /// # Errors
    /// As [`local_api`](Self::local_api).
    pub async fn metrics(&self) -> Result<String, LocalApiError> {
        self.local_api(Method::GET, "/localapi/v0/usermetrics", "").await
    }

    /// A token (OpenID Connect) by which the control server vouches for this node towards `audience`. It is a secret.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] when the control server gives none.
    pub async fn id_token(&self, audience: &str) -> Result<String, LocalApiError> {
        let query: String = audience.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/localapi/v0/id-token?aud={query}");
        let answer: IdToken = go_json::read(&self.local_api(Method::GET, &path, "").await?)?;
        Ok(answer.id_token)
    }

    /// Marks this moment in the node's log, and gives the mark to tell Tailscale's support. Cancel safe.
    ///
    /// # Errors
    /// As [`local_api`](Self::local_api).
    pub async fn bug_report(&self) -> Result<String, LocalApiError> {
        Ok(self.local_api(Method::POST, "/localapi/v0/bugreport", "").await?.trim().to_owned())
    }

    /// What the node serves by itself (`tailscale serve`), as JSON of Go's `ipn.ServeConfig`. Cancel safe.
    ///
    /// # Errors
    /// As [`local_api`](Self::local_api).
    pub async fn serve_config(&self) -> Result<serde_json::Value, LocalApiError> {
        Ok(go_json::read(&self.local_api(Method::GET, "/localapi/v0/serve-config", "").await?)?)
    }

    /// Sets what the node serves by itself. What it forwards to is dialled by the host's network: the only thing of
    /// this crate that does so, because the configuration says where to. Cancel safe.
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] when the configuration makes no sense.
    pub async fn set_serve_config(&self, config: &serde_json::Value) -> Result<(), LocalApiError> {
        self.local_api(Method::POST, "/localapi/v0/serve-config", &config.to_string()).await.map(drop)
    }

    /// Takes the node out of the tailnet and forgets its identity; [`login`](Self::login) lets it in again, as a new
    /// node. Cancel safe as far as the request is.
    ///
    /// # Errors
    /// As [`local_api`](Self::local_api).
    pub async fn logout(&self) -> Result<(), LocalApiError> {
        let error = |failure| LocalApiError::of(failure, LOCAL_TIMEOUT);
        self.node.logout().map_err(error)?.await.map_err(error)?;
        Ok(())
    }

    /// Offers the LocalAPI on a Unix socket to this user alone, until the node is closed, so that the `tailscale`
    /// command works on this node: `tailscale --socket PATH status`. The requests that would leave the tailnet are
    /// refused there too. Cancel safe.
    ///
    /// # Errors
    /// [`LocalApiError::Invalid`] when the path is not absolute or cannot be used; [`LocalApiError::Other`] when somebody
    /// listens there already.
    pub async fn serve_local_api(&self, path: impl AsRef<std::path::Path>) -> Result<(), LocalApiError> {
        let error = |failure| LocalApiError::of(failure, LOCAL_TIMEOUT);
        let path = path.as_ref().to_str().ok_or_else(|| LocalApiError::Invalid {
            message: format!("the socket's path {} is not UTF-8", path.as_ref().display()),
        })?;
        self.node.serve_local_api(path).map_err(error)?.await.map_err(error)?;
        Ok(())
    }

    /// Asks a node of the tailnet for a sign of life, once: the question or its answer may be lost on the way. Cancel
    /// safe.
    ///
    /// # Errors
    /// [`LocalApiError::Timeout`] when none came within 30 seconds, and a [`tokio::time::timeout`] around it waits less
    /// long; [`LocalApiError::Other`] when the node knows why.
    pub async fn ping(&self, ip: IpAddr, kind: PingKind) -> Result<Pong, LocalApiError> {
        let name = match kind {
            PingKind::Disco => "disco",
            PingKind::Tsmp => "TSMP",
            PingKind::Icmp => "ICMP",
        };
        let path = format!("/localapi/v0/ping?ip={ip}&type={name}");
        let result: PingResult = go_json::read(&self.local_api(Method::POST, &path, "").await?)?;
        if !result.err.is_empty() {
            return Err(LocalApiError::Other { message: result.err });
        }
        let path = match (result.endpoint.parse(), result.derp_region_code) {
            (Ok(addr), _) => Some(Path::Direct(addr)),
            (Err(_), region) if !region.is_empty() => Some(Path::Relayed { region }),
            _ => None,
        };
        Ok(Pong {
            latency: Duration::from_secs_f64(result.latency_seconds.max(0.0)),
            path,
            node: result.node_name,
            node_ip: result.node_ip.parse().ok(),
        })
    }
}
