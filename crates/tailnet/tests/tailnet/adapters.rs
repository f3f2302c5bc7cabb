//! What other libraries and programs reach the tailnet by: axum, tonic, reqwest, SOCKS5, HTTP CONNECT.

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tailnet::{PeerAddr, Tailnet};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::common::{CLOSED, DIGEST, ECHO, builder, done, joined, soon};

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

fn http_connect(node: &Tailnet) -> DuplexStream {
    let (ours, theirs) = duplex(4096);
    let node = node.clone();
    tokio::spawn(async move { node.serve_http_connect(theirs).await });
    ours
}

/// Asks for a name (RFC 1928) and gives the reply's code.
async fn ask_socks5(client: &mut DuplexStream, name: &str, port: u16) -> u8 {
    client.write_all(&[5, 1, 0]).await.unwrap();
    let mut method = [0; 2];
    soon(client.read_exact(&mut method)).await.unwrap();
    assert_eq!(method, [5, 0]);
    let mut request = vec![5, 1, 0, 3, u8::try_from(name.len()).unwrap()];
    request.extend(name.as_bytes());
    request.extend(port.to_be_bytes());
    client.write_all(&request).await.unwrap();
    let mut reply = [0; 10]; // with an IPv4 address
    soon(client.read_exact(&mut reply)).await.unwrap();
    reply[1]
}

/// Sends the request's head and gives the answer's.
async fn ask_http(client: &mut DuplexStream, head: &str) -> String {
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
    for (name, port, code) in [("127.0.0.1", ECHO, 2), ("localhost", ECHO, 4), ("tools", CLOSED, 5)] {
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
    let mut client = http_connect(&node);
    let target = format!("tools:{DIGEST}");
    let answer = ask_http(&mut client, &format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_half_close_works(client).await;
    for (request, status) in [
        ("CONNECT 127.0.0.1:7", "403"),
        ("CONNECT localhost:7", "502"),
        ("CONNECT tools:1", "502"),
        ("CONNECT tools", "400"),
        ("GET http://tools/", "405"),
    ] {
        let head = format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n");
        let answer = ask_http(&mut http_connect(&node), &head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
    }
    done(sandbox, node).await;
}
