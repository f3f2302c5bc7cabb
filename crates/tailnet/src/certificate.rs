use std::fmt;

use http::Method;

use crate::{LocalApiError, Tailnet};

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
    /// program's own. The node gets one if it has none or if it is about to expire, which takes seconds to a minute, so
    /// ask again now and then. [`ListenOptions::tls`](crate::ListenOptions::tls) does all that by itself.
    ///
    /// Cancel safe: what was begun goes on in the background.
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
    /// [`LocalApiError::Refused`] when the name is not the node's, or the tailnet has HTTPS disabled.
    pub async fn certificate(&self, name: &str) -> Result<Certificate, LocalApiError> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.')) {
            return Err(LocalApiError::Invalid { message: format!("{name:?} is no name of a node") });
        }
        let pair = self.local_api(Method::GET, &format!("/localapi/v0/cert/{name}?type=pair"), "").await?;
        // The key comes first.
        let split =
            pair.find("-----BEGIN CERTIFICATE-----").filter(|at| pair[..*at].contains("PRIVATE KEY-----"));
        let at = split.ok_or_else(|| LocalApiError::Other { message: "the node gave no pair".to_owned() })?;
        let (key, chain) = pair.split_at(at);
        Ok(Certificate { chain_pem: chain.to_owned(), key_pem: key.to_owned() })
    }
}
