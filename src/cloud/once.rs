//! A connector that gives away one stream that is there already.

use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use tailnet::TailnetStream;

/// Gives its stream to the first who asks, whatever for.
#[derive(Clone)]
pub(super) struct Once(Arc<Mutex<Option<TailnetStream>>>);

impl Once {
    pub(super) fn new(stream: TailnetStream) -> Once {
        Once(Arc::new(Mutex::new(Some(stream))))
    }
}

impl tower_service::Service<Uri> for Once {
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
