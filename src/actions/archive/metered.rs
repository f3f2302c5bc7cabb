//! A bound to what is read of an archive at once. Long names come whole into memory, however long the archive says that they are.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// How much may be read. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter(Arc<AtomicU64>);

impl Meter {
    /// Lets so many bytes be read from now on.
    pub(super) fn allow(&self, bytes: u64) {
        self.0.store(bytes, Ordering::Relaxed);
    }
}

/// A source of which no more is read than its meter allows.
pub(super) struct Metered<R> {
    pub(super) source: R,
    pub(super) meter: Meter,
}

impl<R: AsyncRead + Unpin> AsyncRead for Metered<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.source).poll_read(cx, buf);
        let read = (buf.filled().len() - before) as u64;
        let left = self.meter.0.load(Ordering::Relaxed);
        match left.checked_sub(read) {
            Some(left) => self.meter.allow(left),
            None => return Poll::Ready(Err(io::Error::other("a name in the archive is too long"))),
        }
        polled
    }
}
