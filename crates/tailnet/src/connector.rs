//! The connector for hyper: a service from a URI to a stream through the tailnet.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;

use crate::address::Address;
use crate::{Tailnet, TailnetStream};

/// Connects hyper clients through the tailnet: a [`tower_service::Service`] from a URI to a stream.
///
/// It has no other way: where the tailnet cannot reach the URI's host, the request fails. The error is an
/// [`io::Error`] that holds a [`ConnectError`](crate::ConnectError). TLS goes around it, as hyper-rustls does.
///
/// ```no_run
/// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use http_body_util::Empty;
///
/// let client = Client::builder(TokioExecutor::new()).build::<_, Empty<hyper::body::Bytes>>(tailnet.connector());
/// let response = client.get("http://grafana/api/health".parse()?).await?;
/// # Ok(())
/// # }
/// ```
///
/// It needs the feature `hyper`, which is on by default, and keeps the node open, as a clone of [`Tailnet`] does.
#[derive(Clone, Debug)]
pub struct Connector {
    tailnet: Tailnet,
}

impl Tailnet {
    /// A connector for hyper clients, with which they reach the tailnet and nothing else.
    #[must_use]
    pub fn connector(&self) -> Connector {
        Connector { tailnet: self.clone() }
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = HyperStream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let tailnet = self.tailnet.clone();
        Box::pin(async move {
            let address = address_of(&uri)?;
            Ok(HyperStream(TokioIo::new(tailnet.connect(address).await?)))
        })
    }
}

/// A [`TailnetStream`] as hyper reads and writes it, from a [`Connector`].
#[derive(Debug)]
pub struct HyperStream(TokioIo<TailnetStream>);

impl HyperStream {
    /// The stream itself.
    #[must_use]
    pub fn into_inner(self) -> TailnetStream {
        self.0.into_inner()
    }
}

impl Read for HyperStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for HyperStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl Connection for HyperStream {
    fn connected(&self) -> Connected {
        self.0.connected()
    }
}

/// So that hyper's pool takes the stream in other wrappers, too.
impl Connection for TailnetStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

fn address_of(uri: &Uri) -> io::Result<Address> {
    let invalid = |e: String| io::Error::new(io::ErrorKind::InvalidInput, e);
    let host = uri.host().ok_or_else(|| invalid(format!("the URI {uri} names no host")))?;
    let port = match (uri.port_u16(), uri.scheme_str()) {
        (Some(port), _) => port,
        (None, Some("https" | "wss")) => 443,
        (None, Some("http" | "ws")) => 80,
        (None, _) => return Err(invalid(format!("the URI {uri} names no port"))),
    };
    Address::new(host, port).map_err(|e| invalid(e.to_string()))
}
