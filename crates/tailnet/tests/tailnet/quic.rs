//! quinn over the sockets of the tailnet, by the adapter of `examples/quinn`.

#[path = "../../examples/quinn/socket.rs"]
mod socket;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use quinn::rustls::RootCertStore;
use quinn::rustls::pki_types::PrivateKeyDer;
use quinn::{ClientConfig, Endpoint, ServerConfig};
use tailnet::{Tailnet, TailnetUdpSocket};
use tailnet_sandbox::Sandbox;
use tokio::task::JoinSet;

use crate::common::{builder, done, joined, soon};

const NAME: &str = "quic.example";

/// A node with an endpoint that connects and is connected to.
struct Side {
    node: Tailnet,
    ips: Vec<IpAddr>,
    endpoint: Endpoint,
    client: ClientConfig,
}

async fn two() -> (Sandbox, [Side; 2]) {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    let key = || PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let mut client = ClientConfig::with_root_certificates(Arc::new(roots)).unwrap();
    client.transport_config(Arc::new(socket::transport()));

    let (sandbox, first, _) = joined().await;
    let second = soon(builder(&sandbox).hostname("second").up()).await.unwrap();
    let mut sides = Vec::new();
    for node in [first, second] {
        let ips = node.status().await.unwrap().ips;
        let mut server = ServerConfig::with_single_cert(vec![made.cert.der().clone()], key()).unwrap();
        server.transport_config(Arc::new(socket::transport()));
        let socket = soon(node.bind_udp(0)).await.unwrap();
        let mut endpoint = socket::endpoint(socket, Some(server)).unwrap();
        endpoint.set_default_client_config(client.clone());
        tokio::spawn(echo(endpoint.clone()));
        sides.push(Side { node, ips, endpoint, client: client.clone() });
    }
    (sandbox, sides.try_into().unwrap_or_else(|_| unreachable!()))
}

async fn echo(endpoint: Endpoint) {
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            let connection = incoming.await.unwrap();
            while let Ok((mut to, mut from)) = connection.accept_bi().await {
                tokio::io::copy(&mut from, &mut to).await.unwrap();
                to.finish().unwrap();
            }
        });
    }
}

/// Carries `content` there and back, and gives the MTU that was found.
async fn ask(endpoint: &Endpoint, server: SocketAddr, content: &[u8]) -> u16 {
    let connection = soon(endpoint.connect(server, NAME).unwrap()).await.unwrap();
    let (mut to, mut from) = soon(connection.open_bi()).await.unwrap();
    let send = async {
        to.write_all(content).await.unwrap();
        to.finish().unwrap();
    };
    let (_, answer) = soon(async { tokio::join!(send, from.read_to_end(content.len())) }).await;
    assert!(answer.unwrap() == content, "{server}");
    connection.close(0u32.into(), b"done");
    connection.stats().path.current_mtu
}

async fn end(sandbox: Sandbox, sides: [Side; 2]) {
    let [first, second] = sides;
    for side in [&first, &second] {
        side.endpoint.close(0u32.into(), b"done");
    }
    soon(second.node.close()).await.unwrap();
    done(sandbox, first.node).await;
}

#[tokio::test]
async fn quinn_connects_both_ways_by_ipv4_ipv6_and_a_mapped_address() {
    let (sandbox, sides) = two().await;
    for (from, to) in [(0, 1), (1, 0)] {
        let [IpAddr::V4(ipv4), ipv6 @ IpAddr::V6(_)] = sides[to].ips[..] else {
            panic!("{:?}", sides[to].ips)
        };
        let port = sides[to].endpoint.local_addr().unwrap().port();
        for ip in [IpAddr::V4(ipv4), ipv6, ipv4.to_ipv6_mapped().into()] {
            ask(&sides[from].endpoint, SocketAddr::new(ip, port), b"hello").await;
        }
        // From a socket of each family alone.
        for own in &sides[from].ips {
            let socket = soon(sides[from].node.bind_udp_at(SocketAddr::new(*own, 0))).await.unwrap();
            let mut endpoint = socket::endpoint(socket, None).unwrap();
            endpoint.set_default_client_config(sides[from].client.clone());
            let ip = if own.is_ipv4() { IpAddr::V4(ipv4) } else { ipv6 };
            ask(&endpoint, SocketAddr::new(ip, port), b"hello").await;
        }
    }
    end(sandbox, sides).await;
}

#[tokio::test]
async fn connections_at_once_on_one_socket_all_go_on_and_find_the_largest_datagram() {
    let (sandbox, sides) = two().await;
    let server = SocketAddr::new(sides[1].ips[0], sides[1].endpoint.local_addr().unwrap().port());
    let mut asking = JoinSet::new();
    for at in 0..8 {
        let endpoint = sides[0].endpoint.clone();
        asking.spawn(async move { ask(&endpoint, server, &vec![at; 1 << 20]).await });
    }
    for mtu in asking.join_all().await {
        assert_eq!(usize::from(mtu), TailnetUdpSocket::MAX_IPV6);
    }
    end(sandbox, sides).await;
}
