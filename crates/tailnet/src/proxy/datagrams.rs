//! UDP ASSOCIATE of SOCKS5: a client's datagrams, each behind a header that says whither (RFC 1928, section 7).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use fast_socks5::parse_udp_request;
use fast_socks5::util::target_addr::TargetAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::UdpSocket;

use crate::{ListenError, Tailnet, TailnetUdpSocket};

/// So many addresses an association sends to and hears at once; the one that was silent for longest makes room.
const MAX_TARGETS: usize = 256;

/// An address is heard for so long after the last datagram to it (RFC 4787, section 4.3).
const IDLE: Duration = Duration::from_secs(300);

/// How long looking up a name may take.
const LOOK_UP: Duration = Duration::from_secs(5);

/// A client's way for datagrams.
pub(super) struct Association<'a> {
    tailnet: &'a Tailnet,
    /// Where the client sends to.
    here: UdpSocket,
    /// The socket in the tailnet.
    there: TailnetUdpSocket,
    /// The port that the client has announced, or 0.
    announced: u16,
    client: Option<SocketAddr>,
    targets: Vec<Target>,
}

/// Somebody in the tailnet with whom the client talks.
struct Target {
    /// As the client names it: answers have the same header.
    header: Vec<u8>,
    address: SocketAddr,
    used: Instant,
}

impl<'a> Association<'a> {
    pub(super) async fn new(
        tailnet: &'a Tailnet,
        announced: &TargetAddr,
    ) -> Result<Association<'a>, ListenError> {
        let other = |e: io::Error| ListenError::Other { message: e.to_string() };
        let there = tailnet.bind_udp(0).await?;
        #[allow(
            clippy::disallowed_methods,
            reason = "the client's end: from loopback nothing goes elsewhere"
        )]
        let here = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(other)?;
        let announced = match announced {
            TargetAddr::Ip(address) => address.port(),
            TargetAddr::Domain(_, port) => *port,
        };
        Ok(Association { tailnet, here, there, announced, client: None, targets: Vec::new() })
    }

    /// Where the client is to send its datagrams.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.here.local_addr()
    }

    /// Carries datagrams until the connection that asked for it ends.
    pub(super) async fn serve(mut self, mut asked_by: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
        let (mut from_client, mut from_tailnet) = (vec![0; 1 << 16], vec![0; 1 << 16]);
        let mut ignored = [0; 512];
        loop {
            tokio::select! {
                read = asked_by.read(&mut ignored) => {
                    if read? == 0 {
                        return Ok(());
                    }
                }
                received = self.here.recv_from(&mut from_client) => {
                    let (length, from) = received?;
                    if self.is_client(from) && let Err(error) = self.send(&from_client[..length]).await {
                        tracing::debug!("SOCKS5: a datagram was dropped: {error}");
                    }
                }
                received = self.there.recv_from(&mut from_tailnet) => {
                    let (length, from) = received?;
                    self.answer(&from_tailnet[..length], canonical(from)).await;
                }
            }
        }
    }

    /// The first to send is the client; on loopback others can send too.
    fn is_client(&mut self, from: SocketAddr) -> bool {
        if self.announced != 0 && self.announced != from.port() {
            return false;
        }
        *self.client.get_or_insert(from) == from
    }

    /// Sends what came from the client.
    async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let (fragment, named, datagram) = parse_udp_request(message).await.map_err(io::Error::other)?;
        if fragment != 0 {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "it is a fragment"));
        }
        let header = &message[..message.len() - datagram.len()];
        let known = self.targets.iter_mut().find(|target| target.header == header && !target.is_idle());
        if let Some(target) = known {
            target.used = Instant::now();
            return self.there.send_to(datagram, target.address).await.map(drop);
        }
        let address = self.look_up(&named).await?;
        self.there.send_to(datagram, address).await?;
        self.targets.retain(|target| target.header != header && !target.is_idle());
        if self.targets.len() == MAX_TARGETS
            && let Some((oldest, _)) = self.targets.iter().enumerate().min_by_key(|(_, target)| target.used)
        {
            self.targets.swap_remove(oldest);
        }
        self.targets.push(Target { header: header.to_vec(), address, used: Instant::now() });
        Ok(())
    }

    /// Gives the client what came from one with whom it talks.
    async fn answer(&self, datagram: &[u8], from: SocketAddr) {
        let sent_to = self.targets.iter().filter(|target| target.address == from && !target.is_idle());
        if let (Some(target), Some(client)) = (sent_to.max_by_key(|target| target.used), self.client) {
            let message = [&target.header, datagram].concat();
            if let Err(error) = self.here.send_to(&message, client).await {
                tracing::debug!("SOCKS5: a datagram for the client was dropped: {error}");
            }
        }
    }

    async fn look_up(&self, named: &TargetAddr) -> io::Result<SocketAddr> {
        let (name, port) = match named {
            TargetAddr::Ip(address) => return Ok(canonical(*address)),
            TargetAddr::Domain(name, port) => (name.as_str(), *port),
        };
        let found = tokio::time::timeout(LOOK_UP, self.tailnet.lookup_host((name, port))).await??;
        found.first().copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// The address with IPv4 plain, where a socket or a client maps it into IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Target {
    fn is_idle(&self) -> bool {
        self.used.elapsed() > IDLE
    }
}
