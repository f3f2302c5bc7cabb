//! UDP sockets of the node.

use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::net::UnixDatagram as StdUnixDatagram;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use libtailscale_sys as sys;
use tokio::io::ReadBuf;
use tokio::net::UnixDatagram;

use crate::error::stream_error;
use crate::ffi::{Conn, Node, RawStream};
use crate::wakers::Wakers;
use crate::{Address, ConnectError};

/// The other side's address comes before each datagram: 16 bytes of IPv6 (IPv4 mapped) and the port.
const HEADER: usize = 18;

/// A UDP socket in the tailnet, from [`Tailnet::bind_udp`], [`Tailnet::bind_udp_at`] or [`Tailnet::connect_udp`].
///
/// It keeps the node open, as a clone of [`Tailnet`](crate::Tailnet) does.
///
/// A datagram stays one datagram, from one sender, and as with any UDP it may be lost or come twice. While nobody
/// receives, a few hundred kilobytes are kept and the rest is dropped.
///
/// All addresses that a socket tells are of one family, [`local_addr`](Self::local_addr)'s:
///
/// | `local_addr` | hears, and sends to | tells an IPv4 address as |
/// |---|---|---|
/// | an IPv4 address, or `0.0.0.0` | IPv4 | `100.64.0.2` |
/// | an IPv6 address | IPv6 | |
/// | `[::]` | both | `::ffff:100.64.0.2`, which [`IpAddr::to_canonical`] makes plain |
///
/// So does a socket of Linux, and so quinn, hickory and others expect it. A socket on `[::]` sends to plain IPv4
/// addresses too. Whatever sends to where a datagram came from needs to know none of that.
///
/// The methods are those of [`tokio::net::UdpSocket`], but for one thing: any number of tasks may wait by the `poll_`
/// methods, where tokio wakes the last one only. `examples/quinn` gives quinn such a socket.
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
///
/// [`Tailnet::bind_udp`]: crate::Tailnet::bind_udp
/// [`Tailnet::bind_udp_at`]: crate::Tailnet::bind_udp_at
/// [`Tailnet::connect_udp`]: crate::Tailnet::connect_udp
#[derive(Debug)]
pub struct TailnetUdpSocket {
    conn: Conn, // dropped before `socket`, as in TailnetStream
    socket: UnixDatagram,
    node: Arc<Node>,
    local: SocketAddr,
    peer: Option<SocketAddr>,
    /// The address that was found in the tailnet last, so that a run of datagrams asks once.
    checked: Mutex<Option<IpAddr>>,
    readers: Wakers,
    writers: Wakers,
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
        Ok(TailnetUdpSocket {
            conn,
            socket,
            node,
            local,
            peer,
            checked: Mutex::default(),
            readers: Wakers::default(),
            writers: Wakers::default(),
        })
    }

    /// Where it is bound: an address of the node's own, `0.0.0.0` for its IPv4 address, or `::` for all of them.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Whom it is connected to.
    #[must_use]
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Sends one datagram, and gives its length.
    ///
    /// Cancel safe: it is sent as a whole or not at all.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when it is larger than [`MAX_IPV4`](Self::MAX_IPV4) or
    /// [`MAX_IPV6`](Self::MAX_IPV6), or the address is of a family in which the socket does not send;
    /// [`ConnectError::NotInTailnet`] inside an error of the kind of [`ConnectError`]'s for every address that the tailnet
    /// does not have; nothing is sent then. That nobody is there is no error, as datagrams go.
    pub async fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        // Not by the polls: the place of a task that waits there outlives a future that is dropped.
        loop {
            self.writable().await?;
            match self.try_send_to(datagram, to) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                sent => return sent,
            }
        }
    }

    /// As [`send_to`](Self::send_to), for a task that polls.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to).
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_send_ready(cx))?;
            match self.try_send_to(datagram, to) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                sent => return Poll::Ready(sent),
            }
        }
    }

    /// As [`send_to`](Self::send_to), without waiting for room.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and [`io::ErrorKind::WouldBlock`] when there is no room.
    pub fn try_send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        let ip = self.destination(to)?;
        let max = if ip.is_ipv4() { Self::MAX_IPV4 } else { Self::MAX_IPV6 };
        if datagram.len() > max {
            return Err(invalid(format!(
                "a datagram of {} bytes is too large for the tailnet: {max} at the most",
                datagram.len()
            )));
        }
        self.check(ip, to.port())?;
        let mut message = [0; HEADER + Self::MAX_IPV4];
        let message = &mut message[..HEADER + datagram.len()];
        message[..16].copy_from_slice(&mapped(ip).octets());
        message[16..HEADER].copy_from_slice(&to.port().to_be_bytes());
        message[HEADER..].copy_from_slice(datagram);
        match self.socket.try_send(message) {
            Ok(_) => Ok(datagram.len()),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(e),
            Err(e) => Err(self.cause(e)),
        }
    }

    /// Receives one datagram, and who has sent it. What does not fit into `buf` is cut off.
    ///
    /// Cancel safe: no datagram is lost.
    ///
    /// # Errors
    /// [`io::ErrorKind::ConnectionAborted`] once the node is closed.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            self.readable().await?;
            match self.try_recv_from(buf) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                received => return received,
            }
        }
    }

    /// As [`recv_from`](Self::recv_from), for a task that polls: the datagram is appended to `buf`.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from).
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        loop {
            ready!(self.poll_recv_ready(cx))?;
            match self.try_recv_from(buf.initialize_unfilled()) {
                Ok((len, from)) => {
                    buf.advance(len);
                    return Poll::Ready(Ok(from));
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Poll::Ready(Err(e)),
            }
        }
    }

    /// As [`recv_from`](Self::recv_from), without waiting for a datagram.
    ///
    /// # Errors
    /// As [`recv_from`](Self::recv_from), and [`io::ErrorKind::WouldBlock`] when there is none.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let mut message = [0; HEADER + 1500];
        let mut large; // only a datagram that came in fragments is larger
        let message: &mut [u8] = if buf.len() <= 1500 {
            &mut message[..HEADER + buf.len()]
        } else {
            large = vec![0; HEADER + buf.len().min(usize::from(u16::MAX))];
            &mut large
        };
        loop {
            let len = match self.socket.try_recv(message) {
                Ok(len) if len >= HEADER => len,
                Ok(_) => return Err(self.ended()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(e),
                Err(e) => return Err(self.cause(e)),
            };
            let from = self.sender(message);
            if self.peer.is_some_and(|peer| peer != from) {
                continue;
            }
            buf[..len - HEADER].copy_from_slice(&message[HEADER..len]);
            return Ok((len - HEADER, from));
        }
    }

    /// Sends one datagram to the address that the socket is connected to, and gives its length. Cancel safe.
    ///
    /// # Errors
    /// As [`send_to`](Self::send_to), and [`io::ErrorKind::NotConnected`] when it is connected to none.
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
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

    /// Waits until there may be room to send. Cancel safe.
    ///
    /// # Errors
    /// When the runtime is shutting down.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    /// Waits until there may be a datagram. Cancel safe.
    ///
    /// # Errors
    /// When the runtime is shutting down.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// As [`writable`](Self::writable), for a task that polls. After [`io::ErrorKind::WouldBlock`] it is pending until
    /// there is room.
    ///
    /// # Errors
    /// As [`writable`](Self::writable).
    pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writers.poll(cx, |cx| self.socket.poll_send_ready(cx))
    }

    /// As [`readable`](Self::readable), for a task that polls. After [`io::ErrorKind::WouldBlock`] it is pending until
    /// there is a datagram.
    ///
    /// # Errors
    /// As [`readable`](Self::readable).
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.readers.poll(cx, |cx| self.socket.poll_recv_ready(cx))
    }

    /// The address as the network has it, if the socket sends to its family.
    fn destination(&self, to: SocketAddr) -> io::Result<IpAddr> {
        let ip = to.ip().to_canonical();
        let sends = match self.local.ip() {
            IpAddr::V4(_) => to.is_ipv4(),
            IpAddr::V6(local) => local.is_unspecified() || ip.is_ipv6(),
        };
        if sends {
            return Ok(ip);
        }
        let other = if self.local.is_ipv4() { "IPv4" } else { "IPv6" };
        Err(invalid(format!("the socket on {} sends to {other} addresses only, and not to {to}", self.local)))
    }

    /// Who has sent the message, whose header is there.
    fn sender(&self, message: &[u8]) -> SocketAddr {
        let mut ip = [0; 16];
        ip.copy_from_slice(&message[..16]);
        let port = u16::from_be_bytes([message[16], message[17]]);
        let ip = IpAddr::V6(Ipv6Addr::from(ip));
        SocketAddr::new(if self.local.is_ipv4() { ip.to_canonical() } else { ip }, port)
    }

    /// Fails unless the tailnet has the address.
    fn check(&self, ip: IpAddr, port: u16) -> io::Result<()> {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if *checked == Some(ip) {
            return Ok(());
        }
        let addr = Address::new(&ip.to_string(), port).map_err(|e| invalid(e.to_string()))?;
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

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}
