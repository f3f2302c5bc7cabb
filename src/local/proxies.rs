//! Proxies into the tailnet for programs that cannot embed the crate: SOCKS5, HTTP, and one for each cloud.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lxd_client::Facade;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, info};

use crate::cloud::Cloud;
use crate::config::{CloudKind, Config};
use crate::listen::{ServeError, UnixSocket, bind_tcp};
use crate::node::Node;

/// The pause after an accept that failed, as when no descriptor is free.
const NO_ACCEPT: Duration = Duration::from_millis(100);

/// How long a client that comes before the node has joined waits for that, as at the start of the machine.
const JOIN: Duration = Duration::from_secs(20);

/// How long a client may take to send its first byte, by which the two kinds differ.
const FIRST_BYTE: Duration = Duration::from_secs(10);

/// What SOCKS5 begins with (RFC 1928, section 3).
const SOCKS5: u8 = 5;

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Socks5,
    HttpConnect,
    /// Either, by the first byte.
    Both,
}

pub(super) struct Proxy {
    protocol: Protocol,
    listener: TcpListener,
}

pub(super) fn bind(config: &Config) -> Result<Vec<Proxy>, ServeError> {
    let bound = |protocol, what, address: SocketAddr| {
        bind_tcp(what, address).map(|listener| Proxy { protocol, listener })
    };
    match (config.socks5, config.http_proxy) {
        (Some(one), Some(other)) if one == other && one.port() != 0 => {
            Ok(vec![bound(Protocol::Both, "the SOCKS5 and HTTP proxy", one)?])
        }
        (socks5, http) => {
            let socks5 = socks5.map(|address| bound(Protocol::Socks5, "the SOCKS5 proxy", address));
            let http = http.map(|address| bound(Protocol::HttpConnect, "the HTTP proxy", address));
            socks5.into_iter().chain(http).collect()
        }
    }
}

pub(super) fn serve(node: &Node, proxy: Proxy) {
    let Proxy { protocol, listener } = proxy;
    if let Ok(address) = listener.local_addr() {
        info!("{protocol:?} on {address}");
    }
    let of = node.clone();
    node.spawn(async move {
        loop {
            match listener.accept().await {
                Ok((client, _)) => {
                    let node = of.clone();
                    of.tasks().spawn(async move { one_client(&node, protocol, client).await });
                }
                Err(_) => tokio::time::sleep(NO_ACCEPT).await,
            }
        }
    });
}

/// Waits until the node has joined, for so long as clients have patience. What is asked for fails then with the reason.
async fn joined(node: &Node) {
    let _ = tokio::time::timeout(JOIN, node.joined()).await;
}

async fn one_client(node: &Node, protocol: Protocol, mut client: TcpStream) {
    let served = async {
        let socks5 = match protocol {
            Protocol::Socks5 => true,
            Protocol::HttpConnect => false,
            Protocol::Both => {
                let mut first = [0];
                let peeked = tokio::time::timeout(FIRST_BYTE, client.peek(&mut first)).await;
                peeked.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                first[0] == SOCKS5
            }
        };
        joined(node).await;
        let (name, result) = if socks5 {
            ("socks5", node.tailnet().serve_socks5(&mut client).await)
        } else {
            ("http_connect", node.tailnet().serve_http_proxy(&mut client).await)
        };
        node.requests().count(name, if result.is_ok() { "ok" } else { "failed" });
        result
    };
    if let Err(error) = served.await {
        debug!("a client of the proxy: {error}");
        if error.kind() != io::ErrorKind::InvalidData {
            reset(&client);
        }
    }
}

/// Serves a cloud on a Unix socket: the API as this node's client certificate, or for `tcp` the bytes.
pub(super) async fn serve_cloud_unix(node: Node, cloud: Cloud, socket: UnixSocket) {
    let UnixSocket { listener, place: _place } = socket;
    loop {
        let Ok((client, _)) = listener.accept().await else {
            tokio::time::sleep(NO_ACCEPT).await;
            continue;
        };
        let (of, cloud) = (node.clone(), cloud.clone());
        node.tasks().spawn(async move { serve_cloud_stream(&of, &cloud, client).await });
    }
}

/// Forwards streams of an address to a cloud, as they are.
pub(super) async fn serve_cloud_tcp(node: Node, cloud: Cloud, listener: TcpListener) {
    loop {
        let Ok((mut client, _)) = listener.accept().await else {
            tokio::time::sleep(NO_ACCEPT).await;
            continue;
        };
        let (of, cloud) = (node.clone(), cloud.clone());
        node.tasks().spawn(async move {
            if !forward(&of, &cloud, &mut client).await {
                reset(&client);
            }
        });
    }
}

/// Serves one client on a stream of whatever kind that only its owner could open.
async fn serve_cloud_stream(
    node: &Node,
    cloud: &Cloud,
    mut client: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) {
    match (cloud.config().kind, cloud.bare_client()) {
        (CloudKind::Lxd | CloudKind::Incus, Some(api)) => {
            joined(node).await;
            node.requests().count(&format!("proxy {}", cloud.name()), "connected");
            // Ends with the node, whose streams end then: keep-alive connections would last for ever.
            let facade = Facade::new(api);
            node.stopping().run_until_cancelled_owned(facade.serve(client)).await;
        }
        _ => drop(forward(node, cloud, &mut client).await), // such streams know no reset
    }
}

/// Has the connection end with a reset, so that what was cut off does not look whole.
fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger(); // fails only on what is no open socket
}

/// Whether everything was carried to its end.
async fn forward(node: &Node, cloud: &Cloud, client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> bool {
    let name = format!("proxy {}", cloud.name());
    joined(node).await;
    match cloud.connect().await {
        Ok(stream) => {
            node.requests().count(&name, "connected");
            let carried = stream.carry(client).await;
            if let Err(error) = &carried {
                debug!(cloud = cloud.name(), "a forwarded stream broke: {error}");
            }
            carried.is_ok()
        }
        Err(error) => {
            node.requests().count(&name, "failed");
            debug!(cloud = cloud.name(), "{error}");
            false
        }
    }
}
