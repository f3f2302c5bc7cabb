//! The client against the stand-in, over plain TCP on loopback: the crate does not know what a tailnet is.

#![allow(clippy::unwrap_used, reason = "a test fails by it")]

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use lxd_client::{Auth, Client, Error, Fingerprint, Identity, ServerTrust, TrustToken, fetch_fingerprint};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tailnet_sandbox::StandIn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Connects to one address, whatever the URI says.
#[derive(Clone)]
struct To(SocketAddr);

impl tower_service::Service<Uri> for To {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    #[allow(clippy::disallowed_methods, reason = "loopback only: there is no tailnet in these tests")]
    fn call(&mut self, _: Uri) -> Self::Future {
        let addr = self.0;
        Box::pin(async move { TcpStream::connect(addr).await.map(TokioIo::new) })
    }
}

fn server() -> Uri {
    Uri::from_static("https://cloud.example.ts.net:8443")
}

fn pinned(standin: &StandIn) -> ServerTrust {
    ServerTrust::Fingerprint(standin.fingerprint().parse().unwrap())
}

fn client(addr: SocketAddr, trust: ServerTrust) -> Client {
    Client::builder(server(), To(addr)).trust(trust).timeout(Duration::from_secs(10)).build().unwrap()
}

fn any_pin() -> ServerTrust {
    ServerTrust::Fingerprint("ab".repeat(32).parse().unwrap())
}

fn new_identity() -> Identity {
    let (certificate, key) = Identity::generate_pem("test").unwrap();
    Identity::from_pem(&certificate, &key).unwrap()
}

#[tokio::test]
async fn a_pinned_server_answers_a_stranger_with_little() {
    let standin = StandIn::start().await.unwrap();
    let client = client(standin.addr(), pinned(&standin));
    let answer = client.server().await.unwrap();
    assert_eq!(answer.auth, Auth::Untrusted);
    assert!(answer.environment.is_none());
    let error = client.instances().await.unwrap_err();
    assert!(error.is_not_trusted() && !error.is_refused(), "{error:?}");
}

