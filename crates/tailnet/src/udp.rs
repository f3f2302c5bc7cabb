use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixDatagram as StdUnixDatagram;
use std::sync::{Arc, Mutex, PoisonError};

use libtailscale_sys as sys;
use tokio::net::UnixDatagram;

use crate::error::stream_error;
use crate::ffi::{Conn, Node, RawStream};
use crate::{Address, ConnectError, ListenError};

/// The other side's address comes before each datagram: 16 bytes of IPv6 (IPv4 mapped) and the port.
const HEADER: usize = 18;

/// A UDP socket in the tailnet, from [`Tailnet::bind_udp`](crate::Tailnet::bind_udp) or
/// [`Tailnet::connect_udp`](crate::Tailnet::connect_udp).
///
/// A datagram stays one datagram, from one sender, and as with any UDP it may be lost or come twice. While nobody
/// receives, a few hundred kilobytes are kept and the rest is dropped.
///
/// ```no_run
/// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
/// let socket = tailnet.bind_udp(5353).await?;
/// let mut buf = [0; 1500];
/// loop {
///     let (len, from) = socket.recv_from(&mut buf).await?;
///     socket.send_to(&buf[..len], from).await?;
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct TailnetUdpSocket {
    conn: Conn, // first: it says that the socket closes before `socket` does so
    socket: UnixDatagram,
    node: Arc<Node>,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    /// The address that was found in the tailnet last, so that a run of datagrams asks once.
    checked: Mutex<Option<IpAddr>>,
}

impl TailnetUdpSocket {
    /// The largest datagram to an IPv4 address: the tailnet's MTU, which is 1280, less IP and UDP headers.
    pub const MAX_IPV4: usize = 1280 - 20 - 8;
    /// The largest datagram to an IPv6 address.
    pub const MAX_IPV6: usize = 1280 - 40 - 8;

    pub(crate) fn new(
        raw: RawStream,
        node: Arc<Node>,
        peer: Option<SocketAddr>,
    ) -> io::Result<TailnetUdpSocket> {
        let RawStream { conn, fd, local, .. } = raw;
        let local = local.ok_or_else(|| io::Error::other("the node gave no address for the socket"))?;
        let socket = UnixDatagram::from_std(StdUnixDatagram::from(fd))?; // Go made it non-blocking
        Ok(TailnetUdpSocket { conn, socket, node, local, peer, checked: Mutex::new(None) })
    }

    /// Where it is bound; the address is unspecified (`::`) when that is all of the node's.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Whom it is connected to.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Sends one datagram.
    ///
    /// Cancel safe: it is sent as a whole or not at all.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when it is larger than [`MAX_IPV4`](Self::MAX_IPV4) or
    /// [`MAX_IPV6`](Self::MAX_IPV6); [`ConnectError::NotInTailnet`] inside an error of the kind of
    /// [`ConnectError`]'s for every address that the tailnet does not have; nothing is sent then. That nobody is there
    /// is no error, as datagrams go.
    pub async fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        let ip = to.ip().to_canonical();
        let max = if ip.is_ipv4() { Self::MAX_IPV4 } else { Self::MAX_IPV6 };
        if datagram.len() > max {
            let text = format!(
                "a datagram of {} bytes is too large for the tailnet: {max} at the most",
                datagram.len()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        self.check(ip, to.port())?;
        let mut message = Vec::with_capacity(HEADER + datagram.len());
        message.extend(mapped(ip).octets());
        message.extend(to.port().to_be_bytes());
        message.extend(datagram);
        self.socket.send(&message).await.map_err(|e| self.cause(e))?;
        Ok(())
    }

    /// Receives one datagram, and who has sent it. What does not fit into `buf` is cut off.
    ///
    /// Cancel safe: no datagram is lost.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionAborted`] once the node is closed.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let mut message = [0; HEADER + 1500];
        let mut large; // only a datagram that came in fragments is larger
        loop {
            self.socket.readable().await?;
            let message: &mut [u8] = if buf.len() <= 1500 {
                &mut message[..HEADER + buf.len()]
            } else {
                large = vec![0; HEADER + buf.len().min(usize::from(u16::MAX))];
                &mut large
            };
            let len = match self.socket.try_recv(message) {
                Ok(len) if len >= HEADER => len,
                Ok(_) => return Err(self.ended()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => continue,
                Err(e) => return Err(self.cause(e)),
            };
            let from = sender(message);
            if self.peer.is_some_and(|peer| peer != from) {
                continue;
            }
            buf[..len - HEADER].copy_from_slice(&message[HEADER..len]);
            return Ok((len - HEADER, from));
        }
    }

    /// Sends one datagram to the address that the socket is connected to. Cancel safe.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and [`io::ErrorKind::NotConnected`] when it is connected to none.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<()> {
        let peer = self.peer.ok_or_else(|| io::Error::from(io::ErrorKind::NotConnected))?;
        self.send_to(datagram, peer).await
    }

    /// Receives one datagram; a connected socket drops those of others. Cancel safe.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(self.recv_from(buf).await?.0)
    }

    /// Fails unless the tailnet has the address.
    fn check(&self, ip: IpAddr, port: u16) -> io::Result<()> {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if *checked == Some(ip) {
            return Ok(());
        }
        let addr = Address::new(&ip.to_string(), port)
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        self.node.contains(&ip.to_string()).map_err(|failure| match failure.code {
            sys::TAILSCALE_CLOSED => self.ended(),
            _ => ConnectError::of(failure, addr, std::time::Duration::ZERO).into(),
        })?;
        *checked = Some(ip);
        Ok(())
    }

    fn ended(&self) -> io::Error {
        self.cause(io::Error::new(io::ErrorKind::ConnectionAborted, "the node was closed"))
    }

    fn cause(&self, error: io::Error) -> io::Error {
        stream_error(self.conn.error()).unwrap_or(error)
    }
}

fn mapped(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// Who has sent the message, whose header is there.
fn sender(message: &[u8]) -> SocketAddr {
    let mut ip = [0; 16];
    ip.copy_from_slice(&message[..16]);
    let port = u16::from_be_bytes([message[16], message[17]]);
    SocketAddr::new(IpAddr::V6(Ipv6Addr::from(ip)).to_canonical(), port)
}

pub(crate) fn none() -> ListenError {
    ListenError::Other { message: "the node gave no socket".to_owned() }
}
