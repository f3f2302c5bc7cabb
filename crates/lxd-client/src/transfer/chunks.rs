//! A stream of chunks that is also a stream of bytes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use tokio::io::{AsyncRead, ReadBuf};

/// A stream of chunks that can be read as bytes, too. What a read leaves of a chunk is the next chunk.
#[derive(Debug)]
pub(crate) struct Chunks<S> {
    pub(crate) source: S,
    left: Bytes,
}

impl<S> Chunks<S> {
    pub(crate) fn new(source: S) -> Chunks<S> {
        Chunks { source, left: Bytes::new() }
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for Chunks<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !self.left.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.left))));
        }
        Pin::new(&mut self.source).poll_next(cx)
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> AsyncRead for Chunks<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(chunk) = ready!(self.as_mut().poll_next(cx)) else { return Poll::Ready(Ok(())) };
        let mut chunk = chunk?;
        let length = chunk.len().min(buf.remaining());
        buf.put_slice(&chunk[..length]);
        chunk.advance(length);
        self.left = chunk;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn what_a_read_leaves_of_a_chunk_comes_next() {
        let source = futures_util::stream::iter([&b"abc"[..], b"def"].map(|chunk| Ok(Bytes::from(chunk))));
        let mut chunks = Chunks::new(source);
        let mut two = [0; 2];
        chunks.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"ab");
        assert_eq!(chunks.next().await.unwrap().unwrap(), "c");
        let mut rest = String::new();
        chunks.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "def");
    }
}
