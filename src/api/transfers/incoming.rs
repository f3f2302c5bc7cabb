//! What a caller sends.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use futures_util::TryStreamExt;
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};
use tokio_io_timeout::TimeoutReader;
use tokio_util::io::StreamReader;

use super::{IDLE, ending};
use crate::actions::{ActionError, Source};
use crate::api::problem::{Code, Problem};

/// How long what is of no use any more is taken.
const LINGER: Duration = Duration::from_secs(5);

/// How many bytes of an archive tell what it is.
const BEGIN: u64 = 512;

type Reader = Pin<Box<dyn AsyncRead + Send>>;

/// A body as it comes. It fails when nothing comes for too long, and when the caller goes away.
pub(in crate::api) struct Incoming {
    reader: Arc<Mutex<Reader>>,
    /// How long the caller says that it is.
    length: Option<u64>,
    cause: Cause,
}

/// Why a body has failed, if it has: what a cloud makes of the half of a file says less.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Cause(Arc<OnceLock<Problem>>);

impl Cause {
    /// The problem, or this one where the body is not what has failed.
    pub(in crate::api) fn or(&self, other: Problem) -> Problem {
        self.0.get().cloned().unwrap_or(other)
    }
}

impl Incoming {
    pub(in crate::api) fn new(body: Body) -> Incoming {
        let length = body.size_hint().exact();
        let mut reader =
            TimeoutReader::new(StreamReader::new(body.into_data_stream().map_err(io::Error::other)));
        reader.set_timeout(Some(IDLE));
        Incoming { reader: Arc::new(Mutex::new(Box::pin(reader))), length, cause: Cause::default() }
    }

    /// What nobody reads of it.
    pub(in crate::api) fn rest(&self) -> Rest {
        Rest(Incoming { reader: Arc::clone(&self.reader), length: None, cause: Cause::default() })
    }

    /// For what is sent on to a cloud.
    pub(in crate::api) fn source(self) -> Source {
        let length = self.length;
        Source::new("the body", self).with_length(length)
    }

    /// The same where it begins as the archives do that servers make: what they say of anything else says little.
    pub(in crate::api) async fn archive(mut self) -> Result<Source, ActionError> {
        let mut begin = Vec::new();
        // What has failed is told by the cause.
        let read = (&mut self).take(BEGIN).read_to_end(&mut begin).await;
        read.map_err(|error| ActionError::Refused(error.to_string()))?;
        if ending(&begin).is_empty() {
            return Err(ActionError::Refused("the body is no archive, which a backup is".to_owned()));
        }
        let length = self.length;
        Ok(Source::new("the body", io::Cursor::new(begin).chain(self)).with_length(length))
    }

    pub(in crate::api) fn cause(&self) -> Cause {
        self.cause.clone()
    }
}

/// What nobody reads of a body.
pub(in crate::api) struct Rest(Incoming);

impl Rest {
    /// Takes what comes for some seconds more. A caller that is still sending hears the answer then, and not only that its
    /// connection is cut.
    pub(in crate::api) async fn discard(mut self) {
        let _ = tokio::time::timeout(LINGER, tokio::io::copy(&mut self.0, &mut tokio::io::sink())).await;
    }
}

impl AsyncRead for Incoming {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let polled = reader.as_mut().poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &polled {
            let problem = match error.kind() {
                io::ErrorKind::TimedOut => {
                    Problem::new(Code::Idle, format!("nothing came for {} s", IDLE.as_secs()))
                }
                _ => Problem::new(Code::Cancelled, format!("it was cut off: {error}")),
            };
            let _ = self.cause.0.set(problem); // the first one counts
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Bytes;
    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn what_is_no_archive_is_refused_and_one_goes_on_whole() {
        let whole = [&b"\x1f\x8b\x08"[..], &[7; 2000]].concat();
        assert!(Incoming::new(Body::from(whole)).archive().await.is_ok());
        for rubbish in [&b"[]"[..], b"", &[0; 600]] {
            let refused = Incoming::new(Body::from(rubbish)).archive().await.err().unwrap();
            assert!(matches!(refused, ActionError::Refused(_)), "{refused}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_sends_nothing_for_a_minute_is_told_so() {
        let slow = stream::iter(0..3).then(|_| async {
            tokio::time::sleep(IDLE - std::time::Duration::from_secs(1)).await;
            Ok::<_, io::Error>(Bytes::from_static(b"abc"))
        });
        let mut incoming = Incoming::new(Body::from_stream(slow.chain(stream::pending())));
        let mut nine = [0; 9];
        incoming.read_exact(&mut nine).await.unwrap();
        assert_eq!(incoming.read(&mut nine).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        let problem = incoming.cause().or(Problem::new(Code::Failed, "the cloud's words"));
        assert_eq!((problem.code(), problem.detail()), (Code::Idle, "nothing came for 60 s"));
    }
}
