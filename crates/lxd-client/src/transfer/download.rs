//! What a server sends, with a deadline for its silence.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};
use hyper::body::{Body as _, Incoming};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Chunks;

/// What a server sends: a stream of bytes (`AsyncRead`), and of chunks as they come (`Stream`). It has a dedicated
/// connection, so that what is not read waits at the server. Dropping it ends the transfer.
///
/// It fails when the server is silent for longer than the client's timeout, and when it ends early.
pub struct Download {
    headers: HeaderMap,
    chunks: Chunks<TimedBody>,
}

/// A body as it comes.
struct TimedBody {
    body: Incoming,
    timeout: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("length", &self.length()).finish_non_exhaustive()
    }
}

impl Download {
    /// The server may be silent for `timeout`.
    pub(crate) fn new(timeout: Duration, headers: HeaderMap, body: Incoming) -> Download {
        let deadline = Box::pin(tokio::time::sleep(timeout));
        Download { headers, chunks: Chunks::new(TimedBody { body, timeout, deadline }) }
    }

    /// Its length in bytes, when the server tells it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The headers it came with.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Reads all of it, up to `limit` bytes.
    ///
    /// # Errors
    /// When it is more, or ends early.
    pub async fn bytes(mut self, limit: usize) -> io::Result<Bytes> {
        let mut all = Vec::new();
        while let Some(chunk) = self.next().await {
            let chunk = chunk?;
            if all.len() + chunk.len() > limit {
                return Err(io::Error::other(format!("more than {limit} bytes")));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.into())
    }
}

impl Stream for Download {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Pin::new(&mut self.chunks).poll_next(cx)
    }
}

impl Stream for TimedBody {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let until = Instant::now() + self.timeout;
                    self.deadline.as_mut().reset(until);
                    match frame.into_data() {
                        Ok(data) if !data.is_empty() => return Poll::Ready(Some(Ok(data))),
                        _ => {}
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, error))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    ready!(self.deadline.as_mut().poll(cx));
                    let silent = "the server is silent in the middle of an answer";
                    return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, silent))));
                }
            }
        }
    }
}

impl AsyncRead for Download {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.chunks).poll_read(cx, buf)
    }
}
