//! The certificate of a server that is not known yet, for trust on first use.

use std::future::poll_fn;
use std::time::Duration;

use http::Uri;
use rustls::pki_types::CertificateDer;
use tower_service::Service;

use super::builder::check_server;
use crate::transport::{BoxConnector, Connect, Dial, tls};
use crate::{Error, Fingerprint};

/// Fetches the fingerprint of a server's certificate without trusting it: for a person to compare, as `lxc remote add`
/// does. The server has proven that it holds the certificate's key.
///
/// Cancel safe.
///
/// # Errors
/// When there is no connection to the server within the timeout.
pub async fn fetch_fingerprint(
    server: Uri,
    connector: impl Connect,
    timeout: Duration,
) -> Result<Fingerprint, Error> {
    fetch_certificate(server, connector, timeout).await.map(|certificate| Fingerprint::of(&certificate))
}

pub(crate) async fn fetch_certificate(
    server: Uri,
    connector: impl Connect,
    timeout: Duration,
) -> Result<CertificateDer<'static>, Error> {
    let name = check_server(&server)?;
    let (config, verifier) = tls::recording_config()?;
    let mut dial = Dial::any(config, BoxConnector::new(connector), None, timeout);
    let handshake = async {
        poll_fn(|cx| dial.poll_ready(cx)).await?;
        dial.call(server).await.map(drop)
    };
    tokio::time::timeout(timeout, handshake)
        .await
        .map_err(|_| Error::Timeout { server: name.clone(), after: timeout })?
        .map_err(|e| Error::connecting(&name, e))?;
    let message = "no certificate".to_owned();
    verifier.seen().ok_or(Error::Protocol { server: name, message, source: None })
}
