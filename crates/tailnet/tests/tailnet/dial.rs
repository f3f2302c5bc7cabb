use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tailnet::ConnectError;
use tailnet_sandbox::{Peer, Sandbox, StandIn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{CLOSED, ECHO, builder, done, joined, sandbox, soon};

#[tokio::test]
async fn a_peer_is_dialled_by_either_address_and_by_either_name() {
    let (sandbox, node, tools) = joined().await;
    let full = tools.name.trim_end_matches('.').to_owned();
    for address in [
        format!("{}:{ECHO}", tools.ipv4),
        format!("[{}]:{ECHO}", tools.ipv6),
        format!("tools:{ECHO}"),
        format!("TOOLS:{ECHO}"),
        format!("{full}:{ECHO}"),
        format!("{full}.:{ECHO}"),
    ] {
        let mut stream = soon(node.connect(&address)).await.unwrap_or_else(|e| panic!("{address}: {e}"));
        assert_eq!(stream.peer_addr().port(), ECHO);
        assert_eq!(stream.local_addr().is_ipv4(), stream.peer_addr().is_ipv4());
        stream.write_all(b"hello").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        soon(stream.read_to_end(&mut answer)).await.unwrap();
        assert_eq!(answer, b"hello", "{address}");
    }
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_name_is_looked_up_without_a_dial() {
    let (sandbox, node, tools) = joined().await;
    let both: Vec<_> = [IpAddr::from(tools.ipv4), tools.ipv6.into()].map(|ip| SocketAddr::new(ip, 9)).into();
    assert_eq!(soon(node.lookup_host("tools:9")).await.unwrap(), both);
    assert_eq!(soon(node.lookup_host(both[1])).await.unwrap(), both[1..]);
    let nobody = soon(node.lookup_host("nobody:9")).await.unwrap_err();
    assert!(matches!(nobody, ConnectError::NoSuchHost { .. }), "{nobody:?}");
    let outside = soon(node.lookup_host("127.0.0.1:9")).await.unwrap_err();
    assert!(matches!(outside, ConnectError::NotInTailnet { .. }), "{outside:?}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn an_address_behind_a_subnet_router_is_dialled_when_routes_are_accepted() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).accept_routes(true).up()).await.unwrap();
    let mut stream = soon(node.connect(("198.51.100.7", ECHO))).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"hello");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_closed_port_refuses() {
    let (sandbox, node, tools) = joined().await;
    let error = soon(node.connect((tools.ipv4, CLOSED))).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error:?}");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::ConnectionRefused);
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_peer_that_has_died_times_out() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).connect_timeout(Duration::from_secs(2)).up()).await.unwrap();
    let tools = sandbox.peer("tools").clone();
    soon(node.connect((tools.ipv4, ECHO))).await.unwrap();
    sandbox.stop().await.unwrap();
    let error = soon(node.connect((tools.ipv4, ECHO))).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout { .. } | ConnectError::Unreachable { .. }), "{error:?}");
    soon(node.close()).await.unwrap();
}

#[tokio::test]
async fn a_dial_that_is_dropped_ends_and_leaves_nothing() {
    let sandbox = sandbox().await;
    let node = soon(builder(&sandbox).up()).await.unwrap();
    let tools = sandbox.peer("tools").clone();
    sandbox.stop().await.unwrap();
    for _ in 0..50 {
        let dial = node.connect((tools.ipv4, ECHO));
        assert!(tokio::time::timeout(Duration::from_millis(5), dial).await.is_err());
    }
    // A node whose dials had stayed behind would have to wait for them.
    soon(node.close()).await.unwrap();
}

#[tokio::test]
async fn hyper_reaches_a_server_through_the_connector() {
    let standin = StandIn::start().await.unwrap();
    let web = Peer::new("web").forward(80, standin.addr());
    let sandbox = soon(Sandbox::start([web])).await.unwrap();
    let node = soon(builder(&sandbox).up()).await.unwrap();
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(node.connector());
    // The stand-in speaks TLS only: that it hangs up on plain HTTP shows that the bytes got there.
    let error = soon(client.get("http://web/1.0".parse().unwrap())).await.unwrap_err();
    assert!(!error.is_connect(), "{error:?}");
    let error = soon(client.get("http://nobody/".parse().unwrap())).await.unwrap_err();
    assert!(error.is_connect(), "{error:?}");
    done(sandbox, node).await;
}
