//! Large reads from the caller's stream, and whether it has carried an answer.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};

use super::connect::Io;

/// The caller's stream, read in large parts: rustls reads 4 KiB at a time, and each of its reads would be a system call.
pub(crate) struct ReadAhead {
    io: Box<dyn Io>,
    used: Used,
    /// Its part at `left` was read ahead.
    buffer: Vec<u8>,
    left: Range<usize>,
}

/// How much is read at once, at first and at most. It grows while a read fills it, so that a connection that carries
/// little takes little memory.
const READ_AT_ONCE: Range<usize> = 8 << 10..128 << 10;

impl ReadAhead {
    pub(super) fn new(io: impl Io) -> ReadAhead {
        ReadAhead { io: Box::new(io), used: Used::default(), buffer: Vec::new(), left: 0..0 }
    }
}

/// Whether a connection has carried an answer. When it has, and the next request breaks, it was probably dead in the pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used(Arc<AtomicBool>);

impl Used {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Read for ReadAhead {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.left.is_empty() {
            if buf.remaining() >= READ_AT_ONCE.end {
                return Pin::new(&mut this.io).poll_read(cx, buf);
            }
            if this.buffer.is_empty() {
                this.buffer.resize(READ_AT_ONCE.start, 0);
            } else if this.left.end == this.buffer.len() && this.buffer.len() < READ_AT_ONCE.end {
                this.buffer.resize(2 * this.buffer.len(), 0);
            }
            let mut read = ReadBuf::new(&mut this.buffer);
            ready!(Pin::new(&mut this.io).poll_read(cx, read.unfilled()))?;
            this.left = 0..read.filled().len();
        }
        let length = this.left.len().min(buf.remaining());
        buf.put_slice(&this.buffer[this.left.start..this.left.start + length]);
        this.left.start += length;
        Poll::Ready(Ok(()))
    }
}

impl Write for ReadAhead {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Connection for ReadAhead {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.used.clone())
    }
}
