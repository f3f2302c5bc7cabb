//! Nothing leaves by the host's network: neither a connection nor a DNS query.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use tailnet::{ConnectError, Tailnet};

use crate::common::{builder, done, joined, sandbox, soon};

fn is_refused_here(error: &ConnectError) -> bool {
    matches!(error, ConnectError::NotInTailnet { .. } | ConnectError::NoSuchHost { .. })
}

#[tokio::test]
async fn an_address_outside_the_tailnet_is_refused_and_a_listener_there_hears_nothing() {
    let host_only = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    host_only.set_nonblocking(true).unwrap();
    let port = host_only.local_addr().unwrap().port();
    println!("host-only listener on port {port}"); // .ci/check-fail-closed reads it
    let (sandbox, node, _) = joined().await;
    for host in [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
        "100.64.0.250",           // a tailnet address that no node has
        "[fd7a:115c:a1e0::dead]", // the same in IPv6
        "100.100.100.100",        // MagicDNS's own
        "192.0.2.1",
        "198.51.100.7", // behind a subnet router whose route was not accepted
        "[2001:db8::1]",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        let error = soon(node.connect(format!("{host}:{port}"))).await.unwrap_err();
        assert!(matches!(error, ConnectError::NotInTailnet { .. }), "{host}: {error:?}");
    }
    assert!(host_only.accept().is_err(), "somebody connected by the host's network");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_name_that_only_the_host_knows_is_unknown() {
    let (sandbox, node, _) = joined().await;
    for name in
        ["localhost", "ip6-localhost", "example.com", "nobody", "nobody.sandbox.ts.net", "node.other.ts.net"]
    {
        let error = soon(node.connect((name, 80))).await.unwrap_err();
        assert!(is_refused_here(&error), "{name}: {error:?}");
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_node_that_has_not_joined_dials_nothing() {
    let control = TcpListener::bind("127.0.0.1:0").unwrap(); // never answers
    let node = Tailnet::builder()
        .control_url(format!("http://{}", control.local_addr().unwrap()).parse().unwrap())
        .ephemeral(true)
        .port_mapping(false)
        .start();
    let node = soon(node).await.unwrap();
    let error = soon(node.connect("127.0.0.1:80")).await.unwrap_err();
    assert!(matches!(error, ConnectError::NotRunning { .. }), "{error:?}");
    soon(node.close()).await.unwrap();
}

#[tokio::test]
async fn a_closed_node_dials_nothing() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).connect_timeout(Duration::from_secs(5)).up()).await.unwrap();
    soon(node.close()).await.unwrap();
    let error = soon(node.connect("127.0.0.1:80")).await.unwrap_err();
    assert!(matches!(error, ConnectError::Closed { .. }), "{error:?}");
}
