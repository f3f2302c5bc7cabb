//! The rest of a request's body, which the server has not read when it answers.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::sync::oneshot;

use crate::transport::{Body, BoxError};

/// How much of it is read, as Go's server does: that costs less than a new connection.
const MOST: usize = 256 << 10;

/// How long reading it may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes a body to send on, which gives back what it leaves.
pub(super) fn lend(body: Incoming) -> (Body, Rest) {
    let (back, rest) = oneshot::channel();
    (Lent { body: Some(body), back: Some(back) }.boxed_unsync(), Rest(rest))
}

/// What a [`Lent`] body leaves.
pub(super) struct Rest(oneshot::Receiver<Incoming>);

impl Rest {
    /// Reads the body to its end once nobody else reads it. Gives whether it got there: the connection can carry the next
    /// request then.
    pub(super) async fn read_to_end(self) -> bool {
        let read = async {
            let Ok(mut body) = self.0.await else { return true };
            let mut left = MOST;
            while let Some(frame) = body.frame().await {
                let length = frame.map(|frame| frame.data_ref().map_or(0, Bytes::len));
                match length.ok().and_then(|length| left.checked_sub(length)) {
                    Some(less) => left = less,
                    None => return false,
                }
            }
            true
        };
        tokio::time::timeout(TIMEOUT, read).await.unwrap_or(false)
    }
}

/// A body that goes back when it is dropped before its end.
struct Lent {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            let _ = back.send(body);
        }
    }
}

impl hyper::body::Body for Lent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled.map_err(BoxError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), hyper::body::Body::size_hint)
    }
}
