//! `Tailnet::forward`: what takes only a host and a port gets into the tailnet, and only there.

#![allow(clippy::disallowed_methods, reason = "the client's end, which is on this machine")]

use std::io;
use std::net::SocketAddr;

use tailnet::{ConnectError, Forwarder, Tailnet};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use crate::common::{CLOSED, ECHO, accept_that_sends, builder, done, joined, soon, until};

async fn forwarded(node: &Tailnet, to: &str) -> (Forwarder, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (node.forward(listener, to).unwrap(), address)
}

/// Sends `content`, ends its direction, and reads the echo to its end.
async fn echoed(client: impl AsyncRead + AsyncWrite, content: &[u8]) -> Vec<u8> {
    let (mut from, mut to) = tokio::io::split(client);
    let mut answer = Vec::new();
    let send = async {
        to.write_all(content).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let (_, read) = soon(async { tokio::join!(send, from.read_to_end(&mut answer)) }).await;
    read.unwrap();
    answer
}

/// What a client reads whose connection does not get there.
async fn read_error(address: SocketAddr) -> io::ErrorKind {
    let mut client = TcpStream::connect(address).await.unwrap();
    soon(client.read(&mut [0; 9])).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_host_and_a_port_or_a_socket_lead_into_the_tailnet_with_each_direction_ended_by_itself() {
    let (sandbox, node, _) = joined().await;
    let content: Vec<u8> = (0..1_u32 << 20).map(|at| (at >> 3) as u8).collect();
    let (forwarder, address) = forwarded(&node, &format!("tools:{ECHO}")).await;
    for content in [&b"hello"[..], &content, b""] {
        let client = TcpStream::connect(address).await.unwrap();
        assert!(echoed(client, content).await == content);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("echo.socket");
    let by_socket = node.forward(UnixListener::bind(&path).unwrap(), ("tools", ECHO)).unwrap();
    assert!(echoed(UnixStream::connect(&path).await.unwrap(), &content).await == content);
    drop((forwarder, by_socket));
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_dial_that_fails_resets_its_client_and_ends_nothing_else() {
    let (sandbox, node, _) = joined().await;
    let other = soon(builder(&sandbox).hostname("other").up()).await.unwrap();
    let port = 4000;
    let (_forwarder, address) = forwarded(&node, &format!("other:{port}")).await;
    assert_eq!(read_error(address).await, io::ErrorKind::ConnectionReset, "nothing listens there yet");
    let mut listener = soon(other.listen(port)).await.unwrap();
    let accepting = async { soon(listener.accept()).await.unwrap() };
    let (mut client, mut accepted) =
        tokio::join!(async { TcpStream::connect(address).await.unwrap() }, accepting);
    accepted.write_all(b"hello").await.unwrap();
    let mut answer = [0; 5];
    soon(client.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"hello");

    // A refused one counts among the node's dials, as any other.
    let failed = node.counters().dial_failures;
    let (_closed, address) = forwarded(&node, &format!("tools:{CLOSED}")).await;
    assert_eq!(read_error(address).await, io::ErrorKind::ConnectionReset);
    assert_eq!(node.counters().dial_failures, failed + 1);
    soon(other.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn what_is_outside_the_tailnet_is_not_reached_and_no_address_is_refused_at_once() {
    let (sandbox, node, _) = joined().await;
    let here = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    here.set_nonblocking(true).unwrap();
    let (_forwarder, address) = forwarded(&node, &here.local_addr().unwrap().to_string()).await;
    assert_eq!(read_error(address).await, io::ErrorKind::ConnectionReset);
    assert_eq!(here.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "it left the tailnet");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let error = node.forward(listener, "no address").unwrap_err();
    assert!(matches!(error, ConnectError::InvalidAddress(_)), "{error:?}");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_reset_of_either_side_is_one_for_the_other_and_no_end_of_file() {
    let (sandbox, node, _) = joined().await;
    let other = soon(builder(&sandbox).hostname("other").up()).await.unwrap();
    let mut listener = soon(other.listen(0)).await.unwrap();
    let to = format!("other:{}", listener.local_addr().port());
    let (_forwarder, address) = forwarded(&node, &to).await;
    for by_client in [false, true] {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"x").await.unwrap();
        let mut accepted = accept_that_sends(&mut listener).await;
        let told = if by_client {
            client.set_zero_linger().unwrap();
            drop(client);
            soon(accepted.read(&mut [0; 9])).await
        } else {
            accepted.abort();
            soon(client.read(&mut [0; 9])).await
        };
        assert_eq!(told.unwrap_err().kind(), io::ErrorKind::ConnectionReset, "by the client: {by_client}");
    }
    soon(other.close()).await.unwrap();
    done(sandbox, node).await;
}

#[tokio::test]
async fn dropping_the_forwarder_ends_its_listener_and_its_connections() {
    let (sandbox, node, _) = joined().await;
    let (forwarder, address) = forwarded(&node, &format!("tools:{ECHO}")).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"x").await.unwrap();
    soon(client.read_exact(&mut [0; 1])).await.unwrap();
    drop(forwarder);
    let error = soon(client.read(&mut [0; 9])).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    until(async || TcpListener::bind(address).await.is_ok()).await;
    until(async || node.counters().open_streams == 0).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn closing_the_node_closes_the_listener_at_once() {
    let (sandbox, node, _) = joined().await;
    let (_forwarder, address) = forwarded(&node, &format!("tools:{ECHO}")).await;
    let (_idle, never_used) = forwarded(&node, &format!("tools:{ECHO}")).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"x").await.unwrap();
    soon(client.read_exact(&mut [0; 1])).await.unwrap();
    soon(node.close()).await.unwrap();
    soon(client.read(&mut [0; 9])).await.unwrap_err();
    for address in [address, never_used] {
        until(async || TcpListener::bind(address).await.is_ok()).await;
    }
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn more_clients_than_are_carried_at_once_wait_for_their_turn() {
    let (sandbox, node, _) = joined().await;
    let (_forwarder, address) = forwarded(&node, &format!("tools:{ECHO}")).await;
    let mut carried = Vec::new();
    for _ in 0..Forwarder::MAX_CONNECTIONS {
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"x").await.unwrap();
        soon(client.read_exact(&mut [0; 1])).await.unwrap();
        carried.push(client);
    }
    let mut waiting = TcpStream::connect(address).await.unwrap();
    waiting.write_all(b"x").await.unwrap();
    let dials = node.counters().dials;
    let mut answer = [0; 1];
    let early = tokio::time::timeout(std::time::Duration::from_millis(300), waiting.read_exact(&mut answer));
    early.await.unwrap_err();
    assert_eq!(node.counters().dials, dials, "it waits");
    drop(carried.pop());
    soon(waiting.read_exact(&mut answer)).await.unwrap();
    done(sandbox, node).await;
}
