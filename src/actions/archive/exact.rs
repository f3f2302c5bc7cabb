//! A file of an instance that is as long as was said.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// Reads so many bytes of a file: what it has gained meanwhile is left out, and it fails where the file has become shorter.
/// Its errors name the file.
pub(crate) struct Exact<R> {
    source: R,
    left: u64,
    name: String,
}

impl<R> Exact<R> {
    pub(crate) fn new(name: impl Into<String>, source: R, length: u64) -> Exact<R> {
        Exact { source, left: length, name: name.into() }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Exact<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.remaining());
        if most == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(most));
        let read = ready!(Pin::new(&mut self.source).poll_read(cx, &mut part));
        let length = part.filled().len();
        let failed = match read {
            Ok(()) if length > 0 => {
                buf.advance(length);
                self.left -= length as u64;
                return Poll::Ready(Ok(()));
            }
            Ok(()) => "it became shorter while it was read".to_owned(),
            Err(error) => error.to_string(),
        };
        Poll::Ready(Err(io::Error::other(format!("{}: {failed}", self.name))))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_file_that_grows_is_cut_and_one_that_shrinks_is_an_error() {
        let mut read = Vec::new();
        Exact::new("log", &b"abcdef"[..], 4).read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"abcd");
        let error = Exact::new("log", &b"abc"[..], 4).read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.to_string(), "log: it became shorter while it was read");
    }
}
