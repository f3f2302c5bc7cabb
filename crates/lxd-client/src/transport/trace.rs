//! How long the steps of a new connection took, for those who measure a server.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::Uri;
use hyper_rustls::MaybeHttpsStream;
use tower_service::Service;

use super::connect::BoxError;
use super::connector::{BoxConnector, BoxFuture};
use super::read_ahead::ReadAhead;
use crate::Fingerprint;

/// The steps of the newest connection that all requests share, or of the newest attempt to make one; from
/// [`Client::dial_trace`](crate::Client::dial_trace). A step that failed, or has not ended yet, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DialTrace {
    /// How long the connector took; for TCP this is the connection, with the lookup of the name.
    pub connect: Option<Duration>,
    /// How long the TLS handshake took, which follows.
    pub tls: Option<Duration>,
    /// The fingerprint of the server's certificate, from a handshake that succeeded.
    pub fingerprint: Option<Fingerprint>,
}

/// Records the newest attempt.
#[derive(Clone, Default)]
pub(crate) struct Tracer(Arc<Mutex<Option<DialTrace>>>);

impl Tracer {
    pub(crate) fn newest(&self) -> Option<DialTrace> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has each attempt of the connector recorded.
    pub(crate) fn around(&self, connector: BoxConnector) -> Traced {
        Traced { connector, tracer: self.clone() }
    }

    /// Records the end of an attempt that began then.
    pub(crate) fn secured(&self, began: Instant, stream: &MaybeHttpsStream<ReadAhead>) {
        let MaybeHttpsStream::Https(stream) = stream else { return };
        let certificates = stream.inner().get_ref().1.peer_certificates();
        let fingerprint = certificates.and_then(|chain| chain.first()).map(|first| Fingerprint::of(first));
        let connect = self.newest().and_then(|trace| trace.connect).unwrap_or_default();
        let tls = began.elapsed().saturating_sub(connect);
        self.record(DialTrace { connect: Some(connect), tls: Some(tls), fingerprint });
    }

    fn record(&self, trace: DialTrace) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(trace);
    }
}

/// A connector whose attempts are recorded.
#[derive(Clone)]
pub(crate) struct Traced {
    connector: BoxConnector,
    tracer: Tracer,
}

impl Service<Uri> for Traced {
    type Response = ReadAhead;
    type Error = BoxError;
    type Future = BoxFuture<ReadAhead>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (connecting, tracer) = (self.connector.call(uri), self.tracer.clone());
        Box::pin(async move {
            tracer.record(DialTrace::default());
            let began = Instant::now();
            let stream = connecting.await?;
            tracer.record(DialTrace { connect: Some(began.elapsed()), ..DialTrace::default() });
            Ok(stream)
        })
    }
}
