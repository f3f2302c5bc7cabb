use std::io;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use crate::error::stream_error;
use crate::ffi::{Conn, RawStream};

/// A TCP stream to another node of the tailnet.
///
/// Shutting down the writing side sends the peer an end of file and leaves the reading side open, and the
/// other way round. Dropping the stream closes it: what was written is still delivered (for up to a
/// minute) unless the node closes first. A connection that the peer has reset reads as
/// [`io::ErrorKind::ConnectionReset`], never as an end of file.
///
/// Reading and writing are cancel safe as [`tokio::net::TcpStream`]'s are.
#[derive(Debug)]
pub struct TailnetStream {
    conn: Conn, // first: it says that the stream closes before `socket` does so
    socket: UnixStream,
    local: SocketAddr,
    peer: SocketAddr,
}

impl TailnetStream {
    pub(crate) fn new(raw: RawStream) -> io::Result<TailnetStream> {
        let RawStream { conn, fd, local, remote } = raw;
        let (Some(local), Some(peer)) = (local, remote) else {
            return Err(io::Error::other("the node gave no address for the stream"));
        };
        let socket = UnixStream::from_std(StdUnixStream::from(fd))?; // Go made it non-blocking
        Ok(TailnetStream { conn, socket, local, peer })
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

    /// What the network says of the stream, which the socket pair cannot: `error` unless it broke.
    fn cause(&self, error: io::Error) -> io::Error {
        stream_error(self.conn.error()).unwrap_or(error)
    }
}

impl AsyncRead for TailnetStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let had_room = buf.remaining() > 0;
        match Pin::new(&mut self.socket).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if had_room && buf.filled().len() == before => {
                Poll::Ready(stream_error(self.conn.error()).map_or(Ok(()), Err))
            }
            Poll::Ready(Err(e)) => Poll::Ready(Err(self.cause(e))),
            other => other,
        }
    }
}

impl AsyncWrite for TailnetStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write(cx, buf);
        result.map_err(|e| self.cause(e))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        result.map_err(|e| self.cause(e))
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

impl Connection for TailnetStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
