//! Whether a body is short enough for the connection that all requests share. That spares a dedicated connection its
//! round trips, while the window of a shared one would slow a long body down.

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, BodyStream, StreamBody};
use hyper::body::Frame;

use crate::transport::{Body, BoxError};

/// The length up to which a body is short: servers give a body on the shared connection a window of this size.
const SHORT: usize = 1 << 20;

/// A body whose first bytes have been read.
pub(crate) enum Sniffed {
    /// The whole body. It can be sent twice.
    Short(Bytes),
    /// The whole body as a stream, of which the first bytes are in memory.
    Long(Body),
}

/// Reads the first bytes of a body, to learn whether it is short.
pub(crate) async fn sniff(mut body: Body) -> Result<Sniffed, BoxError> {
    let mut chunks: Vec<Bytes> = Vec::new();
    let mut length = 0;
    while length <= SHORT {
        let Some(frame) = body.frame().await else { return Ok(Sniffed::Short(chunks.concat().into())) };
        if let Ok(chunk) = frame?.into_data() {
            length += chunk.len();
            chunks.push(chunk);
        }
    }
    let read = futures_util::stream::iter(chunks).map(|chunk| Ok(Frame::data(chunk)));
    Ok(Sniffed::Long(StreamBody::new(read.chain(BodyStream::new(body))).boxed_unsync()))
}
