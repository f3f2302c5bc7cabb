//! The token by which a server comes to trust a client.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::Fingerprint;

/// A trust token, from `lxc config trust add`: it lets one client certificate in, once. `Debug` does not show its secret.
#[derive(Clone)]
pub struct TrustToken {
    text: Zeroizing<String>,
    parsed: Parsed,
}

#[derive(Clone, Deserialize)]
struct Parsed {
    client_name: String,
    #[serde(deserialize_with = "fingerprint")]
    fingerprint: Fingerprint,
    #[serde(default)]
    addresses: Vec<String>,
}

fn fingerprint<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Fingerprint, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// A text that is no [`TrustToken`]. It does not say which text, which may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trust token is not what `lxc config trust add` prints: {reason}")]
pub struct InvalidToken {
    reason: &'static str,
}

impl TrustToken {
    /// The name under which the server will store the certificate.
    #[must_use]
    pub fn client_name(&self) -> &str {
        &self.parsed.client_name
    }

    /// The fingerprint of the server's certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.parsed.fingerprint
    }

    /// The addresses that the server has for itself, which are often not those by which it is reached.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.parsed.addresses
    }

    /// The token as text: a secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl FromStr for TrustToken {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<TrustToken, InvalidToken> {
        let invalid = |reason| InvalidToken { reason };
        let text = text.trim();
        let json = Zeroizing::new(STANDARD.decode(text).map_err(|_| invalid("it is not base64"))?);
        let parsed: Parsed =
            serde_json::from_slice(&json).map_err(|_| invalid("its JSON has not the right fields"))?;
        Ok(TrustToken { text: Zeroizing::new(text.to_owned()), parsed })
    }
}

/// The whole of it, in a time that does not depend on where they differ.
impl PartialEq for TrustToken {
    fn eq(&self, other: &TrustToken) -> bool {
        self.text.as_bytes().ct_eq(other.text.as_bytes()).into()
    }
}

impl Eq for TrustToken {}

impl fmt::Debug for TrustToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustToken")
            .field("client_name", &self.parsed.client_name)
            .field("fingerprint", &self.parsed.fingerprint)
            .field("addresses", &self.parsed.addresses)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(secret: &str) -> TrustToken {
        let json = format!(
            r#"{{"client_name":"me","fingerprint":"{}","addresses":["192.0.2.1:8443"],"secret":"{secret}","expires_at":"0001-01-01T00:00:00Z"}}"#,
            "ab".repeat(32)
        );
        STANDARD.encode(json).parse().unwrap()
    }

    #[test]
    fn a_renewed_token_is_another_one() {
        assert_eq!(token("one"), token("one"));
        assert_ne!(token("one"), token("two"));
    }

    #[test]
    fn a_token_tells_its_server_and_hides_its_secret() {
        let token = token("hush");
        assert_eq!(token.client_name(), "me");
        assert_eq!(token.fingerprint().to_string(), "ab".repeat(32));
        let debug = format!("{token:?}");
        assert!(!debug.contains("hush") && !debug.contains(token.reveal()), "{debug}");
    }

    #[test]
    fn what_is_no_token_is_refused_without_repeating_it() {
        for text in [
            "",
            "secret-text",
            &STANDARD.encode("[]"),
            &STANDARD.encode(r#"{"client_name":"a","fingerprint":"x"}"#),
        ] {
            let error = text.parse::<TrustToken>().unwrap_err().to_string();
            assert!(!error.contains("secret-text"), "{error}");
        }
    }
}
