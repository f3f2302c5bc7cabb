//! A stream through the tailnet.

use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use crate::error::stream_error;
use crate::ffi::{Conn, Node, RawStream};
use crate::split::{OwnedReadHalf, OwnedWriteHalf};

/// A TCP stream to another node of the tailnet.
///
/// Shutting down the writing side sends the peer an end of file and leaves the reading side open, and the
/// other way round. Dropping the stream closes it: what was written is still delivered (for up to a
/// minute) unless the node closes first. An open stream keeps the node open, as a clone of
/// [`Tailnet`](crate::Tailnet) does: dropping the last of them closes the node. A connection that the peer has reset reads as
/// [`io::ErrorKind::ConnectionReset`], never as an end of file.
///
/// Reading and writing are cancel safe as [`tokio::net::TcpStream`]'s are.
#[derive(Debug)]
pub struct TailnetStream {
    conn: Conn, // dropped before `socket`: Go must learn that the stream closes before it reads the end of the socket
    socket: UnixStream,
    node: Arc<Node>, // keeps the node open; dropped last
    local: SocketAddr,
    peer: SocketAddr,
    alpn: Option<Box<str>>,
}

impl TailnetStream {
    pub(crate) fn new(raw: RawStream, node: Arc<Node>) -> io::Result<TailnetStream> {
        let RawStream { conn, fd, local, remote } = raw;
        let (Some(local), Some(peer)) = (local, remote) else {
            return Err(io::Error::other("the node gave no address for the stream"));
        };
        let socket = UnixStream::from_std(StdUnixStream::from(fd))?; // Go made it non-blocking
        Ok(TailnetStream { conn, socket, node, local, peer, alpn: None })
    }

    /// With the protocol that TLS agreed on, or an empty text.
    pub(crate) fn with_alpn(self, protocol: String) -> TailnetStream {
        TailnetStream { alpn: (!protocol.is_empty()).then(|| protocol.into()), ..self }
    }

    /// The node's own address and port of this stream.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The peer's address and port.
    #[must_use]
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// The protocol, such as `h2`, that an accepted stream's client and [`ListenOptions::alpn`](crate::ListenOptions::alpn)
    /// agreed on.
    #[must_use]
    pub fn alpn(&self) -> Option<&str> {
        self.alpn.as_deref()
    }

    /// Splits the stream into a half to read from and a half to write to, which can live in different tasks. Dropping
    /// the writing half sends the peer an end of file; the stream closes with the second half.
    #[must_use]
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        let conn = Arc::new(self.conn);
        let (read, write) = self.socket.into_split();
        (
            OwnedReadHalf { conn: conn.clone(), socket: read, _node: self.node.clone() },
            OwnedWriteHalf { conn, socket: write, _node: self.node },
        )
    }

    /// Has the network ask the peer for a sign of life once it was silent for `idle` (whole seconds, at least one), and
    /// then every third of that; after nine questions without an answer the stream breaks with
    /// [`io::ErrorKind::TimedOut`]. `None` asks never. Default: accepted streams ask after two hours, others never.
    ///
    /// # Errors
    /// When the stream has ended.
    pub fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        let seconds = idle.map_or(0, |idle| u32::try_from(idle.as_secs().max(1)).unwrap_or(u32::MAX));
        self.conn
            .keepalive(seconds)
            .map_err(|_| io::Error::new(io::ErrorKind::NotConnected, "the stream has ended"))
    }

    /// Ends the stream at once, without delivering what was written: the peer reads a reset.
    pub fn abort(self) {
        self.conn.abort();
    }
}

/// An operation that gives a stream or a packet socket ended without one, against its contract.
pub(crate) fn none() -> io::Error {
    io::Error::other("the node gave no stream")
}

/// Why the stream broke, as the network stack knows it; `error`, the socket pair's own, if it did not break.
fn with_cause(error: io::Error, conn: &Conn) -> io::Error {
    stream_error(conn.error()).unwrap_or(error)
}

/// The outcome of a read. A read of no bytes (`read_nothing`) means end of file, unless the stream broke.
fn read_outcome(polled: Poll<io::Result<()>>, read_nothing: bool, conn: &Conn) -> Poll<io::Result<()>> {
    match polled {
        Poll::Ready(Ok(())) if read_nothing => Poll::Ready(stream_error(conn.error()).map_or(Ok(()), Err)),
        Poll::Ready(Err(e)) => Poll::Ready(Err(with_cause(e, conn))),
        other => other,
    }
}

/// `AsyncRead` by a type's `socket`; errors come from its `conn`, if that has one.
macro_rules! async_read {
    ($bridged:ty) => {
        impl AsyncRead for $bridged {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let (before, has_space) = (buf.filled().len(), buf.remaining() > 0);
                let polled = Pin::new(&mut self.socket).poll_read(cx, buf);
                read_outcome(polled, has_space && buf.filled().len() == before, &self.conn)
            }
        }
    };
}

/// `AsyncWrite` by a type's `socket`; errors come from its `conn`, if that has one.
macro_rules! async_write {
    ($bridged:ty) => {
        impl AsyncWrite for $bridged {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                let result = Pin::new(&mut self.socket).poll_write(cx, buf);
                result.map_err(|e| with_cause(e, &self.conn))
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[io::IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let result = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
                result.map_err(|e| with_cause(e, &self.conn))
            }

            fn is_write_vectored(&self) -> bool {
                self.socket.is_write_vectored()
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.socket).poll_flush(cx)
            }

            fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Pin::new(&mut self.socket).poll_shutdown(cx)
            }
        }
    };
}

async_read!(TailnetStream);
async_write!(TailnetStream);
async_read!(OwnedReadHalf);
async_write!(OwnedWriteHalf);
