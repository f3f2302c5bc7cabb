//! What a client tells of the steps of its connection.

use std::net::Ipv4Addr;
use std::time::Duration;

use lxd_client::{Client, DialTrace, ServerTrust};
use serde_json::json;
use tokio::net::TcpListener;

use crate::server::{client, sync, tls, uri};
use crate::to::To;

fn any_pin() -> ServerTrust {
    ServerTrust::Fingerprint("ab".repeat(32).parse().unwrap())
}

#[tokio::test]
async fn the_connection_that_is_kept_tells_how_long_its_steps_took() {
    let (addr, fingerprint) = tls(|_| sync(json!({"auth": "untrusted"}))).await;
    let client = client(addr, ServerTrust::Fingerprint(fingerprint));
    assert_eq!(client.dial_trace(), None);
    client.server().await.unwrap();
    let trace = client.dial_trace().unwrap();
    assert!(trace.connect.unwrap() > Duration::ZERO && trace.tls.unwrap() > Duration::ZERO, "{trace:?}");
    assert_eq!(trace.fingerprint, Some(fingerprint));

    // Neither a second request nor an attempt of another kind, which the server refuses, changes that.
    client.project("web").server().await.unwrap();
    assert_eq!(client.connections_made(), 1);
    client.get(["events"]).websocket().await.unwrap_err();
    assert_eq!(client.dial_trace(), Some(trace));
}

#[tokio::test]
async fn an_attempt_that_failed_tells_how_far_it_came() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = closed.local_addr().unwrap();
    drop(closed);
    let refused = client(addr, any_pin());
    refused.server().await.unwrap_err();
    assert_eq!(refused.dial_trace(), Some(DialTrace::default()));

    let (addr, _) = tls(|_| sync(json!({}))).await;
    let other = client(addr, any_pin());
    other.server().await.unwrap_err();
    let trace = other.dial_trace().unwrap();
    assert!(trace.connect.is_some() && trace.tls.is_none() && trace.fingerprint.is_none(), "{trace:?}");
}

#[tokio::test]
async fn an_attempt_that_hangs_tells_where() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let addr = silent.local_addr().unwrap();
    let client = Client::builder(uri(), To(addr)).trust(any_pin()).build().unwrap();
    let asked = tokio::time::timeout(Duration::from_millis(500), client.server()).await;
    asked.expect_err("a silent server answers");
    let trace = client.dial_trace().unwrap();
    assert!(trace.connect.is_some() && trace.tls.is_none(), "{trace:?}");
}
