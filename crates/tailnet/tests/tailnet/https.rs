//! What needs a certificate or the control server's leave: TLS, Funnel, services. The sandbox's own authority gives the
//! certificates, by ACME; a process asks it when its environment says so, so the node is the example `https`.

use std::io;
use std::net::IpAddr;
use std::process::Stdio;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::select;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::{Request, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tailnet::{ListenOptions, Tailnet};
use tailnet_sandbox::{Peer, Sandbox};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::common::{builder, soon};

const WEB: &str = "web.sandbox.ts.net";

/// The example in a process of its own, as `web`, once it serves.
async fn web(sandbox: &Sandbox, args: &[&str]) -> Child {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().unwrap().parent().unwrap().join("examples/https");
    assert!(program.is_file(), "{}: `cargo build --example https` makes it", program.display());
    serving(sandbox, Command::new(program).args(args)).await
}

/// A program that is told by its environment to join as `web`, once it serves.
async fn serving(sandbox: &Sandbox, program: &mut Command) -> Child {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program
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
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    while !soon(lines.next_line()).await.unwrap().expect("it ended").starts_with("serving") {}
    child
}

/// Agrees on TLS with `web`, for which the sandbox's authority must vouch, and on one of the protocols.
async fn agree<S: AsyncRead + AsyncWrite + Unpin>(
    sandbox: &Sandbox,
    stream: S,
    protocols: &[&str],
) -> io::Result<TlsStream<S>> {
    let mut roots = RootCertStore::empty();
    for root in rustls_pemfile::certs(&mut sandbox.acme_root().as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(WEB).unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

/// What was agreed on with a client, as it knows it.
fn agreed<S>(stream: &TlsStream<S>) -> Option<&str> {
    stream.get_ref().1.alpn_protocol().map(|name| std::str::from_utf8(name).unwrap())
}

/// Gets the page of `web` by HTTP/1.1 and TLS.
async fn page<S: AsyncRead + AsyncWrite + Unpin>(sandbox: &Sandbox, stream: S, protocols: &[&str]) -> String {
    let mut stream = agree(sandbox, stream, protocols).await.unwrap();
    assert_eq!(agreed(&stream), protocols.first().copied());
    stream
        .write_all(format!("GET / HTTP/1.1\r\nHost: {WEB}\r\nConnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

/// Gets it by HTTP/2, which a browser agrees on.
async fn page_by_http2<S>(sandbox: &Sandbox, stream: S) -> String
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stream = agree(sandbox, stream, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(agreed(&stream), Some("h2"));
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut client, connection) = soon(handshake).await.unwrap();
    tokio::spawn(connection);
    let request = Request::get(format!("https://{WEB}/")).body(Empty::<Bytes>::new()).unwrap();
    let answer = soon(client.send_request(request)).await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    let body = soon(answer.into_body().collect()).await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn tls_is_ended_with_a_certificate_that_an_authority_gave_the_node() {
    let sandbox = crate::common::sandbox().await;
    let _web = web(&sandbox, &[]).await;
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    for protocols in [&[][..], &["http/1.1"]] {
        let stream = soon(client.connect((WEB, 443))).await.unwrap();
        let ip = stream.local_addr().ip().to_string();
        let answer = page(&sandbox, stream, protocols).await;
        assert!(answer.contains(&ip), "{answer}");
    }
    let stream = soon(client.connect((WEB, 443))).await.unwrap();
    let ip = stream.local_addr().ip().to_string();
    let answer = page_by_http2(&sandbox, stream).await;
    assert!(answer.contains(&ip), "{answer}");
    crate::common::done(sandbox, client).await;
}

#[tokio::test]
async fn a_server_of_any_protocol_knows_which_one_was_agreed_on() {
    let sandbox = crate::common::sandbox().await;
    let part = ["https::it_says_what_was_agreed_on", "--exact", "--ignored", "--nocapture"];
    let _web = serving(&sandbox, Command::new(std::env::current_exe().unwrap()).args(part)).await;
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    for (port, protocols, known) in [
        (PLAIN, &[][..], "None"),
        (PLAIN, &["ours/1"], "None"),
        (OURS, &["ours/1", "ours/2"], "Some(\"ours/2\")"),
        (OURS, &["ours/1"], "Some(\"ours/1\")"),
        (OURS, &[], "None"),
    ] {
        let stream = soon(client.connect((WEB, port))).await.unwrap();
        let mut stream = agree(&sandbox, stream, protocols).await.unwrap();
        let mut said = String::new();
        soon(stream.read_to_string(&mut said)).await.unwrap();
        assert_eq!(said, known, "{protocols:?}");
        assert_eq!(format!("{:?}", agreed(&stream)), known, "{protocols:?}");
    }
    let stream = soon(client.connect((WEB, OURS))).await.unwrap();
    let error = agree(&sandbox, stream, &["h2"]).await.unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
    crate::common::done(sandbox, client).await;
}

/// The ports of [`it_says_what_was_agreed_on`]: with no protocol, and with two.
const PLAIN: u16 = 5000;
const OURS: u16 = 5001;

#[tokio::test]
#[ignore = "a part of a_server_of_any_protocol_knows_which_one_was_agreed_on"]
async fn it_says_what_was_agreed_on() {
    let var = |name| std::env::var(name).unwrap();
    let node = Tailnet::builder()
        .hostname(var("TS_HOSTNAME"))
        .auth_key(var("TS_AUTHKEY").parse().unwrap())
        .control_url(var("TS_CONTROL_URL").parse().unwrap())
        .ephemeral(true);
    let node = soon(node.up()).await.unwrap();
    let plain = soon(node.listen_with(&ListenOptions::port(PLAIN).tls())).await.unwrap();
    let ours = ListenOptions::port(OURS).tls().alpn(["ours/2", "ours/1"]);
    let ours = soon(node.listen_with(&ours)).await.unwrap();
    println!("\nserving");
    let mut streams = select(plain, ours);
    while let Some(stream) = streams.next().await {
        let mut stream = stream.unwrap();
        let known = format!("{:?}", stream.alpn());
        stream.write_all(known.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
    }
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
    let from_the_internet = async || {
        let mut stream = TcpStream::connect(sandbox.peer("ingress").ingress().unwrap()).await.unwrap();
        stream.write_all(format!("{WEB}:443\n").as_bytes()).await.unwrap();
        (stream.local_addr().unwrap().to_string(), stream)
    };
    let (from, stream) = from_the_internet().await;
    let answer = page(&sandbox, stream, &[]).await;
    assert!(answer.contains(&from), "{answer}");
    let (from, stream) = from_the_internet().await;
    let answer = page_by_http2(&sandbox, stream).await;
    assert!(answer.contains(&from), "{answer}");
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
