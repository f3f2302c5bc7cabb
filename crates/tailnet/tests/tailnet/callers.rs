//! Programs of this machine that call as a node of their own, by a peer's SOCKS5 proxy.

use std::net::{IpAddr, TcpListener};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tailnet::{ListenOptions, PeerAddr, Tailnet, TailnetListener};
use tailnet_sandbox::{Peer, PeerInfo, Sandbox, User};

use crate::common::{builder, done, soon, until};

/// A tailnet with the callers, and a node.
async fn with(callers: &[&str]) -> (Sandbox, Tailnet) {
    let peers = callers.iter().map(|name| Peer::new(*name).socks5());
    let sandbox = soon(Sandbox::start(peers)).await.unwrap();
    let node = soon(builder(&sandbox).hostname("host").tags(["tag:web"]).up()).await.unwrap();
    (sandbox, node)
}

/// Answers each caller with its login name.
fn serve(node: &Tailnet, listener: TailnetListener) {
    let node = node.clone();
    let name = async move |ConnectInfo(PeerAddr(peer)): ConnectInfo<PeerAddr>| {
        node.whois(peer).await.unwrap().user.login_name
    };
    let app = Router::new().route("/", get(name)).into_make_service_with_connect_info::<PeerAddr>();
    tokio::spawn(async { axum::serve(listener, app).await });
}

fn client_of(caller: &PeerInfo) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let proxy = format!("socks5h://{}", caller.socks5().unwrap());
    reqwest::Client::builder().proxy(reqwest::Proxy::all(proxy).unwrap()).build().unwrap()
}

async fn ask(client: &reqwest::Client, url: &str) -> reqwest::Result<String> {
    soon(async { client.get(url).send().await?.text().await }).await
}

#[tokio::test]
async fn each_caller_is_known_by_its_own_node_and_finds_names_addresses_and_services() {
    let (sandbox, node) = with(&["alice", "bob"]).await;
    serve(&node, soon(node.listen(80)).await.unwrap());
    let service: IpAddr = "100.99.0.1".parse().unwrap();
    soon(sandbox.host_service("host", "svc:wiki", service)).await.unwrap();
    serve(&node, soon(node.listen_with(&ListenOptions::port(80).service("svc:wiki"))).await.unwrap());
    let ips = soon(node.status()).await.unwrap().ips;
    for (id, name) in [(1001, "alice"), (1002, "bob")] {
        soon(sandbox.set_user(name, &User::new(id, name))).await.unwrap();
        let client = client_of(sandbox.peer(name));
        until(async || ask(&client, "http://host/").await.is_ok_and(|caller| caller == name)).await;
        let named = ["host.sandbox.ts.net".to_owned(), ips[0].to_string(), format!("[{}]", ips[1])];
        for host in named {
            assert_eq!(ask(&client, &format!("http://{host}/")).await.unwrap(), name, "{host}");
        }
        until(async || ask(&client, "http://wiki/").await.is_ok_and(|caller| caller == name)).await;
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_caller_reaches_nothing_outside_the_tailnet() {
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    outside.set_nonblocking(true).unwrap();
    let port = outside.local_addr().unwrap().port();
    let (sandbox, node) = with(&["alice"]).await;
    let client = client_of(sandbox.peer("alice"));
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "example.com", "nobody"] {
        assert!(ask(&client, &format!("http://{host}:{port}/")).await.is_err(), "{host}");
    }
    assert!(outside.accept().is_err(), "it connected by the host's network");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_caller_that_was_stopped_calls_again_by_the_same_address() {
    let (sandbox, node) = with(&["alice"]).await;
    serve(&node, soon(node.listen(80)).await.unwrap());
    let client = client_of(sandbox.peer("alice"));
    until(async || ask(&client, "http://host/").await.is_ok()).await;
    soon(sandbox.stop_peer("alice")).await.unwrap();
    assert!(ask(&client_of(sandbox.peer("alice")), "http://host/").await.is_err());
    soon(sandbox.start_peer("alice")).await.unwrap();
    until(async || ask(&client_of(sandbox.peer("alice")), "http://host/").await.is_ok()).await;
    done(sandbox, node).await;
}
