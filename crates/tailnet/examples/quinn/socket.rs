//! A socket of the tailnet's as quinn wants it.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, EndpointConfig, MtuDiscoveryConfig, ServerConfig, TransportConfig, UdpPoller};
use tailnet::TailnetUdpSocket;
use tokio::io::ReadBuf;

/// An endpoint on the socket; it takes connections if it has a configuration for them.
pub(crate) fn endpoint(
    socket: TailnetUdpSocket,
    server: Option<ServerConfig>,
) -> io::Result<quinn::Endpoint> {
    let socket = Arc::new(Socket(socket));
    let runtime = Arc::new(quinn::TokioRuntime);
    quinn::Endpoint::new_with_abstract_socket(EndpointConfig::default(), server, socket, runtime)
}

/// What to set for each connection: a search for the largest datagram that ends where the tailnet's end.
pub(crate) fn transport() -> TransportConfig {
    let mut mtu = MtuDiscoveryConfig::default();
    mtu.upper_bound(u16::try_from(TailnetUdpSocket::MAX_IPV6).unwrap_or(1200));
    let mut transport = TransportConfig::default();
    transport.mtu_discovery_config(Some(mtu));
    transport
}

#[derive(Debug)]
struct Socket(TailnetUdpSocket);

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable(self))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        match self.0.try_send_to(transmit.contents, transmit.destination) {
            Ok(_) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Err(e),
            // An error would end the connection without a word. To quinn's own sockets too, what is not sent is lost.
            Err(e) => {
                tracing::debug!("a datagram was not sent: {e}");
                Ok(())
            }
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(&mut bufs[0]);
        let addr = ready!(self.0.poll_recv_from(cx, &mut buf))?;
        let len = buf.filled().len();
        meta[0] = RecvMeta { addr, len, stride: len, ecn: None, dst_ip: None };
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.local_addr())
    }

    /// So that quinn looks for larger datagrams than 1200 bytes.
    fn may_fragment(&self) -> bool {
        false
    }
}

/// Each connection waits for room by one of its own.
#[derive(Debug)]
struct Writable(Arc<Socket>);

impl UdpPoller for Writable {
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.0.poll_send_ready(cx)
    }
}
