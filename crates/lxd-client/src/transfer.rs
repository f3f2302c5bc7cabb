//! Long bodies, streamed in both directions: never whole in memory.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::io::ReaderStream;

use crate::client::Body;
use crate::connect::BoxError;
use crate::request::Request;
use crate::{Client, Error};

/// How much is read of a source at once.
const PIECE: usize = 128 << 10;

/// What a server sends, as a stream of bytes: `AsyncRead`, and `Stream` of the pieces as they come. It has a
/// connection of its own; what is not read waits at the server. Dropping it ends it.
///
/// That the server is silent for as long as a request may take is an error, and so is an early end.
pub struct Download {
    body: Incoming,
    headers: HeaderMap,
    piece: Bytes,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("length", &self.length()).finish_non_exhaustive()
    }
}

impl Download {
    pub(crate) async fn begin(request: Request) -> Result<Download, Error> {
        let client: Client = request.client().clone();
        let (head, body) = request.body().await?;
        Ok(Download::new(&client, head.headers, body))
    }

    pub(crate) fn new(client: &Client, headers: HeaderMap, body: Incoming) -> Download {
        let patience = client.timeout();
        let deadline = Box::pin(tokio::time::sleep(patience));
        Download { body, headers, piece: Bytes::new(), patience, deadline }
    }

    /// How long it is in bytes, where the server tells.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
    }

    /// The headers it came with.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// All of it, which must not be more than `limit` bytes.
    ///
    /// # Errors
    /// When it is more, or ends early.
    pub async fn bytes(mut self, limit: usize) -> io::Result<Bytes> {
        let mut all = Vec::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if all.len() + piece.len() > limit {
                return Err(io::Error::other(format!("more than {limit} bytes")));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.into())
    }
}

impl Stream for Download {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if !self.piece.is_empty() {
            return Poll::Ready(Some(Ok(std::mem::take(&mut self.piece))));
        }
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let until = Instant::now() + self.patience;
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
        if self.piece.is_empty() {
            match ready!(self.as_mut().poll_next(cx)) {
                Some(piece) => self.piece = piece?,
                None => return Poll::Ready(Ok(())),
            }
        }
        let length = self.piece.len().min(buf.remaining());
        buf.put_slice(&self.piece[..length]);
        self.piece.advance(length);
        Poll::Ready(Ok(()))
    }
}

/// Has a request send all that `source` gives. It has no deadline, since nobody knows how long that is; a
/// link that is dead breaks it.
pub(crate) fn upload(request: Request, source: impl AsyncRead + Send + 'static) -> Request {
    request.stream(body_of(source)).no_timeout()
}

pub(crate) fn body_of(source: impl AsyncRead + Send + 'static) -> Body {
    let pieces = ReaderStream::with_capacity(source, PIECE);
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data).map_err(BoxError::from))).boxed_unsync()
}
