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
        let gate = self.gate.shut_from_now(); // before the dial, so that no moment is missed
        let connecting = self.connector.call(uri);
        Box::pin(async move { Ok(TokioIo::new(Stream::new(connecting.await?.into_inner(), &gate))) })
    }
}

/// A stream that ends when its gate is shut.
pub(super) struct Stream<S = TailnetStream> {
    stream: S,
    /// When the gate is shut, for each direction: two tasks may wait, and each wants to be woken.
    reading: Shut,
    writing: Shut,
}

type Shut = Pin<Box<WaitForCancellationFutureOwned>>;

impl<S> Stream<S> {
    fn new(stream: S, gate: &CancellationToken) -> Stream<S> {
        let shut = || Box::pin(gate.clone().cancelled_owned());
        Stream { stream, reading: shut(), writing: shut() }
    }
}

fn check(shut: &mut Shut, cx: &mut Context<'_>) -> io::Result<()> {
    match shut.as_mut().poll(cx) {
        Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::NetworkDown, "the node has left its tailnet")),
        Poll::Pending => Ok(()),
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        check(&mut self.reading, cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stream<S> {
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

impl Connection for Stream {
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
    async fn both_halves_of_a_stream_end_when_the_gate_is_shut() {
        for reads_first in [true, false] {
            let gate = Gate::default();
            let (here, _there) = duplex(16);
            let (mut reader, mut writer) = split(Stream::new(here, &gate.shut_from_now()));
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
            gate.shut();
            for half in halves {
                let ended = tokio::time::timeout(Duration::from_secs(1), half).await;
                let error = ended.expect("it sleeps on").unwrap().unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::NetworkDown);
            }
        }
    }

    #[tokio::test]
    async fn a_stream_that_is_made_after_the_gate_was_shut_is_not_touched() {
        let gate = Gate::default();
        gate.shut();
        let (here, mut there) = duplex(16);
        let mut stream = Stream::new(here, &gate.shut_from_now());
        stream.write_u8(1).await.unwrap();
        assert_eq!(there.read_u8().await.unwrap(), 1);
    }
}
