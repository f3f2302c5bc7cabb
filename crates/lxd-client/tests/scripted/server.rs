//! A server that answers as a test tells it to: over TLS as LXD does it, or on a Unix socket.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use lxd_client::{Client, Fingerprint, ServerTrust};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, UnixListener};

use crate::to::To;
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The fingerprint of the certificate that the client showed.
    pub(crate) client: Option<Fingerprint>,
}

impl Asked {
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) type Answer = Response<Full<Bytes>>;
type Handler = Arc<dyn Fn(Asked) -> Answer + Send + Sync>;

pub(crate) fn sync(metadata: Value) -> Answer {
    envelope(200, json!({"type": "sync", "status": "Success", "status_code": 200, "metadata": metadata}))
}

pub(crate) fn operation(id: &str, status_code: u16) -> Answer {
    let operation = json!({"id": id, "status_code": status_code, "resources": null, "metadata": null});
    envelope(202, json!({"type": "async", "status_code": 100, "metadata": operation}))
}

/// An operation that runs and says this of itself.
pub(crate) fn operation_with(id: &str, metadata: Value) -> Answer {
    let operation = json!({"id": id, "status_code": 103, "resources": null, "metadata": metadata});
    envelope(202, json!({"type": "async", "status_code": 100, "metadata": operation}))
}

pub(crate) fn error(http: u16, code: u16, message: &str) -> Answer {
    envelope(http, json!({"type": "error", "error": message, "error_code": code}))
}

fn envelope(status: u16, body: Value) -> Answer {
    Response::builder().status(status).body(Full::from(body.to_string())).unwrap()
}

/// Listens on loopback with TLS until the test ends.
pub(crate) async fn tls(
    handler: impl Fn(Asked) -> Answer + Send + Sync + 'static,
) -> (SocketAddr, Fingerprint) {
    listen(Arc::new(handler), true).await
}

/// The same, but reads no body.
#[cfg(feature = "facade")]
pub(crate) async fn tls_unread(
    handler: impl Fn(Asked) -> Answer + Send + Sync + 'static,
) -> (SocketAddr, Fingerprint) {
    listen(Arc::new(handler), false).await
}

async fn listen(handler: Handler, reads: bool) -> (SocketAddr, Fingerprint) {
    let (config, fingerprint) = server_config();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, handler) = (acceptor.clone(), Arc::clone(&handler));
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let shown = stream.get_ref().1.peer_certificates().and_then(|list| list.first());
                let shown = shown.map(Fingerprint::of);
                let service = service_fn(|request| answer(request, shown, reads, Arc::clone(&handler)));
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (addr, fingerprint)
}

async fn answer(
    request: Request<Incoming>,
    client: Option<Fingerprint>,
    reads: bool,
    handler: Handler,
) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let body =
        if reads { body.collect().await.map(|b| b.to_bytes()).unwrap_or_default() } else { Bytes::new() };
    let asked = Asked {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        client,
    };
    Ok(handler(asked))
}

/// A client of a server on a Unix socket, which lives as long as the folder.
pub(crate) async fn unix(
    handler: impl Fn(Asked) -> Answer + Send + Sync + 'static,
) -> (tempfile::TempDir, Client) {
    let (folder, path, listener) = socket();
    serve(listener, handler);
    (folder, Client::unix(&path, Duration::from_secs(10)).unwrap())
}

/// Serves a Unix socket, with all its connections, until it is aborted. As Incus does, it accepts the next
/// connection once this one has sent something.
pub(crate) fn serve(
    listener: UnixListener,
    handler: impl Fn(Asked) -> Answer + Send + Sync + 'static,
) -> tokio::task::JoinHandle<()> {
    let handler: Handler = Arc::new(handler);
    tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let handler = Arc::clone(&handler);
            let mut stream = BufReader::new(stream);
            let _ = stream.fill_buf().await;
            connections.spawn(async move {
                let service = service_fn(|request| answer(request, None, true, Arc::clone(&handler)));
                let _ = auto::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    })
}

pub(crate) fn socket() -> (tempfile::TempDir, PathBuf, UnixListener) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unix.socket");
    let listener = UnixListener::bind(&path).unwrap();
    (folder, path, listener)
}

/// A new certificate, and a server that asks for the client's and takes any or none, as LXD does.
pub(crate) fn server_config() -> (rustls::ServerConfig, Fingerprint) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let params = rcgen::CertificateParams::new(vec!["lxd".to_owned()]).unwrap();
    let certificate: CertificateDer<'static> = params.self_signed(&key).unwrap().der().clone();
    let fingerprint = Fingerprint::of(&certificate);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_client_cert_verifier(Arc::new(AnyClient))
            .with_single_cert(vec![certificate], key)
            .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    (config, fingerprint)
}

#[derive(Debug)]
struct AnyClient;

impl rustls::server::danger::ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: rustls::pki_types::UnixTime,
    ) -> Result<rustls::server::danger::ClientCertVerified, rustls::Error> {
        Ok(rustls::server::danger::ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let algorithms = rustls::crypto::ring::default_provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

pub(crate) fn uri() -> Uri {
    Uri::from_static("https://cloud.example.ts.net:8443")
}

pub(crate) fn client(addr: SocketAddr, trust: ServerTrust) -> Client {
    Client::builder(uri(), To(addr)).trust(trust).timeout(Duration::from_secs(10)).build().unwrap()
}
