//! Login by OpenID Connect: the login itself is the caller's.

use http::HeaderMap;

/// Where and how to log in, as the server says with its 401; give the token to
/// [`ClientBuilder::bearer`](crate::ClientBuilder::bearer).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OidcLogin {
    /// The identity provider's URL.
    pub issuer: String,
    /// This kind of client's name there.
    pub client_id: String,
    /// Whom the token is for, where the provider needs it.
    pub audience: String,
    /// What to ask for.
    pub scopes: Vec<String>,
}

impl OidcLogin {
    pub(crate) fn of(headers: &HeaderMap) -> Option<OidcLogin> {
        let get = |name: &str| {
            ["x-lxd-oidc-", "x-incus-oidc-"].iter().find_map(|prefix| headers.get(format!("{prefix}{name}")))
        };
        let text = |name: &str| get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
        let issuer = text("issuer");
        let scopes = text("scopes");
        let scopes = serde_json::from_str(&scopes)
            .unwrap_or_else(|_| scopes.split_whitespace().map(str::to_owned).collect());
        (!issuer.is_empty()).then(|| OidcLogin {
            issuer,
            client_id: text("clientid"),
            audience: text("audience"),
            scopes,
        })
    }
}
