//! The way to the real LXD.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use lxd_client::{Client, Identity, ServerTrust};
use serde_json::json;

use tokio::sync::OnceCell;

use crate::to::To;

pub(crate) fn lxd_dir() -> PathBuf {
    std::env::var_os("LXD_DIR").expect("LXD_DIR").into()
}

/// The server by its Unix socket, which trusts whoever opens it.
pub(crate) fn local() -> Client {
    Client::unix(&lxd_dir().join("unix.socket"), Duration::from_secs(30)).unwrap()
}

/// Where the server listens for TLS, and the pin of its certificate.
pub(crate) async fn address() -> (SocketAddr, ServerTrust) {
    let server = local().server().await.unwrap();
    let addr =
        server.config["core.https_address"].as_str().expect("core.https_address is set").parse().unwrap();
    (addr, ServerTrust::Fingerprint(server.fingerprint().unwrap()))
}

/// An identity that the server trusts, the same for all tests of this process.
pub(crate) async fn trusted_identity() -> Identity {
    static IDENTITY: OnceCell<Identity> = OnceCell::const_new();
    let made = IDENTITY.get_or_init(|| async {
        let (certificate, key) = Identity::generate_pem("test").unwrap();
        let identity = Identity::from_pem(&certificate, &key).unwrap();
        let base64: String = certificate.lines().filter(|line| !line.starts_with("---")).collect();
        let body = json!({"type": "client", "name": "test", "certificate": base64});
        local().post(["certificates"]).json(&body).done().await.unwrap();
        identity
    });
    made.await.clone()
}

/// The server over TLS on loopback, which trusts the client.
pub(crate) async fn remote() -> Client {
    let (addr, trust) = address().await;
    through(addr, trust).await
}

/// The same by another address, such as that of a forwarder.
pub(crate) async fn through(addr: SocketAddr, trust: ServerTrust) -> Client {
    Client::builder("https://cloud.example.ts.net:8443".parse().unwrap(), To(addr))
        .trust(trust)
        .identity(trusted_identity().await)
        .build()
        .unwrap()
}

/// The same, whose server may be silent on a websocket for this long.
pub(crate) async fn impatient(addr: SocketAddr, trust: ServerTrust, silence: Duration) -> Client {
    Client::builder("https://cloud.example.ts.net:8443".parse().unwrap(), To(addr))
        .trust(trust)
        .identity(trusted_identity().await)
        .silence(silence)
        .build()
        .unwrap()
}

/// A name that no other test has.
pub(crate) fn fresh(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
