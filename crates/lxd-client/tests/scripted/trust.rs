//! How client and server come to trust each other.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lxd_client::{
    Auth, Authorities, Client, Error, Fingerprint, Identity, ServerTrust, TrustToken, fetch_fingerprint,
};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::server::{Answer, Asked, client, error, sync, tls, uri};
use crate::to::To;

/// A server that knows one token, by the name of the field that it takes it in.
struct Door {
    field: &'static str,
    /// A field that it does not want to see.
    refuses: Option<&'static str>,
    extensions: Value,
    secret: String,
    trusted: Mutex<Vec<Fingerprint>>,
    used: Mutex<bool>,
}

impl Door {
    fn answer(&self, asked: &Asked) -> Answer {
        let trusted = asked.client.is_some_and(|c| self.trusted.lock().unwrap().contains(&c));
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/1.0") => {
                let mut server = json!({"api_extensions": self.extensions, "auth": if trusted { "trusted" } else { "untrusted" }});
                if trusted {
                    server["environment"] = json!({"server": "lxd", "server_version": "scripted"});
                }
                sync(server)
            }
            ("POST", "/1.0/certificates") => {
                let body = asked.json();
                let mut used = self.used.lock().unwrap();
                let refused = self.refuses.is_some_and(|field| body.get(field).is_some());
                if *used || refused || body[self.field] != self.secret.as_str() {
                    return error(403, 403, "not authorized");
                }
                *used = true;
                self.trusted.lock().unwrap().push(asked.client.unwrap());
                sync(Value::Null)
            }
            _ if !trusted => error(403, 403, "not authorized"),
            _ => sync(json!([{"name": "web", "status": "Running", "type": "container"}])),
        }
    }
}

/// A server with a door, and a token for it.
async fn door(
    field: &'static str,
    refuses: Option<&'static str>,
    extensions: Value,
) -> (SocketAddr, TrustToken) {
    let shared = Arc::new(Mutex::new(None::<Door>));
    let handler = Arc::clone(&shared);
    let (addr, fingerprint) =
        tls(move |asked| handler.lock().unwrap().as_ref().unwrap().answer(&asked)).await;
    let token = json!({
        "client_name": "test", "fingerprint": fingerprint.to_string(), "addresses": ["192.0.2.1:8443"],
        "secret": "s", "expires_at": "0001-01-01T00:00:00Z",
    });
    let secret = STANDARD.encode(token.to_string());
    let token = secret.parse().unwrap();
    let (trusted, used) = Default::default();
    *shared.lock().unwrap() = Some(Door { field, refuses, extensions, secret, trusted, used });
    (addr, token)
}

fn any_pin() -> ServerTrust {
    ServerTrust::Fingerprint("ab".repeat(32).parse().unwrap())
}

fn new_identity() -> Identity {
    let (certificate, key) = Identity::generate_pem("test").unwrap();
    Identity::from_pem(&certificate, &key).unwrap()
}

#[tokio::test]
async fn a_token_makes_a_stranger_trusted_once_in_each_dialect() {
    // LXD 5.0, newer ones, and Incus.
    for (field, refuses, extensions) in [
        ("password", None, json!([])),
        ("trust_token", Some("password"), json!(["explicit_trust_token"])),
        ("trust_token", None, json!([])),
    ] {
        let (addr, token) = door(field, refuses, extensions).await;
        let as_new = || {
            Client::builder(uri(), To(addr))
                .trust(ServerTrust::Fingerprint(token.fingerprint()))
                .identity(new_identity())
                .build()
                .unwrap()
        };
        let client = as_new();
        let stranger = client.server().await.unwrap();
        assert!(stranger.auth == Auth::Untrusted && stranger.environment.is_none());
        let refused = client.instances().await.unwrap_err();
        assert!(refused.is_not_trusted() && !refused.is_refused(), "{refused:?}");
        client.trust(&token).await.unwrap();
        assert_eq!(client.server().await.unwrap().auth, Auth::Trusted);
        assert_eq!(client.instances().await.unwrap()[0].name, "web");
        let error = as_new().trust(&token).await.unwrap_err();
        assert!(matches!(error, Error::TokenRefused { .. }), "{field}: {error:?}");
    }
}

