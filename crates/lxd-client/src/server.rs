//! The server itself: `/1.0`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::redacted;
use crate::{Client, Error, Fingerprint, Versioned};

/// A server's description of itself, from [`Client::server`].
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Server {
    /// What the server can do beyond the first version of its API.
    #[serde(default)]
    pub api_extensions: Vec<String>,
    /// Whether it trusts the client. An answer without is not the API.
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

redacted::debug!(Server { api_extensions, auth, environment } hides { config, rest });

/// Whether a server trusts a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Auth {
    /// It does.
    Trusted,
    /// It does not, and shows little.
    Untrusted,
}

/// What a server runs on.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Environment {
    /// `lxd` or `incus`.
    pub server: String,
    /// Such as `5.0.2`.
    pub server_version: String,
    /// The machine's name.
    pub server_name: String,
    /// The fingerprint of the server's certificate, in hexadecimal.
    pub certificate_fingerprint: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Environment { server, server_version, server_name, certificate_fingerprint } hides { rest });

impl Server {
    /// Whether the server has an API extension.
    #[must_use]
    pub fn has_extension(&self, name: &str) -> bool {
        self.api_extensions.iter().any(|extension| extension == name)
    }

    /// Whether it is an Incus, which names its headers otherwise than LXD.
    #[must_use]
    pub fn is_incus(&self) -> bool {
        self.environment.as_ref().is_some_and(|e| e.server == "incus")
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
        let server: Server = self.get("/1.0").unscoped().fetch().await?;
        self.remember_server(&server);
        Ok(server)
    }

    /// `PUT /1.0`: replaces the server's configuration. Cancel safe in so far as the server does it or not.
    ///
    /// # Errors
    /// [`Error::is_changed_meanwhile`] when somebody else changed it since it was read.
    pub async fn update_server_config(&self, config: &Versioned<Map<String, Value>>) -> Result<(), Error> {
        self.put("/1.0").if_match(config).json(&json!({"config": config.value})).done().await
    }

    /// `PATCH /1.0`: sets some of the server's configuration. Incus 6.0 loses its own `core.https_address` when it refuses
    /// this; [`update_server_config`](Client::update_server_config) does no such harm.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn patch_server_config(&self, config: &Map<String, Value>) -> Result<(), Error> {
        self.patch("/1.0").json(&json!({"config": config})).done().await
    }

    /// `GET /1.0`: the server's configuration, for an update.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn server_config(&self) -> Result<Versioned<Map<String, Value>>, Error> {
        let Versioned { value, etag } = self.get("/1.0").versioned::<Server>().await?;
        Ok(Versioned { value: value.config, etag })
    }

    /// `GET /`: the versions of the API that the server has, such as `/1.0`. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn api_versions(&self) -> Result<Vec<String>, Error> {
        self.get("/").unscoped().list().await
    }

    /// `GET /1.0/metadata/configuration`: all settings that the server knows, with their meaning. Cancel safe.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before LXD 5.18.
    pub async fn configuration_metadata(&self) -> Result<Map<String, Value>, Error> {
        self.get(["metadata", "configuration"]).needs("metadata_configuration").fetch().await
    }
}
