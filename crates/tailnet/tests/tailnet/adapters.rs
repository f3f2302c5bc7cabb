//! What other libraries and programs reach the tailnet by: axum, tonic, reqwest, SOCKS5, an HTTP proxy.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tailnet::{PeerAddr, Tailnet};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::{TcpListener, TcpStream};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::common::{CLOSED, DIGEST, ECHO, accept_that_sends, builder, done, joined, soon};

#[tokio::test]
async fn axum_serves_the_tailnet_and_knows_who_asks() {
    let (sandbox, node, _) = joined().await;
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    let app = Router::new()
        .route("/", get(async |ConnectInfo(PeerAddr(peer)): ConnectInfo<PeerAddr>| peer.ip().to_string()));
    let listener = soon(node.listen(80)).await.unwrap();
    let serve = axum::serve(listener, app.into_make_service_with_connect_info::<PeerAddr>());
    let serving = tokio::spawn(async move { serve.await });
    let http = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(client.connector());
    let ips = node.status().await.unwrap().ips;
    let answer = soon(http.get(format!("http://{}/", ips[0]).parse().unwrap())).await.unwrap();
    let body = soon(answer.into_body().collect()).await.unwrap().to_bytes();
    let asked_from = client.status().await.unwrap().ips[0].to_string();
    assert_eq!(body, asked_from.as_bytes());
    serving.abort();
    soon(client.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn grpc_calls_reach_a_server_in_the_tailnet_and_no_other() {
    let (sandbox, node, _) = joined().await;
    let client = soon(builder(&sandbox).hostname("client").up()).await.unwrap();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let services = tonic::service::Routes::new(health).into_axum_router();
    let listener = soon(node.listen(50051)).await.unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, services).await });
    let connect = async |server: &str| {
        Endpoint::try_from(server.to_owned()).unwrap().connect_with_connector(client.connector()).await
    };
    let channel = soon(connect("http://node:50051")).await.unwrap();
    let answer = soon(HealthClient::new(channel).check(HealthCheckRequest::default())).await.unwrap();
    assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    assert!(soon(connect("http://localhost:50051")).await.is_err());
    serving.abort();
    soon(client.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn reqwest_reaches_the_tailnet_and_nothing_else() {
    let (sandbox, node, _) = joined().await;
    let web = soon(builder(&sandbox).hostname("web").up()).await.unwrap();
    let app = Router::new().route("/", get(async || "from the tailnet"));
    let pages = soon(web.listen(80)).await.unwrap();
    let serving = tokio::spawn(async move { axum::serve(pages, app).await });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = listener.local_addr().unwrap();
    let socks = node.clone();
    let proxying = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let node = socks.clone();
            tokio::spawn(async move { node.serve_socks5(client).await });
        }
    });
    let proxy = reqwest::Proxy::all(format!("socks5h://{here}")).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().proxy(proxy).build().unwrap();
    let answer = soon(client.get("http://web/").send()).await.unwrap();
    assert_eq!(soon(answer.text()).await.unwrap(), "from the tailnet");
    for elsewhere in [format!("http://{here}/"), format!("http://localhost:{}/", here.port())] {
        assert!(soon(client.get(&elsewhere).send()).await.is_err(), "{elsewhere}");
    }
    serving.abort();
    proxying.abort();
    soon(web.close()).await.unwrap();
    done(sandbox, node).await;
}

/// The client's end of a proxy's connection.
fn socks5(node: &Tailnet) -> DuplexStream {
    let (ours, theirs) = duplex(4096);
    let node = node.clone();
    tokio::spawn(async move { node.serve_socks5(theirs).await });
    ours
}

fn http_proxy(node: &Tailnet) -> DuplexStream {
    let (ours, theirs) = duplex(4096);
    let node = node.clone();
    tokio::spawn(async move { node.serve_http_proxy(theirs).await });
    ours
}

/// Asks for a connection to a name (RFC 1928) and gives the reply's code.
async fn ask_socks5(client: &mut (impl AsyncRead + AsyncWrite + Unpin), name: &str, port: u16) -> u8 {
    let mut target = vec![3, u8::try_from(name.len()).unwrap()];
    target.extend(name.as_bytes());
    target.extend(port.to_be_bytes());
    command_socks5(client, 1, &target).await.0
}

/// Gives the reply's code and its address.
async fn command_socks5(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    command: u8,
    target: &[u8],
) -> (u8, SocketAddr) {
    client.write_all(&[5, 1, 0]).await.unwrap();
    let mut method = [0; 2];
    soon(client.read_exact(&mut method)).await.unwrap();
    assert_eq!(method, [5, 0]);
    client.write_all(&[&[5, command, 0], target].concat()).await.unwrap();
    let mut reply = [0; 10]; // with an IPv4 address
    soon(client.read_exact(&mut reply)).await.unwrap();
    let ip = Ipv4Addr::new(reply[4], reply[5], reply[6], reply[7]);
    (reply[1], (ip, u16::from_be_bytes([reply[8], reply[9]])).into())
}

