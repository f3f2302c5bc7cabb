//! Who may use the server: `/1.0/certificates`.

use serde_json::json;

use crate::{Client, Error, TrustToken};

impl Client {
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
        // LXD 5.0 takes the token as a password, and newer ones refuse that (LXD.md section 2, "Trust").
        let field = if server.has_extension("explicit_trust_token") { "trust_token" } else { "password" };
        let body = json!({"type": "client", field: token.reveal()});
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
