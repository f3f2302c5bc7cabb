//! The peers of a sandbox tailnet: their services, and their addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::{Deserialize, Serialize};

/// A node that is to join the sandbox and to serve something.
#[derive(Clone, Debug, Serialize)]
#[must_use = "a peer does nothing until it is given to a sandbox"]
pub struct Peer {
    hostname: String,
    services: Vec<Service>,
    routes: Vec<String>,
    ingress: bool,
    socks5: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Service {
    port: u16,
    kind: &'static str,
    target: String,
}

/// A peer that has joined.
#[derive(Clone, Debug, Deserialize)]
#[non_exhaustive]
pub struct PeerInfo {
    /// The name it was given.
    pub hostname: String,
    /// Its full MagicDNS name, with its final dot.
    pub name: String,
    /// Its IPv4 address in the tailnet.
    pub ipv4: Ipv4Addr,
    /// Its IPv6 address in the tailnet.
    pub ipv6: Ipv6Addr,
    #[serde(default)]
    ingress: String,
    #[serde(default)]
    socks5: String,
}

impl Peer {
    /// A peer with a name and nothing to serve yet.
    pub fn new(hostname: impl Into<String>) -> Peer {
        let (services, routes) = (Vec::new(), Vec::new());
        Peer { hostname: hostname.into(), services, routes, ingress: false, socks5: false }
    }

    fn serve(mut self, port: u16, kind: &'static str, target: String) -> Peer {
        self.services.push(Service { port, kind, target });
        self
    }

    /// Offers a subnet, such as `198.51.100.0/24`, in which every address has the peer's services.
    pub fn route(mut self, subnet: impl Into<String>) -> Peer {
        self.routes.push(subnet.into());
        self
    }

    /// Is one of the servers that hand on what comes from the Internet (Funnel): see [`PeerInfo::ingress`].
    pub fn ingress(mut self) -> Peer {
        self.ingress = true;
        self
    }

    /// Offers its node to programs of this machine, such as curl or a browser, as a SOCKS5 proxy: see [`PeerInfo::socks5`].
    /// It accepts routes.
    pub fn socks5(mut self) -> Peer {
        self.socks5 = true;
        self
    }

    /// Sends back what it reads, then its end.
    pub fn echo(self, port: u16) -> Peer {
        self.serve(port, "echo", String::new())
    }

    /// Reads everything and answers nothing.
    pub fn discard(self, port: u16) -> Peer {
        self.serve(port, "discard", String::new())
    }

    /// Sends zeros for as long as somebody reads them.
    pub fn generate(self, port: u16) -> Peer {
        self.serve(port, "generate", String::new())
    }

    /// Reads to the end, and only then answers: the number of bytes, a space, their SHA-256 in hexadecimal.
    pub fn digest(self, port: u16) -> Peer {
        self.serve(port, "digest", String::new())
    }

    /// Joins each stream with a new one to `target`, which must be a loopback address of this machine.
    pub fn forward(self, port: u16, target: SocketAddr) -> Peer {
        self.serve(port, "forward", target.to_string())
    }
}

impl PeerInfo {
    /// Its IPv4 address in the tailnet.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.ipv4.into()
    }

    /// Where it takes streams from the Internet, on this machine's loopback: a client first sends the node that it wants
    /// and a line feed (`name.sandbox.ts.net:443`), then what it would send there.
    #[must_use]
    pub fn ingress(&self) -> Option<SocketAddr> {
        self.ingress.parse().ok()
    }

    /// Where its SOCKS5 proxy is, on this machine's loopback: who dials by it is this peer to all others, and reaches nothing
    /// but the tailnet. It looks names up in the tailnet (`curl --socks5-hostname`), and carries TCP: a stream ends when either
    /// side ends it.
    #[must_use]
    pub fn socks5(&self) -> Option<SocketAddr> {
        self.socks5.parse().ok()
    }
}
