//! New connections: the caller's connector, TLS around it, and a deadline on both.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower_service::Service;

use super::by_facade::ByFacade;
use super::connect::BoxError;
use super::connector::BoxConnector;
use super::read_ahead::ReadAhead;
use super::trace::{DialTrace, Traced, Tracer};

/// The deadline of a new connection passed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no connection within {} s", after.as_secs_f32())]
pub(crate) struct NoConnection {
    pub(crate) after: Duration,
}

/// Makes connections that are ready for HTTP.
#[derive(Clone)]
pub(crate) struct Dial {
    https: HttpsConnector<Traced>,
    facade: Option<ByFacade>,
    timeout: Duration,
    made: Arc<AtomicU64>,
    tracer: Tracer,
}

impl Dial {
    /// Connections of the HTTP version that the server prefers; by a façade where there is one.
    pub(crate) fn any(
        config: rustls::ClientConfig,
        connector: BoxConnector,
        facade: Option<ByFacade>,
        timeout: Duration,
    ) -> Dial {
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        // http is for Unix sockets only: see `check_server`.
        let (tracer, made) = (Tracer::default(), Arc::default());
        let connector = tracer.around(connector);
        let https = builder.https_or_http().enable_all_versions().wrap_connector(connector);
        Dial { https, facade, timeout, made, tracer }
    }

    /// Connections of HTTP/1.1, which websockets and SFTP need. They are counted with those of `other`.
    pub(crate) fn http1(config: rustls::ClientConfig, connector: BoxConnector, other: &Dial) -> Dial {
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        let (tracer, made) = (Tracer::default(), Arc::clone(&other.made));
        let https = builder.https_or_http().enable_http1().wrap_connector(tracer.around(connector));
        Dial { https, facade: None, timeout: other.timeout, made, tracer }
    }

    /// How many connections were made.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// The steps of the newest connection, or of the newest attempt to make one.
    pub(crate) fn newest(&self) -> Option<DialTrace> {
        self.tracer.newest()
    }
}

impl Service<Uri> for Dial {
    type Response = Secured;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (mut https, facade) = (self.https.clone(), self.facade.clone());
        let (timeout, made, tracer) = (self.timeout, Arc::clone(&self.made), self.tracer.clone());
        let connecting = async move {
            if let Some(mut facade) = facade
                && let Some(stream) = facade.stream(uri.clone()).await
            {
                return Ok(Secured::ByFacade(stream, facade));
            }
            let began = Instant::now();
            let stream = https.call(uri).await?;
            made.fetch_add(1, Ordering::Relaxed);
            tracer.secured(began, &stream);
            Ok(Secured::Straight(Box::new(stream)))
        };
        Box::pin(async move {
            tokio::time::timeout(timeout, connecting).await.map_err(|_| NoConnection { after: timeout })?
        })
    }
}

/// A connection with TLS. When the server ends it without a close handshake, the error is for the client's user: that of
/// rustls is for programmers.
pub(crate) enum Secured {
    Straight(Box<MaybeHttpsStream<ReadAhead>>),
    /// With the façade's TLS.
    ByFacade(ReadAhead, ByFacade),
}

impl Secured {
    fn stream(&mut self) -> Pin<&mut (dyn Stream + Unpin)> {
        match self {
            Secured::Straight(stream) => Pin::new(&mut **stream),
            Secured::ByFacade(stream, _) => Pin::new(stream),
        }
    }
}

trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl Read for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let read = ready!(self.stream().poll_read(cx, buf));
        Poll::Ready(read.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                io::Error::new(io::ErrorKind::UnexpectedEof, "the server's end broke off without a word")
            }
            _ => error,
        }))
    }
}

impl Write for Secured {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Secured::Straight(stream) => stream.is_write_vectored(),
            Secured::ByFacade(stream, _) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

impl Connection for Secured {
    fn connected(&self) -> Connected {
        match self {
            Secured::Straight(stream) => stream.connected(),
            // A façade speaks HTTP/2 to whoever begins with it.
            Secured::ByFacade(stream, facade) => stream.connected().negotiated_h2().extra(facade.clone()),
        }
    }
}