/// Sends the request's head and gives the answer's.
async fn ask_http(client: &mut (impl AsyncRead + AsyncWrite + Unpin), head: &str) -> String {
    client.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(soon(client.read_u8()).await.unwrap());
    }
    String::from_utf8(answer).unwrap()
}

async fn assert_half_close_works(mut client: DuplexStream) {
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    assert!(answer.starts_with("5 2cf24dba"), "{answer}");
}

#[tokio::test]
async fn socks5_reaches_the_tailnet_and_nothing_else() {
    let (sandbox, node, _) = joined().await;
    let mut client = socks5(&node);
    assert_eq!(ask_socks5(&mut client, "tools", DIGEST).await, 0);
    assert_half_close_works(client).await;
    for (name, port, code) in [
        ("127.0.0.1", ECHO, 2),
        ("localhost", ECHO, 4),
        ("[::1]", ECHO, 2),
        ("::1", ECHO, 2),
        ("tools", CLOSED, 5),
    ] {
        assert_eq!(ask_socks5(&mut socks5(&node), name, port).await, code, "{name}:{port}");
    }
    let mut rubbish = socks5(&node);
    rubbish.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert_eq!(soon(rubbish.read_to_end(&mut Vec::new())).await.unwrap(), 0);
    done(sandbox, node).await;
}

#[tokio::test]
async fn http_connect_reaches_the_tailnet_and_nothing_else() {
    let (sandbox, node, _) = joined().await;
    let mut client = http_proxy(&node);
    let target = format!("tools:{DIGEST}");
    let answer = ask_http(&mut client, &format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_half_close_works(client).await;
    for (request, status) in [
        ("CONNECT 127.0.0.1:7", "403"),
        ("CONNECT localhost:7", "502"),
        ("CONNECT tools:1", "502"),
        ("CONNECT tools", "400"),
        ("GET http://tools/", "502"),
        ("GET http://127.0.0.1:7/", "403"),
        ("GET http://localhost:7/", "502"),
        ("GET https://tools/", "400"),
        ("GET ftp://tools/", "400"),
        ("GET /", "400"),
        ("OPTIONS *", "400"),
    ] {
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = ask_http(&mut http_proxy(&node), &head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
    }
    done(sandbox, node).await;
}

/// A client's connection over TCP, served by `serve`.
async fn over_tcp<F>(serve: impl FnOnce(TcpStream) -> F) -> (TcpStream, tokio::task::JoinHandle<F::Output>)
where
    F: Future<Output: Send> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    #[allow(clippy::disallowed_methods, reason = "a loopback address of this test's")]
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, tokio::spawn(serve(listener.accept().await.unwrap().0)))
}

