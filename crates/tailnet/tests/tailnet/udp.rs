//! Datagrams: their boundaries, their senders, their size, and that they stay in the tailnet.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use tailnet::{ListenError, Tailnet, TailnetUdpSocket};
use tailnet_sandbox::Sandbox;
use tokio::io::ReadBuf;

use crate::common::{builder, done, joined, soon, until};

/// Two nodes, with a socket each on all addresses, and its address as such a socket tells it.
async fn two() -> (Sandbox, [(Tailnet, TailnetUdpSocket, SocketAddr); 2]) {
    let (sandbox, first, _) = joined().await;
    let second = soon(builder(&sandbox).hostname("second").up()).await.unwrap();
    let mut both = Vec::new();
    for node in [first, second] {
        let socket = soon(node.bind_udp(0)).await.unwrap();
        let IpAddr::V4(ip) = node.status().await.unwrap().ips[0] else { panic!("IPv4 comes first") };
        let address = SocketAddr::new(ip.to_ipv6_mapped().into(), socket.local_addr().port());
        both.push((node, socket, address));
    }
    let both: [_; 2] = both.try_into().unwrap_or_else(|_| unreachable!());
    for [from, to] in [[0, 1], [1, 0]] {
        meet(&both[from].1, &both[to].1, both[to].2).await;
    }
    (sandbox, both)
}

/// The first datagrams between nodes that have just met may be lost, or be for a node of which the sender has not heard.
async fn meet(from: &TailnetUdpSocket, to: &TailnetUdpSocket, address: SocketAddr) {
    let mut buf = [0; 16];
    soon(async {
        loop {
            match from.send_to(b"hello", address).await {
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::NetworkUnreachable => {}
                Err(e) => panic!("{e}"),
            }
            let received = tokio::time::timeout(Duration::from_millis(200), to.recv_from(&mut buf)).await;
            if received.is_ok() {
                break;
            }
        }
    })
    .await;
    // Those that came late.
    while tokio::time::timeout(Duration::from_millis(300), to.recv_from(&mut buf)).await.is_ok() {}
}

async fn end(sandbox: Sandbox, both: [(Tailnet, TailnetUdpSocket, SocketAddr); 2]) {
    let [(first, ..), (second, ..)] = both;
    soon(second.close()).await.unwrap();
    done(sandbox, first).await;
}

#[tokio::test]
async fn datagrams_keep_their_boundaries_and_tell_their_sender() {
    let (sandbox, both) = two().await;
    let [(_, a, a_address), (_, b, b_address)] = &both;
    let mut buf = [0; 2000];
    for len in [0, 3, 4, 5, TailnetUdpSocket::MAX_IPV4] {
        let sent: Vec<u8> = (0..len).map(|at| at as u8).collect();
        soon(a.send_to(&sent, *b_address)).await.unwrap();
        let (received, from) = soon(b.recv_from(&mut buf)).await.unwrap();
        assert_eq!((&buf[..received], from), (&sent[..], *a_address));
        soon(b.send_to(&buf[..received], from)).await.unwrap();
        let (received, from) = soon(a.recv_from(&mut buf)).await.unwrap();
        assert_eq!((&buf[..received], from), (&sent[..], *b_address));
    }
    end(sandbox, both).await;
}

#[tokio::test]
async fn ipv6_carries_datagrams_too() {
    let (sandbox, both) = two().await;
    let [(_, a, _), (node, b, b_address)] = &both;
    let ip = node.status().await.unwrap().ips[1];
    assert!(ip.is_ipv6());
    let sent = vec![7; TailnetUdpSocket::MAX_IPV6];
    soon(a.send_to(&sent, SocketAddr::new(ip, b_address.port()))).await.unwrap();
    let mut buf = [0; 1500];
    let (received, from) = soon(b.recv_from(&mut buf)).await.unwrap();
    assert_eq!(buf[..received], sent);
    assert!(matches!(from.ip(), IpAddr::V6(ip) if ip.to_ipv4_mapped().is_none()), "{from}");
    end(sandbox, both).await;
}