#[tokio::test]
async fn another_fingerprint_is_told_from_the_rest() {
    let (addr, fingerprint) = tls(|_| sync(json!({}))).await;
    match client(addr, any_pin()).server().await.unwrap_err() {
        Error::WrongFingerprint { actual, .. } => assert_eq!(actual, fingerprint),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_no_authority_vouches_for_is_not_taken_by_the_system_roots() {
    let (addr, _) = tls(|_| sync(json!({}))).await;
    let built = Client::builder(uri(), To(addr)).trust(ServerTrust::SystemRoots).build();
    let error = match built {
        Ok(client) => client.server().await.unwrap_err(),
        Err(no_roots_on_this_machine) => no_roots_on_this_machine,
    };
    assert!(matches!(error, Error::Connect { .. } | Error::Config { .. }), "{error:?}");
    if !cfg!(feature = "native-roots") {
        assert!(error.to_string().contains("native-roots"), "{error:?}");
    }
}

#[tokio::test]
async fn a_fingerprint_is_fetched_before_it_is_trusted() {
    let (addr, fingerprint) = tls(|_| sync(json!({}))).await;
    let found = fetch_fingerprint(uri(), To(addr), Duration::from_secs(10)).await.unwrap();
    assert_eq!(found, fingerprint);
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
async fn a_server_that_never_answers_meets_the_deadline() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = silent.local_addr().unwrap();
    let client = Client::builder(uri(), To(addr))
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
    let fetched = fetch_fingerprint(uri(), To(addr), Duration::from_secs(10)).await;
    assert!(matches!(fetched, Err(Error::Connect { .. })), "{fetched:?}");
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

/// The words of the TLS library are for the programmer.
#[tokio::test]
async fn a_server_that_breaks_off_is_told_in_words_for_the_user() {
    let (config, fingerprint) = crate::server::server_config();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            // It reads something, and goes without a farewell.
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 16]).await;
            let (stream, _) = stream.into_inner();
            drop(stream);
        }
    });
    let error = client(addr, ServerTrust::Fingerprint(fingerprint)).server().await.unwrap_err();
    let line = lxd_client::one_line(&error);
    assert!(!line.contains("docs.rs") && !line.contains("https://"), "{line}");
    let request = client(addr, ServerTrust::Fingerprint(fingerprint)).get(["events"]);
    let line = lxd_client::one_line(&request.websocket().await.unwrap_err());
    assert!(line.contains("broke") && !line.contains("docs.rs"), "{line}");
}

#[tokio::test]
async fn a_handshake_that_ends_early_is_told_once() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096]).await;
        }
    });
    let error = client(addr, any_pin()).server().await.unwrap_err();
    let line = lxd_client::one_line(&error);
    assert_eq!(line.matches("tls handshake eof").count(), 1, "{line}");
}

/// LXD's PKI mode: an authority of one's own vouches for the servers.
#[tokio::test]
async fn an_authority_of_ones_own_vouches_for_a_server_and_for_no_other() {
    let authority_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::CrlSign];
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(params, &authority_key);
    let vouched = |name: &str| {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.serial_number = Some(7.into());
        let certificate = params.signed_by(&key, &issuer).unwrap().der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap()
    };
    let serve = async |config| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let acceptor = TlsAcceptor::from(Arc::new(config));
            while let Ok((stream, _)) = listener.accept().await {
                // The client's answer to the certificate comes with what it sends next.
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 16]).await;
                }
            }
        });
        addr
    };
    let revoked = rcgen::CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2020, 1, 1),
        next_update: rcgen::date_time_ymd(2120, 1, 1),
        crl_number: 1.into(),
        issuing_distribution_point: None,
        revoked_certs: vec![rcgen::RevokedCertParams {
            serial_number: 7.into(),
            revocation_time: rcgen::date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: rcgen::KeyIdMethod::Sha256,
    };
    let revoked = revoked.signed_by(&issuer).unwrap().pem().unwrap();
    let authorities =
        |revoked| ServerTrust::Authorities(Authorities::from_pem(&authority.pem(), revoked).unwrap());
    let refused = async |addr, trust| {
        let error = client(addr, trust).server().await.unwrap_err();
        lxd_client::chain(&error).find_map(|e| e.downcast_ref::<rustls::Error>().cloned())
    };
    let good = serve(vouched("cloud.example.ts.net")).await;
    assert_eq!(refused(good, authorities(None)).await, None);
    let other = serve(vouched("other.example.ts.net")).await;
    assert!(matches!(refused(other, authorities(None)).await, Some(rustls::Error::InvalidCertificate(_))));
    let own = serve(crate::server::server_config().0).await;
    assert!(matches!(refused(own, authorities(None)).await, Some(rustls::Error::InvalidCertificate(_))));
    let told = refused(good, authorities(Some(&revoked))).await;
    assert_eq!(told, Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Revoked)));
}

/// It refuses what is `https`, and knows no default port for it.
#[tokio::test]
#[allow(clippy::disallowed_types, reason = "loopback only")]
async fn hypers_own_connector_for_tcp_is_a_way_to_a_server() {
    let (addr, fingerprint) = tls(|_| sync(json!({"auth": "untrusted"}))).await;
    let connector = hyper_util::client::legacy::connect::HttpConnector::new();
    let server = format!("https://{addr}").parse().unwrap();
    let builder = Client::builder(server, connector).trust(ServerTrust::Fingerprint(fingerprint));
    assert_eq!(builder.build().unwrap().server().await.unwrap().auth, Auth::Untrusted);
}
