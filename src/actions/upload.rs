//! What is sent to a cloud: a source whose bytes are counted, and a request that can be cancelled until all of it is sent.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use lxd_client::{Error, Operation, with_progress};
use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::{ActionError, Job};

/// What is to be sent.
pub(crate) struct Source {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    length: Option<u64>,
    /// What it is called in errors, such as its path.
    name: String,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, reader: impl AsyncRead + Send + 'static) -> Source {
        Source { reader: Box::pin(reader), length: None, name: name.into() }
    }

    /// A file of this machine.
    pub(crate) async fn file(path: &Path) -> Result<Source, ActionError> {
        let failed = |source| Error::Local { message: format!("cannot read {}", path.display()), source };
        let file = tokio::fs::File::open(path).await.map_err(failed)?;
        let about = file.metadata().await.map_err(failed)?;
        if about.is_dir() {
            return Err(ActionError::Refused(format!("{} is a folder", path.display())));
        }
        let length = about.is_file().then_some(about.len());
        Ok(Source { length, ..Source::new(path.display().to_string(), file) })
    }

    /// The same, which is this long.
    pub(crate) fn with_length(self, length: Option<u64>) -> Source {
        Source { length, ..self }
    }

    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Whether it begins with these bytes, which are then read again.
    pub(crate) async fn begins_with(&mut self, wanted: &[u8]) -> Result<bool, ActionError> {
        let mut begin = Vec::new();
        let mut first = (&mut self.reader).take(wanted.len() as u64);
        let failed = |source| Error::Local { message: format!("cannot read {}", self.name), source };
        first.read_to_end(&mut begin).await.map_err(failed)?;
        let begins = begin == wanted;
        let rest = std::mem::replace(&mut self.reader, Box::pin(tokio::io::empty()));
        self.reader = Box::pin(io::Cursor::new(begin).chain(rest));
        Ok(begins)
    }

    /// The bytes for a request; the job learns how many have been read.
    pub(crate) fn sending(self, job: &Job) -> (impl AsyncRead + Send + Unpin + 'static, Sent) {
        let (job, length) = (job.clone(), self.length);
        let (reader, sent) = self.watched();
        (with_progress(reader, move |bytes| job.moved(bytes, length)), sent)
    }

    /// The bytes for a request, which are not counted.
    pub(crate) fn watched(self) -> (impl AsyncRead + Send + Unpin + 'static, Sent) {
        let sent = Sent { name: self.name, all: Arc::default(), failed: Arc::default() };
        let reader =
            Watched { reader: self.reader, all: Arc::clone(&sent.all), failed: Arc::clone(&sent.failed) };
        (reader, sent)
    }
}

/// How far a source has been read.
pub(crate) struct Sent {
    name: String,
    all: Arc<AtomicBool>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

impl Sent {
    /// Why it could not be read to its end, if it could not. It is told once.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Awaits the request that sends it. A job that is cancelled before all is sent ends it at once, and the server throws
    /// away what it has. Later its answer is awaited, since it may have begun.
    ///
    /// A source that fails is the error then, and not what the server makes of that.
    pub(crate) async fn through(
        &self,
        request: impl Future<Output = Result<Operation, Error>>,
        job: &Job,
    ) -> Result<Operation, ActionError> {
        let mut request = std::pin::pin!(request);
        let outcome = tokio::select! {
            biased;
            outcome = &mut request => outcome,
            () = job.cancelled() => {
                if !self.all.load(Ordering::Relaxed) {
                    return Err(ActionError::Cancelled(Default::default()));
                }
                request.await
            }
        };
        match (outcome, self.failure()) {
            (Err(_), Some(source)) => {
                Err(Error::Local { message: format!("cannot read {}", self.name), source }.into())
            }
            (outcome, _) => Ok(outcome?),
        }
    }
}

/// A reader that remembers its end, and its error.
struct Watched {
    reader: Pin<Box<dyn AsyncRead + Send>>,
    all: Arc<AtomicBool>,
    failed: Arc<Mutex<Option<io::Error>>>,
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = self.reader.as_mut().poll_read(cx, buf);
        match polled {
            Poll::Ready(Ok(())) if buf.filled().len() == before => {
                self.all.store(true, Ordering::Relaxed);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => {
                let passed_on = io::Error::new(error.kind(), error.to_string());
                *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                Poll::Ready(Err(passed_on))
            }
            polled => polled,
        }
    }
}
