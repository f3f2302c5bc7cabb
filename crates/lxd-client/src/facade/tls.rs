//! The façade over TLS on loopback, for clients that know no Unix socket.

use std::io;
use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::connection::{Answer, refusal, serve_connection};
use super::{AT_ONCE, Facade, HANDSHAKE, accepted};
use crate::provider::default_provider;
use crate::{Fingerprint, Identity};

impl Facade {
    /// Listens with TLS until the future is dropped, for clients whose certificates are in `clients`. Their requests reach
    /// the remote server with the rights of this façade's client. Other clients are refused.
    ///
    /// ```no_run
    /// # async fn example(client: lxd_client::Client, mine: lxd_client::Fingerprint) -> Result<(), Box<dyn std::error::Error>> {
    /// use lxd_client::{Facade, Identity};
    ///
    /// // then: lxc remote add berlin https://127.0.0.1:8443 --accept-certificate
    /// let server = Identity::load_or_generate_server("/var/lib/my-service".as_ref(), "my-service")?;
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:8443").await?;
    /// Facade::new(client).serve_tls(listener, server, [mine]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the listener is on another address than loopback, or the server's key does not fit its
    /// certificate.
    pub async fn serve_tls(
        &self,
        listener: TcpListener,
        server: Identity,
        clients: impl IntoIterator<Item = Fingerprint>,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            let message = format!("the façade listens on loopback alone, and {address} is not that");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let config = server_config(&server, clients.into_iter().collect())
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let strangers = Arc::new(Semaphore::new(AT_ONCE));
        let mut connections = JoinSet::new();
        loop {
            let stranger = Arc::clone(&strangers).acquire_owned().await.map_err(io::Error::other)?;
            if let Some((stream, _)) = accepted(listener.accept()).await {
                let (facade, acceptor) = (self.clone(), acceptor.clone());
                connections.spawn(async move {
                    let known = async {
                        let stream = acceptor.accept(stream).await?;
                        if stream.get_ref().1.peer_certificates().is_some() {
                            return Ok::<_, io::Error>(Some(stream));
                        }
                        serve_connection(stream, refuse).await;
                        Ok(None)
                    };
                    let known = tokio::time::timeout(HANDSHAKE, known).await;
                    drop(stranger);
                    match known {
                        Ok(Ok(Some(stream))) => facade.serve(stream).await,
                        Ok(Ok(None)) => {}
                        Ok(Err(error)) => tracing::debug!(%error, "a client was not let into the façade"),
                        Err(_) => tracing::debug!("a client of the façade was silent"),
                    }
                });
            }
            while connections.try_join_next().is_some() {}
        }
    }
}

/// The answer to a client without a certificate, as `lxc` is when it asks for the server's.
async fn refuse(_: Request<Incoming>) -> Answer {
    refusal(StatusCode::FORBIDDEN, "not authorized: show a certificate that the façade knows")
}

fn server_config(server: &Identity, clients: Vec<Fingerprint>) -> Result<ServerConfig, rustls::Error> {
    let known = Arc::new(KnownClients { provider: default_provider(), clients });
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(known)
        .with_cert_resolver(server.certified_key()?);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Accepts the certificates with one of these fingerprints.
#[derive(Debug)]
struct KnownClients {
    provider: CryptoProvider,
    clients: Vec<Fingerprint>,
}

impl ClientCertVerifier for KnownClients {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let shown = Fingerprint::of(certificate);
        if self.clients.iter().fold(false, |known, client| known | (*client == shown)) {
            return Ok(ClientCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
