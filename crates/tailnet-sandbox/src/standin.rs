//! A stand-in for an LXD server: it answers a few requests, and has no instances.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring as provider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// A stand-in for an LXD server: a few answers of its API over TLS, with instances that do not exist.
///
/// It is for trying things where no LXD is installed, and says so: its version is `stand-in`.
#[derive(Debug)]
pub struct StandIn {
    addr: SocketAddr,
    fingerprint: String,
    trust: Arc<Mutex<Trust>>,
    events: broadcast::Sender<Utf8Bytes>,
    server: AbortHandle,
}

/// How many events wait for a listener that is slow. What is more it never hears.
const EVENTS: usize = 1_024;

/// A request to a scripted server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// Its method.
    pub method: Method,
    /// Its path, with the query.
    pub path: String,
    /// Its body; null where that is not JSON.
    pub body: Value,
}

type Script = Arc<dyn Fn(&Asked) -> (u16, Value) + Send + Sync>;

#[derive(Debug, Default)]
struct Trust {
    tokens: Vec<String>,
    clients: Vec<String>, // fingerprints
}

impl StandIn {
    /// Starts it on a free port of 127.0.0.1. It ends when this is dropped.
    ///
    /// # Errors
    /// When no port or no certificate can be had.
    pub async fn start() -> io::Result<StandIn> {
        StandIn::with(None).await
    }

    /// Starts one that trusts everybody and answers as the script says: the HTTP status, and the whole body. On its
    /// stream of events comes what [`send_event`](StandIn::send_event) is given.
    ///
    /// # Errors
    /// As [`start`](StandIn::start).
    pub async fn scripted(
        script: impl Fn(&Asked) -> (u16, Value) + Send + Sync + 'static,
    ) -> io::Result<StandIn> {
        StandIn::with(Some(Arc::new(script))).await
    }

    async fn with(script: Option<Script>) -> io::Result<StandIn> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).map_err(io::Error::other)?;
        let params = rcgen::CertificateParams::new(vec!["stand-in".to_owned()]).map_err(io::Error::other)?;
        let certificate = params.self_signed(&key).map_err(io::Error::other)?;
        let fingerprint = fingerprint(certificate.der());
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(io::Error::other)?
            .with_client_cert_verifier(Arc::new(AnyClient(provider::default_provider())))
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let trust = Arc::default();
        let events = broadcast::Sender::new(EVENTS);
        let (of_api, heard) = (Arc::clone(&trust), events.clone());
        let api = Api { fingerprint: fingerprint.clone(), trust: of_api, events: heard, script };
        let server = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), api)).abort_handle();
        Ok(StandIn { addr, fingerprint, trust, events, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The SHA-256 of its certificate, in hexadecimal.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Tells an event to all who listen to a scripted one, whatever they asked for.
    pub fn send_event(&self, event: &Value) {
        let _ = self.events.send(event.to_string().into()); // nobody may listen
    }

    /// Makes a token that lets one client in, as `lxc config trust add --name NAME` does.
    #[must_use]
    pub fn trust_token(&self, client_name: &str) -> String {
        let mut trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = format!("stand-in-secret-{}", trust.tokens.len());
        let token = STANDARD.encode(
            json!({
                "client_name": client_name, "fingerprint": self.fingerprint, "addresses": [self.addr.to_string()],
                "secret": secret, "expires_at": "0001-01-01T00:00:00Z",
            })
            .to_string(),
        );
        trust.tokens.push(token.clone());
        token
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, api: Api) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await; // out of descriptors: the next accept may work
            continue;
        };
        let (acceptor, api) = (acceptor.clone(), api.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let shown = stream.get_ref().1.peer_certificates().and_then(|list| list.first()).map(fingerprint);
            let service = service_fn(|request| api.clone().answer(shown.clone(), request));
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection_with_upgrades(TokioIo::new(stream), service)
                .await;
        });
    }
}

#[derive(Clone)]
struct Api {
    fingerprint: String,
    trust: Arc<Mutex<Trust>>,
    events: broadcast::Sender<Utf8Bytes>,
    script: Option<Script>,
}