#[tokio::test]
async fn an_upload_through_a_proxy_that_is_cut_off_does_not_look_whole() {
    let (sandbox, node, _) = joined().await;
    let other = soon(builder(&sandbox).hostname("other").up()).await.unwrap();
    let mut listener = soon(other.listen(0)).await.unwrap();
    let port = listener.local_addr().port();
    for (by_socks5, by_abort) in [(true, false), (true, true), (false, false), (false, true)] {
        let of = node.clone();
        let (mut client, served) = over_tcp(async move |client| match by_socks5 {
            true => of.serve_socks5(client).await,
            false => of.serve_http_proxy(client).await,
        })
        .await;
        if by_socks5 {
            assert_eq!(ask_socks5(&mut client, "other", port).await, 0);
        } else {
            let head = format!("CONNECT other:{port} HTTP/1.1\r\nHost: x\r\n\r\n");
            assert!(ask_http(&mut client, &head).await.starts_with("HTTP/1.1 200 "));
        }
        client.write_all(b"x").await.unwrap();
        let mut accepted = accept_that_sends(&mut listener).await;
        if by_abort {
            served.abort();
        } else {
            client.set_zero_linger().unwrap();
            drop(client);
            let error = soon(served).await.unwrap().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        }
        let told = soon(accepted.read(&mut [0; 9])).await.map_err(|e| e.kind());
        assert_eq!(told, Err(io::ErrorKind::ConnectionReset), "SOCKS5: {by_socks5}, aborted: {by_abort}");
    }
    soon(other.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn http_urls_are_forwarded_one_after_another_with_the_body_and_without_what_is_the_proxys() {
    let (sandbox, node, _) = joined().await;
    let web = soon(builder(&sandbox).hostname("web").up()).await.unwrap();
    let tell = async |request: axum::extract::Request| {
        let (head, body) = request.into_parts();
        let mut told: Vec<String> =
            head.headers.iter().map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        told.sort();
        let body = body.collect().await.unwrap().to_bytes();
        let told = format!("{} {} {told:?} {}", head.method, head.uri, String::from_utf8_lossy(&body));
        ([("connection", "x-hop"), ("x-hop", "1"), ("x-end", "2")], told)
    };
    let pages = soon(web.listen(80)).await.unwrap();
    let serving = tokio::spawn(async move { axum::serve(pages, Router::new().fallback(tell)).await });
    let mut client = http_proxy(&node);
    for n in 0..2 {
        let head = format!(
            "PUT http://web/{n}?q HTTP/1.1\r\nHost: other\r\nContent-Length: 4\r\nConnection: X-Mine, Upgrade\r\n\
             X-Mine: 1\r\nUpgrade: h2c\r\nProxy-Authorization: Basic eDp5\r\nProxy-Connection: keep-alive\r\n\
             X-Else: 3\r\n\r\nbody"
        );
        let answer = ask_http(&mut client, &head).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("x-end: 2\r\n") && !answer.contains("x-hop"), "{answer}");
        let expected = format!("PUT /{n}?q [\"content-length=4\", \"host=web\", \"x-else=3\"] body");
        let mut told = vec![0; expected.len()];
        soon(client.read_exact(&mut told)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&told), expected);
    }
    // A tunnel may follow on the same connection.
    let answer = ask_http(&mut client, "CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = ask_http(&mut client, "GET /in HTTP/1.1\r\nHost: web\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    serving.abort();
    soon(web.close()).await.unwrap();
    done(sandbox, node).await;
}

/// A datagram with the header of SOCKS5, to an IPv4 address.
fn wrapped(fragment: u8, to: SocketAddr, datagram: &[u8]) -> Vec<u8> {
    let IpAddr::V4(ip) = to.ip() else { panic!("{to}") };
    [&[0, 0, fragment, 1], &ip.octets()[..], &to.port().to_be_bytes(), datagram].concat()
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "the client's end of the proxy, and what must hear nothing")]
async fn socks5_carries_datagrams_to_the_tailnet_and_nothing_else_until_its_connection_ends() {
    let (sandbox, node, _) = joined().await;
    let other = soon(builder(&sandbox).hostname("other").up()).await.unwrap();
    let echo = soon(other.bind_udp(0)).await.unwrap();
    let port = echo.local_addr().port();
    let address = SocketAddr::new(other.status().await.unwrap().ips[0], port);
    let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = std::sync::Arc::clone(&heard);
    let echoing = tokio::spawn(async move {
        let mut buf = [0; 1500];
        while let Ok((length, from)) = echo.recv_from(&mut buf).await {
            hears.lock().unwrap().push(buf[..length].to_vec());
            let _ = echo.send_to(&buf[..length], from).await;
        }
    });

    let mut control = socks5(&node);
    let (code, relay) = command_socks5(&mut control, 3, &[1, 0, 0, 0, 0, 0, 0]).await;
    assert_eq!((code, relay.ip()), (0, Ipv4Addr::LOCALHOST.into()));
    let client = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let by_name = [&[0, 0, 0, 3, 5][..], b"other", &port.to_be_bytes(), b"by name"].concat();
    for message in [wrapped(0, address, b"by address"), by_name] {
        // The first datagrams between nodes that have just met may be lost, or answered late.
        let mut answer = vec![0; 1500];
        let mut length = 0;
        soon(async {
            while answer[..length] != message {
                client.send_to(&message, relay).await.unwrap();
                let received = client.recv_from(&mut answer);
                if let Ok(received) = tokio::time::timeout(Duration::from_millis(300), received).await {
                    length = received.unwrap().0;
                }
            }
        })
        .await;
    }

    // Neither a fragment, nor what is for elsewhere, nor what others on this machine send.
    let elsewhere = UdpSocket::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let stranger = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.send_to(&wrapped(1, address, b"a fragment"), relay).await.unwrap();
    client.send_to(&wrapped(0, elsewhere.local_addr().unwrap(), b"elsewhere"), relay).await.unwrap();
    client.send_to(b"rubbish", relay).await.unwrap();
    client.send_to(&wrapped(0, address, &[7; 1400]), relay).await.unwrap();
    stranger.send_to(&wrapped(0, address, b"a stranger's"), relay).await.unwrap();
    let mut last = Vec::new();
    soon(async {
        while last != b"last" {
            client.send_to(&wrapped(0, address, b"last"), relay).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            last = heard.lock().unwrap().last().cloned().unwrap_or_default();
        }
    })
    .await;
    let heard = heard.lock().unwrap().clone();
    let expected: [&[u8]; 3] = [b"by address", b"by name", b"last"];
    assert!(heard.iter().all(|datagram| expected.contains(&&datagram[..])), "{heard:?}");
    assert!(elsewhere.recv(&mut [0; 9]).is_err(), "it left by the host's network");

    drop(control);
    soon(async {
        // Its port is free again.
        while UdpSocket::bind(relay).is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    echoing.abort();
    soon(other.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn socks5_says_what_it_does_not_do() {
    let (sandbox, node, _) = joined().await;
    let nowhere = [1, 0, 0, 0, 0, 0, 0];
    assert_eq!(command_socks5(&mut socks5(&node), 2, &nowhere).await.0, 7, "BIND");
    assert_eq!(command_socks5(&mut socks5(&node), 9, &nowhere).await.0, 7, "no command");
    assert_eq!(
        command_socks5(&mut socks5(&node), 1, &[9, 0, 0, 0, 0, 0, 0]).await.0,
        8,
        "no kind of address"
    );
    soon(node.close()).await.unwrap();
    assert_eq!(command_socks5(&mut socks5(&node), 3, &nowhere).await.0, 3, "no network");
    sandbox.stop().await.unwrap();
}
