//! Connections to clouds end when the node goes down: a call on one that is open would wait for an answer that cannot
//! come, and a call should fail at once.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tailnet::{Connector, TailnetStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower_service::Service;

/// What the streams of all clouds pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<Mutex<CancellationToken>>);

impl Gate {
    /// Ends the streams that are open; those made later are not touched.
    pub(crate) fn shut(&self) {
        let mut token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *token).cancel();
    }

    /// A connector whose streams pass this gate.
    pub(super) fn connector(&self, connector: Connector) -> Gated {
        Gated { gate: self.clone(), connector }
    }

    /// Is cancelled when the gate is shut the next time.
    pub(super) fn shut_from_now(&self) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Clone)]
pub(super) struct Gated {
    gate: Gate,
    connector: Connector,
}

impl Service<Uri> for Gated {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // Before the dial, so that no moment is missed.
        let shut = Box::pin(self.gate.shut_from_now().cancelled_owned());
        let connecting = self.connector.call(uri);
        Box::pin(async move { Ok(TokioIo::new(Stream { stream: connecting.await?.into_inner(), shut })) })
    }
}

/// A stream that ends when its gate is shut.
pub(super) struct Stream {
    stream: TailnetStream,
    shut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Stream {
    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.shut.as_mut().poll(cx) {
            Poll::Ready(()) => {
                Err(io::Error::new(io::ErrorKind::NetworkDown, "the node has left its tailnet"))
            }
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}
