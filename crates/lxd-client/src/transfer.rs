//! Long bodies, streamed in both directions: never whole in memory.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::{Body as _, Frame, Incoming};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep};
use tokio_util::io::ReaderStream;

use crate::Client;
use crate::client::Body;
use crate::connect::BoxError;
use crate::pieces::Pieces;

/// How much is read of a source at once.
const PIECE: usize = 128 << 10;

/// What a server sends, as a stream of bytes: `AsyncRead`, and `Stream` of the pieces as they come. It has a
/// connection of its own; what is not read waits at the server. Dropping it ends it.
///
/// That the server is silent for as long as a request may take is an error, and so is an early end.
pub struct Download {
    headers: HeaderMap,
    pieces: Pieces<Arriving>,
}

/// A body as it comes.
struct Arriving {
    body: Incoming,
    patience: Duration,
    deadline: Pin<Box<Sleep>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("length", &self.length()).finish_non_exhaustive()
    }
}

impl Download {
    pub(crate) fn new(client: &Client, headers: HeaderMap, body: Incoming) -> Download {
        let patience = client.timeout();
        let deadline = Box::pin(tokio::time::sleep(patience));
        Download { headers, pieces: Pieces::new(Arriving { body, patience, deadline }) }
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
        Pin::new(&mut self.pieces).poll_next(cx)
    }
}

impl Stream for Arriving {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
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
        Pin::new(&mut self.pieces).poll_read(cx, buf)
    }
}

/// All that `source` gives, as it is read.
pub(crate) fn body_of(source: impl AsyncRead + Send + 'static) -> Body {
    let pieces = ReaderStream::with_capacity(source, PIECE);
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data).map_err(BoxError::from))).boxed_unsync()
}

/// What is no longer than this is sent by the connection that all requests share: it fits the window that servers give
/// a body there, and spares the round trips of another connection.
pub(crate) const SHORT: usize = 1 << 20;

/// A body whose begin has been read.
pub(crate) enum Begun {
    /// All of it.
    Short(Bytes),
    Long(Body),
}

/// Reads a body until it has ended, or is known to be long.
pub(crate) async fn begin(mut body: Body) -> Result<Begun, BoxError> {
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut length = 0;
    while length <= SHORT {
        let Some(frame) = body.frame().await else { return Ok(Begun::Short(pieces.concat().into())) };
        if let Ok(piece) = frame?.into_data() {
            length += piece.len();
            pieces.push(piece);
        }
    }
    let begin = futures_util::stream::iter(pieces).map(|piece| Ok(Frame::data(piece)));
    Ok(Begun::Long(StreamBody::new(begin.chain(BodyStream::new(body))).boxed_unsync()))
}

/// Tells how an upload goes on.
#[derive(Debug, Default)]
pub(crate) struct Uploading(Mutex<Phase>);

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    /// The server can have more, and the source has none yet.
    #[default]
    Source,
    /// The server has taken a piece and not asked for the next, since then.
    Server(Option<Instant>),
    /// All was taken then, and the answer is to come.
    Answer(Option<Instant>),
}

/// How much longer than a piece the answer to an upload may take: the server writes it to its disk, and may sort it.
const SORTING: u32 = 10;

impl Uploading {
    /// A body that tells here how it goes on.
    pub(crate) fn watch(self: &Arc<Uploading>, body: Body) -> Body {
        Watched { body, uploading: Arc::clone(self) }.boxed_unsync()
    }

    fn set(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// Ends when the server has not gone on for so long.
    pub(crate) async fn stalled(&self, patience: Duration) {
        loop {
            let phase = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let until = match phase {
                Phase::Source => Instant::now() + patience,
                Phase::Server(since) => since.unwrap_or_else(Instant::now) + patience,
                Phase::Answer(since) => since.unwrap_or_else(Instant::now) + patience * SORTING,
            };
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

struct Watched {
    body: Body,
    uploading: Arc<Uploading>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        let now = Some(Instant::now());
        self.uploading.set(match &polled {
            Poll::Pending => Phase::Source,
            Poll::Ready(Some(_)) => Phase::Server(now),
            Poll::Ready(None) => Phase::Answer(now),
        });
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        self.body.size_hint()
    }
}

/// A source whose bytes are counted as they are read, for progress; from [`with_progress`].
#[derive(Debug)]
pub struct WithProgress<R, F> {
    source: R,
    read: u64,
    tell: F,
}

/// Has `tell` be called with how many bytes were read of a source so far: for what is sent to a server, such as by
/// [`Client::import_image`] and [`Files::write`](crate::Files::write), and for a [`Download`].
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let archive = tokio::fs::File::open("backup.tar.gz").await?;
/// let archive = lxd_client::with_progress(archive, |bytes| println!("{bytes} bytes"));
/// client.import_instance(archive, Some("c2"), None).await?.wait().await?;
/// # Ok(())
/// # }
/// ```
pub fn with_progress<R: AsyncRead, F: FnMut(u64)>(source: R, tell: F) -> WithProgress<R, F> {
    WithProgress { source, read: 0, tell }
}

impl<R: AsyncRead + Unpin, F: FnMut(u64) + Unpin> AsyncRead for WithProgress<R, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.source).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            let this = &mut *self;
            this.read += read as u64;
            (this.tell)(this.read);
        }
        polled
    }
}
