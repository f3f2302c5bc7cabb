//! How the client gets its streams: any `Service<Uri>`, its type erased.

use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tower_service::Service;

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send>>;

/// What makes the client's streams: a hyper connector, such as the one of the crate `tailnet`. Implemented
/// for every `Service<Uri>` that fits.
///
/// It is asked for `http://host:port` of a server at `https://host:port`: TLS is the client's own, and a connector that
/// is asked for `https` may refuse that, or do TLS too.
pub trait Connect:
    Service<Uri, Response: Io, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<C> Connect for C where
    C: Service<Uri, Response: Io, Error: Into<BoxError>, Future: Send> + Clone + Send + Sync + 'static
{
}

/// A byte stream as hyper wants it. Implemented for everything that fits.
pub trait Io: Read + Write + Connection + Send + Unpin + 'static {}

impl<T: Read + Write + Connection + Send + Unpin + 'static> Io for T {}

/// Any connector, as one type.
#[derive(Clone)]
pub(crate) struct BoxConnector(Arc<dyn Fn(Uri) -> BoxFuture<BoxIo> + Send + Sync>);

impl BoxConnector {
    pub(crate) fn new(connector: impl Connect) -> BoxConnector {
        BoxConnector(Arc::new(move |uri| {
            let mut connector = connector.clone();
            Box::pin(async move {
                poll_fn(|cx| connector.poll_ready(cx)).await.map_err(Into::into)?;
                connector.call(uri).await.map(BoxIo::new).map_err(Into::into)
            })
        }))
    }
}

impl Service<Uri> for BoxConnector {
    type Response = BoxIo;
    type Error = BoxError;
    type Future = BoxFuture<BoxIo>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match without_tls(uri) {
            Ok(uri) => (self.0)(uri),
            Err(error) => Box::pin(async { Err(error.into()) }),
        }
    }
}

/// The same host and port, by `http`.
fn without_tls(uri: Uri) -> Result<Uri, http::Error> {
    let Some(authority) = uri.authority().filter(|_| uri.scheme() == Some(&Scheme::HTTPS)) else {
        return Ok(uri);
    };
    let port = if uri.port().is_some() { "" } else { ":443" };
    Uri::builder().scheme(Scheme::HTTP).authority(format!("{authority}{port}")).path_and_query("/").build()
}

/// A stream of the caller's, read in large pieces: rustls asks for 4 KiB at a time, and each of its reads
/// would be one of the system's.
pub(crate) struct BoxIo {
    io: Box<dyn Io>,
    used: Used,
    /// What was read and not asked for yet is at `left`.
    buffer: Vec<u8>,
    left: Range<usize>,
}

/// How much is read at once at first, and at most: it grows while a read fills it, so that a connection that
/// carries little takes little memory.
const READ_AT_ONCE: Range<usize> = 8 << 10..128 << 10;

impl BoxIo {
    fn new(io: impl Io) -> BoxIo {
        BoxIo { io: Box::new(io), used: Used::default(), buffer: Vec::new(), left: 0..0 }
    }
}

/// Whether a connection has carried an answer: one that then breaks at once was found dead in the pool.
#[derive(Clone, Debug, Default)]
pub(crate) struct Used(Arc<AtomicBool>);

impl Used {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Read for BoxIo {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.left.is_empty() {
            if buf.remaining() >= READ_AT_ONCE.end {
                return Pin::new(&mut this.io).poll_read(cx, buf);
            }
            if this.buffer.is_empty() {
                this.buffer.resize(READ_AT_ONCE.start, 0);
            } else if this.left.end == this.buffer.len() && this.buffer.len() < READ_AT_ONCE.end {
                this.buffer.resize(2 * this.buffer.len(), 0);
            }
            let mut read = ReadBuf::new(&mut this.buffer);
            ready!(Pin::new(&mut this.io).poll_read(cx, read.unfilled()))?;
            this.left = 0..read.filled().len();
        }
        let length = this.left.len().min(buf.remaining());
        buf.put_slice(&this.buffer[this.left.start..this.left.start + length]);
        this.left.start += length;
        Poll::Ready(Ok(()))
    }
}

impl Write for BoxIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Connection for BoxIo {
    fn connected(&self) -> Connected {
        self.io.connected().extra(self.used.clone())
    }
}

/// Connects to a server on this machine, whatever the URI says.
#[derive(Clone)]
pub(crate) struct UnixConnector(Arc<PathBuf>);

impl UnixConnector {
    pub(crate) fn new(path: &Path) -> UnixConnector {
        UnixConnector(Arc::new(path.to_owned()))
    }
}

impl Service<Uri> for UnixConnector {
    type Response = TokioIo<UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let path = Arc::clone(&self.0);
        Box::pin(async move { UnixStream::connect(&*path).await.map(TokioIo::new) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_is_asked_for_a_host_and_a_port_and_for_no_tls() {
        for (server, asked) in [
            ("https://lxd.example.ts.net:8443", "http://lxd.example.ts.net:8443/"),
            ("https://lxd.example.ts.net", "http://lxd.example.ts.net:443/"),
            ("https://[fd7a::1]", "http://[fd7a::1]:443/"),
            ("http://lxd", "http://lxd/"),
        ] {
            assert_eq!(without_tls(server.parse().unwrap()).unwrap(), asked);
        }
    }
}
