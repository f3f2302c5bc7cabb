//! Proxies into the tailnet for programs that cannot embed the crate: SOCKS5 and HTTP.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, info};

use super::joined;
use crate::config::Config;
use crate::listen::{ServeError, accepted, bind_tcp, reset};
use crate::node::Node;

/// How long a client may take to send its first byte, which shows the protocol.
const FIRST_BYTE: Duration = Duration::from_secs(10);

/// The first byte of SOCKS5 (RFC 1928, section 3).
const SOCKS5: u8 = 5;

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Socks5,
    HttpConnect,
    /// Either; the first byte shows which.
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
            let (client, _) = accepted(|| listener.accept()).await;
            let node = of.clone();
            of.tasks().spawn(async move { one_client(&node, protocol, client).await });
        }
    });
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
