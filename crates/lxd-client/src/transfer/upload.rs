//! What is sent to a server, with a deadline for a server that stalls.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use tokio::io::AsyncRead;
use tokio::time::Instant;
use tokio_util::io::ReaderStream;

use crate::transport::{Body, BoxError};

/// How much is read of a source at once.
const CHUNK: usize = 128 << 10;

/// A body of everything that `source` gives, as it is read.
pub(crate) fn body_of(source: impl AsyncRead + Send + 'static) -> Body {
    let chunks = ReaderStream::with_capacity(source, CHUNK);
    StreamBody::new(chunks.map(|chunk| chunk.map(Frame::data).map_err(BoxError::from))).boxed_unsync()
}

/// How far an upload is, to tell a server that has stalled from a slow source.
#[derive(Debug, Default)]
pub(crate) struct Uploading(Mutex<Phase>);

#[derive(Clone, Copy, Debug, Default)]
enum Phase {
    /// The source is waited for.
    #[default]
    Source,
    /// The server took a chunk then, and is waited for to take the next.
    Server(Option<Instant>),
    /// The server took the last chunk then, and its answer is waited for.
    Answer(Option<Instant>),
}

/// How many times the timeout the answer to an upload may take: the server writes it to its disk, and may unpack it.
const ANSWER_FACTOR: u32 = 10;

impl Uploading {
    /// The same body, which records here how far it is.
    pub(crate) fn watch(self: &Arc<Uploading>, body: Body) -> Body {
        Watched { body, uploading: Arc::clone(self) }.boxed_unsync()
    }

    fn set(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    /// Ends when the server has taken nothing for `timeout`.
    pub(crate) async fn stalled(&self, timeout: Duration) {
        loop {
            let phase = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let until = match phase {
                Phase::Source => Instant::now() + timeout,
                Phase::Server(since) => since.unwrap_or_else(Instant::now) + timeout,
                Phase::Answer(since) => since.unwrap_or_else(Instant::now) + timeout * ANSWER_FACTOR,
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
