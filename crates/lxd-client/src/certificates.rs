//! Who may use the server: `/1.0/certificates`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::handle::handle;
use crate::path::at;
use crate::{Client, Error, Fingerprint, List, TrustToken, pem};

/// A certificate that the server trusts, from [`Client::certificates`] or [`CertificateHandle::get`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Certificate {
    /// Its fingerprint, SHA-256 in hexadecimal.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub fingerprint: String,
    /// Whose it is, for people.
    pub name: String,
    /// `client`, `server` or `metrics`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The certificate in PEM.
    pub certificate: String,
    /// Whether it is for some projects only.
    pub restricted: bool,
    /// Which, then.
    pub projects: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Certificate {
    /// A client's certificate, in PEM, to be trusted with everything.
    #[must_use]
    pub fn new(name: &str, certificate: &str) -> Certificate {
        Certificate {
            name: name.to_owned(),
            kind: "client".to_owned(),
            certificate: certificate.to_owned(),
            ..Certificate::default()
        }
    }

    /// What the certificate says of itself; none where it cannot be read.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        let chain = pem::certificates(&self.certificate).ok()?;
        let (_, parsed) = x509_parser::parse_x509_certificate(chain.first()?).ok()?;
        let common_name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        Some(Subject {
            common_name: common_name.unwrap_or_default().to_owned(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
        })
    }

    /// For these projects only.
    #[must_use]
    pub fn restricted_to<S: Into<String>>(mut self, projects: impl IntoIterator<Item = S>) -> Certificate {
        self.restricted = true;
        self.projects = projects.into_iter().map(Into::into).collect();
        self
    }
}

/// A token that nobody has used yet, from [`Client::trust_tokens`]. It is revoked by a cancel of its
/// [`operation`](Client::operation). `Debug` does not show its secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PendingToken {
    /// The token.
    pub token: TrustToken,
    /// Until when it can be used, RFC 3339; none for ever.
    pub expires_at: Option<String>,
    /// The number of the operation that stands for it.
    pub operation: String,
}

/// What a certificate says of itself, from [`Certificate::subject`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Subject {
    /// Whose it is.
    pub common_name: String,
    /// From when on it is valid, in seconds since 1970.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
}

/// The time of what never expires.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// The token that an operation stands for.
fn token_of(name: &str, told: &Map<String, Value>) -> Result<TrustToken, Error> {
    let field = |name: &str| told.get(name).cloned().unwrap_or_default();
    let token = json!({
        "client_name": name, "fingerprint": field("fingerprint"), "addresses": field("addresses"),
        "secret": field("secret"),
        "expires_at": told.get("expiresAt").cloned().unwrap_or(json!(NEVER)),
    });
    Ok(STANDARD.encode(token.to_string()).parse::<TrustToken>()?)
}

handle! {
    /// One certificate, which may or may not be trusted; from [`Client::certificate`].
    CertificateHandle of Certificate as "/1.0/certificates/{fingerprint}": get, update, patch, delete
}

impl Client {
    /// `GET /1.0/certificates`: whom the server trusts.
    pub fn certificates(&self) -> List<Certificate> {
        List::new(self.get(["certificates"]).unscoped())
    }

    /// A handle of a certificate, by its fingerprint. Nothing is sent.
    #[must_use]
    pub fn certificate(&self, fingerprint: &Fingerprint) -> CertificateHandle {
        CertificateHandle::new(&self.unscoped(), at(["certificates", &fingerprint.to_string()]))
    }

    /// `POST /1.0/certificates`: has the server trust somebody else's certificate.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when it does already, [`Error::Config`] when it is not PEM.
    pub async fn create_certificate(&self, certificate: &Certificate) -> Result<(), Error> {
        let chain = pem::certificates(&certificate.certificate)
            .map_err(|reason| Error::config(format!("the certificate: {reason}")))?;
        let body = Certificate { certificate: STANDARD.encode(&chain[0]), ..certificate.clone() };
        self.post(["certificates"]).unscoped().json(&body).done().await
    }

    /// `POST /1.0/certificates` with `token`: makes a token by which a client can have its certificate
    /// trusted, once; with everything, or with these projects only.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before LXD 4.15.
    pub async fn create_trust_token(
        &self,
        name: &str,
        projects: Option<&[&str]>,
    ) -> Result<TrustToken, Error> {
        let body = json!({
            "name": name, "type": "client", "token": true, "restricted": projects.is_some(),
            "projects": projects.unwrap_or_default(),
        });
        let request = self.post(["certificates"]).unscoped().needs("certificate_token").json(&body);
        let operation = request.operation().await?;
        token_of(name, &operation.begun_as().metadata)
    }

    /// The tokens that nobody has used yet: the operations of the class `token` that are for clients. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn trust_tokens(&self) -> Result<Vec<PendingToken>, Error> {
        let operations = self.operations().await?;
        let mut tokens = Vec::new();
        for operation in operations.iter().filter(|operation| operation.class == "token") {
            let told = &operation.metadata;
            // The tokens of a cluster's members have no request.
            let Some(name) = told.get("request").and_then(|request| request["name"].as_str()) else {
                continue;
            };
            if !operation.is_final() {
                let expires_at = told.get("expiresAt").and_then(Value::as_str).unwrap_or(NEVER).to_owned();
                tokens.push(PendingToken {
                    token: token_of(name, told)?,
                    expires_at: (!expires_at.starts_with("0001-")).then_some(expires_at),
                    operation: operation.id.clone(),
                });
            }
        }
        Ok(tokens)
    }

    /// `POST /1.0/certificates`: has the server trust this client's [`Identity`](crate::Identity), by a
    /// token. The token is used up. That the server trusts it already counts as success.
    ///
    /// The client has to know the server by the token's [`fingerprint`](TrustToken::fingerprint), so that the
    /// token is not sent to another. Not cancel safe: the server may or may not have accepted it.
    ///
    /// # Errors
    /// [`Error::TokenRefused`] when the token was used, has expired or was revoked; see [`Error`] for the
    /// rest.
    pub async fn trust(&self, token: &TrustToken) -> Result<(), Error> {
        let server = self.server().await?;
        // LXD 5.0 takes the token as a password, and newer ones refuse that. Incus,
        // which does not tell a stranger what it is, passes over it.
        let mut body = json!({"type": "client", "trust_token": token.reveal()});
        if !server.has_extension("explicit_trust_token") {
            body["password"] = token.reveal().into();
        }
        match self.post(["certificates"]).json(&body).done().await {
            Ok(_) | Err(Error::Api { code: 409, .. }) => Ok(()),
            Err(Error::Api { code: 400, message }) if message.contains("already") => Ok(()),
            Err(Error::NotTrusted { message } | Error::Api { code: 400 | 404, message }) => {
                Err(Error::TokenRefused { message })
            }
            Err(error) => Err(error),
        }
    }
}
