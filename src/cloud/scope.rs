//! The scope of the connections to clouds: they end when the node goes down. A call on an open connection would
//! otherwise wait for an answer that cannot come.

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

use super::dialled::Dialled;

/// Ends the connections to all clouds together. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionScope(Arc<Mutex<CancellationToken>>);

impl ConnectionScope {
    /// Ends the connections that are open, not those made later.
    pub(crate) fn end_connections(&self) {
        let mut token = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *token).cancel();
    }

    /// A connector whose connections belong to this scope. It records where they lead.
    pub(super) fn connector(&self, connector: Connector, dialled: Dialled) -> ScopedConnector {
        ScopedConnector { scope: self.clone(), connector, dialled }
    }

    /// Is cancelled with the next [`end_connections`](Self::end_connections).
    pub(super) fn ended(&self) -> CancellationToken {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[derive(Clone)]
pub(super) struct ScopedConnector {
    scope: ConnectionScope,
    connector: Connector,
    dialled: Dialled,
}

impl Service<Uri> for ScopedConnector {
    type Response = TokioIo<ScopedStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let ended = self.scope.ended(); // before the dial, so that no moment is missed
        let (connecting, dialled) = (self.connector.call(uri), self.dialled.clone());
        Box::pin(async move {
            let stream = connecting.await?.into_inner();
            dialled.set(stream.peer_addr().ip());
            Ok(TokioIo::new(ScopedStream::new(stream, &ended)))
        })
    }
}

/// A stream that ends with its scope.
pub(super) struct ScopedStream<S = TailnetStream> {
    stream: S,
    /// The end of the scope, for each direction: the tasks that read and write may differ, and each must be woken.
    reading: Ended,
    writing: Ended,
}

type Ended = Pin<Box<WaitForCancellationFutureOwned>>;

impl<S> ScopedStream<S> {
    fn new(stream: S, scope_ended: &CancellationToken) -> ScopedStream<S> {
        let ended = || Box::pin(scope_ended.clone().cancelled_owned());
        ScopedStream { stream, reading: ended(), writing: ended() }
    }
}

fn check(ended: &mut Ended, cx: &mut Context<'_>) -> io::Result<()> {
    match ended.as_mut().poll(cx) {
        Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::NetworkDown, "the node has left its tailnet")),
        Poll::Pending => Ok(()),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ScopedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        check(&mut self.reading, cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ScopedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        check(&mut self.writing, cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        check(&mut self.writing, cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        check(&mut self.writing, cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        check(&mut self.writing, cx)?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Connection for ScopedStream {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn both_halves_of_a_stream_end_with_its_scope() {
        for reads_first in [true, false] {
            let scope = ConnectionScope::default();
            let (here, _there) = duplex(16);
            let (mut reader, mut writer) = split(ScopedStream::new(here, &scope.ended()));
            let reads = async move {
                tokio::time::sleep(Duration::from_millis(u64::from(!reads_first))).await;
                reader.read_u8().await.map(drop)
            };
            let writes = async move {
                tokio::time::sleep(Duration::from_millis(u64::from(reads_first))).await;
                writer.write_all(&[0; 32]).await
            };
            let halves = [tokio::spawn(reads), tokio::spawn(writes)];
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert!(halves.iter().all(|half| !half.is_finished()));
            scope.end_connections();
            for half in halves {
                let ended = tokio::time::timeout(Duration::from_secs(1), half).await;
                let error = ended.expect("it sleeps on").unwrap().unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::NetworkDown);
            }
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_made_after_the_scope_ended_is_not_touched() {
        let scope = ConnectionScope::default();
        scope.end_connections();
        let (here, mut there) = duplex(16);
        let mut stream = ScopedStream::new(here, &scope.ended());
        stream.write_u8(1).await.unwrap();
        assert_eq!(there.read_u8().await.unwrap(), 1);
    }
}