#[tokio::test]
async fn another_fingerprint_is_told_from_the_rest() {
    let standin = StandIn::start().await.unwrap();
    let error = client(standin.addr(), any_pin()).server().await.unwrap_err();
    match error {
        Error::WrongFingerprint { actual, .. } => assert_eq!(actual.to_string(), standin.fingerprint()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let error = client(addr, any_pin()).server().await.unwrap_err();
    assert!(error.is_refused() && !error.is_not_trusted(), "{error:?}");
}

#[tokio::test]
async fn a_server_that_no_authority_vouches_for_is_not_taken_by_the_system_roots() {
    let standin = StandIn::start().await.unwrap();
    let built = Client::builder(server(), To(standin.addr())).trust(ServerTrust::SystemRoots).build();
    let error = match built {
        Ok(client) => client.server().await.unwrap_err(),
        Err(no_roots_on_this_machine) => no_roots_on_this_machine,
    };
    assert!(matches!(error, Error::Connect { .. } | Error::Config { .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_makes_a_stranger_trusted_once() {
    let standin = StandIn::start().await.unwrap();
    let token: TrustToken = standin.trust_token("test").parse().unwrap();
    let as_new = || {
        Client::builder(server(), To(standin.addr()))
            .trust(ServerTrust::Fingerprint(token.fingerprint()))
            .identity(new_identity())
            .build()
            .unwrap()
    };
    let client = as_new();
    client.trust(&token).await.unwrap();
    assert_eq!(client.server().await.unwrap().auth, Auth::Trusted);
    let names: Vec<_> = client.instances().await.unwrap().into_iter().map(|i| i.name).collect();
    assert_eq!(names, ["demo-web", "demo-db"]);

    let error = as_new().trust(&token).await.unwrap_err();
    assert!(matches!(error, Error::TokenRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_fingerprint_is_fetched_before_it_is_trusted() {
    let standin = StandIn::start().await.unwrap();
    let found = fetch_fingerprint(server(), To(standin.addr()), Duration::from_secs(10)).await.unwrap();
    assert_eq!(found.to_string(), standin.fingerprint());
}

#[tokio::test]
async fn a_server_that_never_answers_meets_the_deadline() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = silent.local_addr().unwrap();
    let client = Client::builder(server(), To(addr))
        .trust(any_pin())
        .timeout(Duration::from_millis(200))
        .build()
        .unwrap();
    let error = client.server().await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn a_uri_that_is_not_https_is_refused() {
    for uri in ["http://host:8443", "host:8443", "/1.0"] {
        let built = Client::builder(uri.parse().unwrap(), To(([127, 0, 0, 1], 1).into())).build();
        assert!(matches!(built, Err(Error::Config { .. })), "{uri}");
    }
}

/// Serves one TLS connection with a certificate and the key of another one.
async fn with_stolen_certificate() -> (SocketAddr, Fingerprint) {
    #[derive(Debug)]
    struct Stolen(Arc<CertifiedKey>);

    impl ResolvesServerCert for Stolen {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    let new_key = || rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let (owner, thief) = (new_key(), new_key());
    let params = rcgen::CertificateParams::new(vec!["lxd".to_owned()]).unwrap();
    let certificate = params.self_signed(&owner).unwrap().der().clone();
    let fingerprint = Fingerprint::of(&certificate);
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(thief.serialize_der()));
    let provider = Arc::new(ring::default_provider());
    let key = provider.key_provider.load_private_key(key).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Stolen(Arc::new(CertifiedKey::new(vec![certificate], key)))));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        drop(TlsAcceptor::from(Arc::new(config)).accept(stream).await);
    });
    (addr, fingerprint)
}

#[tokio::test]
async fn the_right_certificate_without_its_key_is_refused() {
    let (addr, fingerprint) = with_stolen_certificate().await;
    let error = client(addr, ServerTrust::Fingerprint(fingerprint)).server().await.unwrap_err();
    let bad_signature = rustls::Error::InvalidCertificate(rustls::CertificateError::BadSignature);
    let found = lxd_client::chain(&error).filter_map(|e| e.downcast_ref::<rustls::Error>()).next();
    assert_eq!(found, Some(&bad_signature), "{error:?}");

    let (addr, _) = with_stolen_certificate().await;
    let fetched = fetch_fingerprint(server(), To(addr), Duration::from_secs(10)).await;
    assert!(matches!(fetched, Err(Error::Connect { .. })), "{fetched:?}");
}

/// Answers each request on a Unix socket with `answer`, then with nothing more.
async fn unix_server(answer: &'static str) -> (tempfile::TempDir, Client) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unix.socket");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (folder, Client::unix(&path, Duration::from_secs(5)).unwrap())
}

#[tokio::test]
async fn rubbish_is_told_from_the_api() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>",
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 301 Moved\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
    ] {
        let (_folder, client) = unix_server(answer).await;
        let error = client.server().await.unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{answer}: {error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_is_told() {
    for answer in ["SSH-2.0-OpenSSH\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{", ""] {
        let (_folder, client) = unix_server(answer).await;
        let error = client.server().await.unwrap_err();
        assert!(matches!(error, Error::Broken { .. }), "{answer}: {error:?}");
    }
}

#[tokio::test]
async fn an_error_behind_the_status_200_is_an_error() {
    let (_folder, client) = unix_server(
        "HTTP/1.1 200 OK\r\ncontent-length: 52\r\n\r\n{\"type\":\"error\",\"error\":\"not here\",\"error_code\":404}",
    )
    .await;
    let error = client.server().await.unwrap_err();
    assert!(error.is_not_found(), "{error:?}");
}

#[test]
fn an_identity_is_made_once_and_its_key_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let first = Identity::load_or_generate(folder.path(), "test").unwrap();
    let second = Identity::load_or_generate(folder.path(), "test").unwrap();
    assert_eq!(first.fingerprint(), second.fingerprint());
    let key = folder.path().join("client.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!format!("{first:?}").contains("PRIVATE"));

    std::fs::remove_file(&key).unwrap();
    let error = Identity::load_or_generate(folder.path(), "test").unwrap_err();
    assert!(error.to_string().contains("client.key"), "half a pair is not replaced: {error}");
    std::fs::write(&key, "no key").unwrap();
    let error = Identity::load_or_generate(folder.path(), "test").unwrap_err();
    assert!(error.to_string().contains("PRIVATE KEY"), "{error}");
}
