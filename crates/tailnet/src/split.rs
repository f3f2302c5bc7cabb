use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix;

use crate::ffi::Conn;
use crate::stream::{read_outcome, with_cause};

/// The reading half of a stream, from [`TailnetStream::into_split`](crate::TailnetStream::into_split).
#[derive(Debug)]
pub struct OwnedReadHalf {
    pub(crate) conn: Arc<Conn>, // first: as in TailnetStream
    pub(crate) socket: unix::OwnedReadHalf,
}

/// The writing half of a stream, from [`TailnetStream::into_split`](crate::TailnetStream::into_split). Dropping it sends
/// the peer an end of file.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    pub(crate) conn: Arc<Conn>,
    pub(crate) socket: unix::OwnedWriteHalf,
}

impl AsyncRead for OwnedReadHalf {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (before, room) = (buf.filled().len(), buf.remaining() > 0);
        let polled = Pin::new(&mut self.socket).poll_read(cx, buf);
        read_outcome(polled, room && buf.filled().len() == before, &self.conn)
    }
}

impl AsyncWrite for OwnedWriteHalf {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
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