#[tokio::test]
async fn a_datagram_that_is_too_large_is_an_error_and_not_cut() {
    let (sandbox, both) = two().await;
    let [(_, a, _), (_, b, b_address)] = &both;
    let error = soon(a.send_to(&[0; TailnetUdpSocket::MAX_IPV4 + 1], *b_address)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
    soon(a.send_to(b"next", *b_address)).await.unwrap();
    let mut buf = [0; 2];
    assert_eq!(soon(b.recv_from(&mut buf)).await.unwrap().0, 2, "what does not fit is cut off");
    assert_eq!(&buf, b"ne");
    end(sandbox, both).await;
}

/// One datagram there, and back to where it came from. Gives how each socket told the other.
async fn there_and_back(
    from: &TailnetUdpSocket,
    to: &TailnetUdpSocket,
    address: SocketAddr,
) -> (SocketAddr, SocketAddr) {
    let mut buf = [0; 16];
    assert_eq!(soon(from.send_to(b"there", address)).await.unwrap(), 5);
    let (len, asked_by) = soon(to.recv_from(&mut buf)).await.unwrap();
    assert_eq!(&buf[..len], b"there");
    soon(to.send_to(b"back", asked_by)).await.unwrap();
    let (len, answered_by) = soon(from.recv_from(&mut buf)).await.unwrap();
    assert_eq!(&buf[..len], b"back");
    (asked_by, answered_by)
}

#[tokio::test]
async fn a_socket_tells_all_addresses_in_the_family_of_its_own() {
    let (sandbox, both) = two().await;
    let [(here, ..), (there, all, mapped)] = &both;
    let (own, other) = (here.status().await.unwrap().ips, there.status().await.unwrap().ips);
    let port = mapped.port();
    assert_eq!(all.local_addr(), SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port));
    let any_v4 = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let mapped_own = own[0].to_string().parse().map(|ip: Ipv4Addr| IpAddr::V6(ip.to_ipv6_mapped())).unwrap();
    // Where it is bound, the local address that it tells, and to where it sends.
    for (bound, local, to) in [
        (own[0], own[0], other[0]),
        (mapped_own, own[0], other[0]),
        (any_v4, any_v4, other[0]),
        (own[1], own[1], other[1]),
    ] {
        let socket = soon(here.bind_udp_at(SocketAddr::new(bound, 0))).await.unwrap();
        assert_eq!(socket.local_addr().ip(), local);
        let to = SocketAddr::new(to, port);
        let (asked_by, answered_by) = there_and_back(&socket, all, to).await;
        assert_eq!(answered_by, to, "bound to {bound}");
        assert!(asked_by.is_ipv6(), "{asked_by}");
        assert_eq!(asked_by.port(), socket.local_addr().port());
        // The port is its own at that address only.
        let again = soon(here.bind_udp_at(SocketAddr::new(bound, asked_by.port()))).await.unwrap_err();
        assert!(matches!(again, ListenError::InUse { .. }), "{again:?}");
        let both = soon(here.bind_udp(asked_by.port())).await.unwrap_err();
        assert!(matches!(both, ListenError::InUse { .. }), "{both:?}");
        let elsewhere = if local.is_ipv4() { own[1] } else { own[0] };
        soon(here.bind_udp_at(SocketAddr::new(elsewhere, asked_by.port()))).await.unwrap();
    }
    // One on all addresses tells a mapped one, whichever way the address was given.
    let socket = soon(here.bind_udp_at((Ipv6Addr::UNSPECIFIED, 0).into())).await.unwrap();
    for to in [*mapped, SocketAddr::new(other[0], port)] {
        assert_eq!(there_and_back(&socket, all, to).await.1, *mapped);
    }
    // A connected one tells its peer as it was given.
    for peer in [*mapped, SocketAddr::new(other[0], port), SocketAddr::new(other[1], port)] {
        let connected = soon(here.connect_udp(peer)).await.unwrap();
        assert_eq!(connected.peer_addr(), Some(peer));
        assert_eq!(connected.local_addr().is_ipv4(), peer.is_ipv4());
        assert_eq!(there_and_back(&connected, all, peer).await.1, peer);
    }
    end(sandbox, both).await;
}

#[tokio::test]
async fn a_socket_of_one_family_refuses_addresses_of_the_other_and_a_foreign_address_is_not_bound() {
    let (sandbox, both) = two().await;
    let [(here, ..), (there, _, mapped)] = &both;
    let (own, other) = (here.status().await.unwrap().ips, there.status().await.unwrap().ips);
    let port = mapped.port();
    for (bound, to) in [(own[0], other[1]), (own[0], mapped.ip()), (own[1], other[0]), (own[1], mapped.ip())]
    {
        let socket = soon(here.bind_udp_at(SocketAddr::new(bound, 0))).await.unwrap();
        let error = soon(socket.send_to(b"x", SocketAddr::new(to, port))).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{error}");
        let family = if bound.is_ipv4() { "IPv4 addresses only" } else { "IPv6 addresses only" };
        assert!(error.to_string().contains(family), "{error}");
    }
    for foreign in [other[0], other[1], IpAddr::V4(Ipv4Addr::LOCALHOST)] {
        let error = soon(here.bind_udp_at(SocketAddr::new(foreign, 0))).await.unwrap_err();
        assert!(matches!(error, ListenError::Address { .. }), "{error:?}");
    }
    end(sandbox, both).await;
}