impl Api {
    /// `client` is the fingerprint of the certificate that the client showed.
    async fn answer(
        self,
        client: Option<String>,
        mut request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        if let (Some(_), Some(answer)) = (&self.script, listen(&mut request, &self.events)) {
            return Ok(answer);
        }
        let (head, body) = request.into_parts();
        let body = Limited::new(body, 1 << 20).collect().await.map(|b| b.to_bytes()).unwrap_or_default();
        if let Some(script) = &self.script {
            let path = head.uri.path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let (status, answer) = script(&Asked { method: head.method, path, body });
            return Ok(json_response(status, &answer));
        }
        let mut trust = self.trust.lock().unwrap_or_else(PoisonError::into_inner);
        let trusted = client.as_ref().is_some_and(|c| trust.clients.contains(c));
        let outcome = match (&head.method, head.uri.path()) {
            (&Method::GET, "/1.0") => Ok(self.server(trusted)),
            (&Method::POST, "/1.0/certificates") => trust.add(client, &body),
            (_, path) if !path.starts_with("/1.0") => Err((404, "not found")),
            _ if !trusted => Err((403, "not authorized")),
            (&Method::GET, "/1.0/instances") => Ok(instances()),
            _ => Err((501, "the stand-in does not have this")),
        };
        Ok(respond(outcome))
    }

    fn server(&self, trusted: bool) -> Value {
        let mut server = json!({
            "api_extensions": [], "api_status": "stable", "api_version": "1.0", "public": false,
            "auth": if trusted { "trusted" } else { "untrusted" }, "auth_methods": ["tls"], "config": {},
        });
        if trusted {
            server["environment"] = json!({
                "server": "lxd", "server_name": "stand-in", "server_version": "stand-in",
                "certificate_fingerprint": self.fingerprint,
            });
        }
        server
    }
}

impl Trust {
    fn add(&mut self, client: Option<String>, body: &[u8]) -> Result<Value, (u16, &'static str)> {
        let client = client.ok_or((400, "no client certificate"))?;
        let body: Value = serde_json::from_slice(body).map_err(|_| (400, "not JSON"))?;
        let token = body["password"].as_str().unwrap_or_default();
        let position = self.tokens.iter().position(|t| t == token).ok_or((403, "not authorized"))?;
        self.tokens.remove(position); // works once
        self.clients.push(client);
        Ok(Value::Null)
    }
}

fn instances() -> Value {
    let instance = |name: &str, status: &str| {
        json!({
            "name": name, "status": status, "type": "container", "architecture": "x86_64",
            "project": "default", "description": "made up by the stand-in",
        })
    };
    json!([instance("demo-web", "Running"), instance("demo-db", "Stopped")])
}

fn respond(outcome: Result<Value, (u16, &'static str)>) -> Response<Full<Bytes>> {
    let (status, body) = match outcome {
        Ok(metadata) => {
            (200, json!({"type": "sync", "status": "Success", "status_code": 200, "metadata": metadata}))
        }
        Err((code, error)) => (code, json!({"type": "error", "error": error, "error_code": code})),
    };
    json_response(status, &body)
}

fn json_response(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer to who asks for a websocket: one that answers pings and tells events.
fn listen(
    request: &mut Request<Incoming>,
    events: &broadcast::Sender<Utf8Bytes>,
) -> Option<Response<Full<Bytes>>> {
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY)?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()?;
    let (upgrade, mut events) = (hyper::upgrade::on(request), events.subscribe());
    tokio::spawn(async move {
        let Ok(stream) = upgrade.await else { return };
        let mut socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, None).await;
        loop {
            tokio::select! {
                heard = socket.next() => if !matches!(heard, Some(Ok(_))) {
                    return;
                },
                event = events.recv() => match event {
                    Ok(event) => if socket.send(Message::Text(event)).await.is_err() {
                        return;
                    },
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    Some(response)
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As LXD does it: a client may show any certificate, whose key it must hold, or none.
#[derive(Debug)]
struct AnyClient(CryptoProvider);

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
