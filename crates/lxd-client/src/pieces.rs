use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::Stream;
use tokio::io::{AsyncRead, ReadBuf};

/// A stream of pieces that can be read as bytes too: what is left of a piece then is the next one.
#[derive(Debug)]
pub(crate) struct Pieces<S> {
    pub(crate) source: S,
    left: Bytes,
}

impl<S> Pieces<S> {
    pub(crate) fn new(source: S) -> Pieces<S> {
        Pieces { source, left: Bytes::new() }
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for Pieces<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !self.left.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.left))));
        }
        Pin::new(&mut self.source).poll_next(cx)
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> AsyncRead for Pieces<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some(piece) = ready!(self.as_mut().poll_next(cx)) else { return Poll::Ready(Ok(())) };
        let mut piece = piece?;
        let length = piece.len().min(buf.remaining());
        buf.put_slice(&piece[..length]);
        piece.advance(length);
        self.left = piece;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn what_a_read_leaves_of_a_piece_comes_next() {
        let source = futures_util::stream::iter([&b"abc"[..], b"def"].map(|piece| Ok(Bytes::from(piece))));
        let mut pieces = Pieces::new(source);
        let mut two = [0; 2];
        pieces.read_exact(&mut two).await.unwrap();
        assert_eq!(&two, b"ab");
        assert_eq!(pieces.next().await.unwrap().unwrap(), "c");
        let mut rest = String::new();
        pieces.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "def");
    }
}
