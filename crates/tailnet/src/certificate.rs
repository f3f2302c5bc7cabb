//! The node's TLS certificate.

use std::fmt;
use std::time::Duration;

use http::Method;

use crate::{LocalApiError, Tailnet};

/// How long the authority may take. It asks the DNS whether the name is the node's, which takes what a change needs to
/// get around.
const CERTIFICATE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The node's certificate for one of its names, from [`Tailnet::certificate`]. `Debug` does not show the key.
#[derive(Clone)]
#[non_exhaustive]
pub struct Certificate {
    /// The chain, as PEM, the node's own certificate first.
    pub chain_pem: String,
    /// Its private key, as PEM.
    pub key_pem: String,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("chain_pem", &self.chain_pem).finish_non_exhaustive()
    }
}

impl Tailnet {
    /// The certificate that a public authority has given the node for its full MagicDNS name, for a TLS server of the
    /// program's own. The node gets one if it has none or if it is about to expire, so ask again now and then. That takes
    /// seconds to a minute as a rule, and five minutes at the most.
    /// [`ListenOptions::tls`](crate::ListenOptions::tls) does all that by itself.
    ///
    /// Cancel safe: dropping the future ends what was begun with the authority, which counts how often it is asked.
    ///
    /// ```no_run
    /// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
    /// let name = tailnet.status().await?.this.dns_name;
    /// let pair = tailnet.certificate(name.trim_end_matches('.')).await?;
    /// let chain: Vec<_> = rustls_pemfile::certs(&mut pair.chain_pem.as_bytes()).collect::<Result<_, _>>()?;
    /// let key = rustls_pemfile::private_key(&mut pair.key_pem.as_bytes())?.ok_or("no key")?;
    /// let server = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`LocalApiError::Refused`] when the name is not the node's, the tailnet has HTTPS disabled, or the authority gives
    /// none; [`LocalApiError::Timeout`] after five minutes.
    pub async fn certificate(&self, name: &str) -> Result<Certificate, LocalApiError> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
            return Err(LocalApiError::Invalid { message: format!("{name:?} is no name of a node") });
        }
        let path = format!("/localapi/v0/cert/{name}?type=pair");
        let pair = self.local_api_within(CERTIFICATE_TIMEOUT, Method::GET, &path, "").await?;
        // The key comes first.
        let split =
            pair.find("-----BEGIN CERTIFICATE-----").filter(|at| pair[..*at].contains("PRIVATE KEY-----"));
        let at = split.ok_or_else(|| LocalApiError::Other { message: "the node gave no pair".to_owned() })?;
        let (key, chain) = pair.split_at(at);
        Ok(Certificate { chain_pem: chain.to_owned(), key_pem: key.to_owned() })
    }
}
