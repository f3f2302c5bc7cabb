//! What needs a certificate or the control server's leave: TLS, Funnel, services. The sandbox's own authority gives the
//! certificates, by ACME; a process asks it when its environment says so, so the node is the example `https`.

use std::net::IpAddr;
use std::process::Stdio;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tailnet::{ListenOptions, Tailnet};
use tailnet_sandbox::{Peer, Sandbox};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;

use crate::common::{builder, soon};

const WEB: &str = "web.sandbox.ts.net";

/// The example in a process of its own, as `web`, once it serves.
async fn web(sandbox: &Sandbox, args: &[&str]) -> Child {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/https");
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(&program)
        .args(args)
        .env("TS_HOSTNAME", "web")
        .env("TS_AUTHKEY", sandbox.auth_key())
        .env("TS_CONTROL_URL", sandbox.control_url().to_string())
        .env("TS_STATE_DIR", folder.keep())
        .env("TS_DEBUG_ACME_DIRECTORY_URL", sandbox.acme_directory())
        .env("TS_DISABLE_PORTMAPPER", "true")
        .env("TS_NO_LOGS_NO_SUPPORT", "true")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|e| panic!("{}: {e}; `cargo build --example https` makes it", program.display()));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = soon(lines.next_line()).await.unwrap().expect("it ended");
    assert!(line.starts_with("serving"), "{line}");
    child
}

/// Agrees on TLS with `web`, for which the sandbox's authority must vouch, and gets its page.
async fn page<S: AsyncRead + AsyncWrite + Unpin>(sandbox: &Sandbox, stream: S) -> String {
    let mut roots = RootCertStore::empty();
    for root in rustls_pemfile::certs(&mut sandbox.acme_root().as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(WEB).unwrap();
    let mut stream = soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await.unwrap();
    stream
        .write_all(format!("GET / HTTP/1.1\r\nHost: {WEB}\r\nConnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

#[tokio::test]
async fn tls_is_ended_with_a_certificate_that_an_authority_gave_the_node() {
    let sandbox = crate::common::sandbox().await;
    let _web = web(&sandbox, &[]).await;
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    let stream = soon(client.connect((WEB, 443))).await.unwrap();
    let ip = stream.local_addr().ip().to_string();
    let answer = page(&sandbox, stream).await;
    assert!(answer.contains(&ip), "{answer}");
    crate::common::done(sandbox, client).await;
}

#[tokio::test]
#[allow(
    clippy::disallowed_methods,
    reason = "the Internet's side of the sandbox is on this machine's loopback"
)]
async fn funnel_takes_streams_from_the_internet_and_knows_where_they_come_from() {
    let ingress = Peer::new("ingress").ingress();
    let sandbox = soon(Sandbox::start([ingress])).await.unwrap();
    let _web = web(&sandbox, &["--funnel"]).await;
    let mut stream = TcpStream::connect(sandbox.peer("ingress").ingress().unwrap()).await.unwrap();
    let from = stream.local_addr().unwrap();
    stream.write_all(format!("{WEB}:443\n").as_bytes()).await.unwrap();
    let answer = page(&sandbox, stream).await;
    assert!(answer.contains(&from.to_string()), "{answer}");
    soon(sandbox.stop()).await.unwrap();
}

/// Dials until there is an answer: the map that makes a host of a node comes to it and to the client at their own time.
async fn reach(client: &Tailnet, name: &str, port: u16) -> tailnet::TailnetStream {
    let answered = async {
        loop {
            match client.connect((name, port)).await {
                Ok(stream) => return stream,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    soon(answered).await
}

#[tokio::test]
async fn a_service_has_its_own_address_and_is_taken_over_by_the_next_host() {
    let sandbox = crate::common::sandbox().await;
    let ip: IpAddr = "100.99.0.1".parse().unwrap();
    let client = builder(&sandbox)
        .hostname("client")
        .accept_routes(true)
        .connect_timeout(std::time::Duration::from_secs(2));
    let client = soon(client.up()).await.unwrap();
    for host in ["first", "second"] {
        let node = soon(builder(&sandbox).hostname(host).tags(["tag:web"]).up()).await.unwrap();
        soon(sandbox.host_service(host, "svc:web", ip)).await.unwrap();
        let mut listener = soon(node.listen_with(&ListenOptions::port(80).service("svc:web"))).await.unwrap();
        let serving = tokio::spawn(async move {
            while let Ok(mut stream) = listener.accept().await {
                assert_eq!(stream.local_addr().ip(), ip);
                let _ = stream.write_all(host.as_bytes()).await;
            }
        });
        let mut stream = reach(&client, "web", 80).await;
        let mut said = String::new();
        soon(stream.read_to_string(&mut said)).await.unwrap();
        assert_eq!(said, host);
        soon(node.close()).await.unwrap();
        soon(serving).await.unwrap();
    }
    crate::common::done(sandbox, client).await;
}
