//! A connector for hyper, whose streams go through the running node's tailnet.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::upgrade::Upgraded;
use hyper_util::client::legacy::connect::{Connected, Connection};

use super::client::{Client, ControlError};

/// A stream through the running node's tailnet, as hyper wants it.
#[derive(Debug)]
pub(crate) struct ControlStream(Upgraded);

impl Read for ControlStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for ControlStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Connection for ControlStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Connects hyper clients through the running node's tailnet, and in no other way.
#[derive(Clone, Debug)]
pub(crate) struct Connector(pub(crate) Client);

impl tower_service::Service<Uri> for Connector {
    type Response = ControlStream;
    type Error = ControlError;
    type Future = Pin<Box<dyn Future<Output = Result<ControlStream, ControlError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ControlError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let address = uri.authority().map_or("", |authority| authority.as_str());
            client.dial(address).await.map(ControlStream)
        })
    }
}
