//! A connector with one stream that is connected already.

use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use tailnet::TailnetStream;

/// Gives its stream to the first caller, whatever the URI, and an error to the others.
#[derive(Clone)]
pub(super) struct PreconnectedConnector(Arc<Mutex<Option<TailnetStream>>>);

impl PreconnectedConnector {
    pub(super) fn new(stream: TailnetStream) -> PreconnectedConnector {
        PreconnectedConnector(Arc::new(Mutex::new(Some(stream))))
    }
}

impl tower_service::Service<Uri> for PreconnectedConnector {
    type Response = TokioIo<TailnetStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        ready(stream.map(TokioIo::new).ok_or_else(|| io::Error::other("the stream is used already")))
    }
}
