//! The server itself: `/1.0`.

use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Client, Error, Fingerprint};

/// A server's description of itself, from [`Client::server`].
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Server {
    /// What the server can do beyond the first version of its API.
    #[serde(default)]
    pub api_extensions: Vec<String>,
    /// Whether it trusts the client.
    pub auth: Auth,
    /// Its configuration; to a client that it does not trust, nothing or little.
    #[serde(default)]
    pub config: Map<String, Value>,
    /// What it runs on; nothing to a client that it does not trust.
    #[serde(default)]
    pub environment: Option<Environment>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Whether a server trusts a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Auth {
    /// It does.
    Trusted,
    /// It does not, and shows little.
    Untrusted,
}

/// What a server runs on.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct Environment {
    /// `lxd` or `incus`.
    #[serde(default)]
    pub server: String,
    /// Such as `5.0.2`.
    #[serde(default)]
    pub server_version: String,
    /// The machine's name.
    #[serde(default)]
    pub server_name: String,
    /// The fingerprint of the server's certificate, in hexadecimal.
    #[serde(default)]
    pub certificate_fingerprint: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Server {
    /// Whether the server has an API extension.
    #[must_use]
    pub fn has_extension(&self, name: &str) -> bool {
        self.api_extensions.iter().any(|extension| extension == name)
    }

    /// The fingerprint of the server's certificate, where it tells.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.environment.as_ref()?.certificate_fingerprint.parse().ok()
    }
}

impl Client {
    /// `GET /1.0`: what the server is, and whether it trusts this client. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`]; that the server does not trust the client is none here.
    pub async fn server(&self) -> Result<Server, Error> {
        self.request(Method::GET, "/1.0", None).await
    }
}
