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
use crate::config::CloudConfig;

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

type Connecting = Pin<Box<dyn Future<Output = Result<ControlStream, ControlError>> + Send>>;

/// Connects hyper clients through the running node's tailnet, and in no other way.
#[derive(Clone, Debug)]
pub(crate) struct Connector(pub(crate) Client);

impl tower_service::Service<Uri> for Connector {
    type Response = ControlStream;
    type Error = ControlError;
    type Future = Connecting;

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

/// Connects hyper clients to the running node itself, which speaks the API of a cloud by its own connections.
#[derive(Clone, Debug)]
pub(crate) struct ApiConnector(pub(crate) Client, pub(crate) CloudConfig);

impl tower_service::Service<Uri> for ApiConnector {
    type Response = ControlStream;
    type Error = ControlError;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ControlError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let ApiConnector(client, cloud) = self.clone();
        Box::pin(async move { client.api(&cloud).await.map(ControlStream) })
    }
}