#[tokio::test]
async fn datagrams_can_be_polled_for_and_tried() {
    let (sandbox, both) = two().await;
    let [(_, a, a_address), (_, b, b_address)] = &both;
    let mut space = [0; 16];
    let nothing = b.try_recv_from(&mut space).unwrap_err();
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);

    let mut buf = ReadBuf::new(&mut space);
    buf.put_slice(b">");
    let sent = poll_fn(|cx| a.poll_send_to(cx, b"polled", *b_address));
    let received = poll_fn(|cx| b.poll_recv_from(cx, &mut buf));
    let (received, sent) = soon(async { tokio::join!(received, sent) }).await;
    assert_eq!((received.unwrap(), sent.unwrap()), (*a_address, 6));
    assert_eq!(buf.filled(), b">polled", "it is appended");

    soon(a.writable()).await.unwrap();
    assert_eq!(a.try_send_to(b"tried", *b_address).unwrap(), 5);
    let received = soon(async {
        loop {
            b.readable().await.unwrap(); // there may be none all the same, as with tokio's
            match b.try_recv_from(&mut space) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                received => break received.unwrap(),
            }
        }
    });
    assert_eq!(received.await, (5, *a_address));
    end(sandbox, both).await;
}

#[tokio::test]
async fn a_connected_socket_hears_its_peer_alone() {
    let (sandbox, both) = two().await;
    let [(node, _, a_address), (_, b, b_address)] = &both;
    let connected = soon(node.connect_udp(*b_address)).await.unwrap();
    assert_eq!(connected.peer_addr(), Some(*b_address));
    soon(connected.send(b"from the connected one")).await.unwrap();
    let mut buf = [0; 100];
    let (_, from) = soon(b.recv_from(&mut buf)).await.unwrap();
    assert_eq!((from.ip(), from.port()), (a_address.ip(), connected.local_addr().port()));
    let stranger = soon(node.bind_udp(0)).await.unwrap();
    soon(stranger.send_to(b"from a stranger", from)).await.unwrap();
    soon(b.send_to(b"from the peer", from)).await.unwrap();
    let received = soon(connected.recv(&mut buf)).await.unwrap();
    assert_eq!(&buf[..received], b"from the peer");
    end(sandbox, both).await;
}

#[tokio::test]
#[allow(clippy::disallowed_methods, reason = "it is there to hear what must not come")]
async fn no_datagram_leaves_the_tailnet() {
    let host_only = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    host_only.set_nonblocking(true).unwrap();
    let port = host_only.local_addr().unwrap().port();
    let (sandbox, node, _) = joined().await;
    let socket = soon(node.bind_udp(0)).await.unwrap();
    for host in ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "100.64.0.250", "192.0.2.1", "224.0.0.1"] {
        let error = soon(socket.send_to(b"x", format!("{host}:{port}").parse().unwrap())).await.unwrap_err();
        assert!(error.to_string().contains("not in the tailnet"), "{host}: {error}");
    }
    assert!(host_only.recv(&mut [0; 9]).is_err(), "it left by the host's network");
    done(sandbox, node).await;
}

#[tokio::test]
async fn a_port_is_bound_once_and_is_free_again_after() {
    let (sandbox, node, _) = joined().await;
    let socket = soon(node.bind_udp(5353)).await.unwrap();
    assert_eq!(socket.local_addr().port(), 5353);
    let error = soon(node.bind_udp(5353)).await.unwrap_err();
    assert!(matches!(error, ListenError::InUse { .. }), "{error:?}");
    drop(socket);
    until(async || node.bind_udp(5353).await.is_ok()).await;
    done(sandbox, node).await;
}

#[tokio::test]
async fn closing_the_node_wakes_who_receives() {
    let (sandbox, node, _) = joined().await;
    let socket = soon(node.bind_udp(0)).await.unwrap();
    let receive = tokio::spawn(async move { socket.recv_from(&mut [0; 9]).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    soon(node.close()).await.unwrap();
    let error = soon(receive).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionAborted, "{error}");
    sandbox.stop().await.unwrap();
}

#[tokio::test]
async fn a_task_that_has_given_up_waiting_is_not_remembered() {
    struct Task;
    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }
    let (sandbox, node, _) = joined().await;
    let socket = soon(node.bind_udp(0)).await.unwrap();
    let task = Arc::new(Task);
    let waker = Waker::from(task.clone());
    let mut buf = [0; 9];
    let mut receiving = Box::pin(socket.recv_from(&mut buf));
    assert!(receiving.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop((receiving, waker));
    assert_eq!(Arc::strong_count(&task), 1);
    done(sandbox, node).await;
}
