//! New connections: the caller's connector, TLS around it, and a deadline on both.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use tower_service::Service;

use crate::connect::{BoxConnector, BoxError, BoxIo};

/// The deadline of a new connection passed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("no connection within {} s", after.as_secs_f32())]
pub(crate) struct NoConnection {
    pub(crate) after: Duration,
}

/// Makes connections that are ready for HTTP.
#[derive(Clone)]
pub(crate) struct Dial {
    https: HttpsConnector<BoxConnector>,
    timeout: Duration,
    made: Arc<AtomicU64>,
}

impl Dial {
    /// For the HTTP version that the server prefers.
    pub(crate) fn any(config: rustls::ClientConfig, connector: BoxConnector, timeout: Duration) -> Dial {
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        // http is for Unix sockets only: see check_server.
        let https = builder.https_or_http().enable_all_versions().wrap_connector(connector);
        Dial { https, timeout, made: Arc::default() }
    }

    /// For HTTP/1.1, which websockets and SFTP need; counted with those of `other`.
    pub(crate) fn http1(config: rustls::ClientConfig, connector: BoxConnector, other: &Dial) -> Dial {
        let builder = HttpsConnectorBuilder::new().with_tls_config(config);
        let https = builder.https_or_http().enable_http1().wrap_connector(connector);
        Dial { https, timeout: other.timeout, made: Arc::clone(&other.made) }
    }

    /// How many connections were made.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}

impl Service<Uri> for Dial {
    type Response = MaybeHttpsStream<BoxIo>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.https.call(uri);
        let (timeout, made) = (self.timeout, Arc::clone(&self.made));
        Box::pin(async move {
            let stream = tokio::time::timeout(timeout, connecting)
                .await
                .map_err(|_| NoConnection { after: timeout })??;
            made.fetch_add(1, Ordering::Relaxed);
            Ok(stream)
        })
    }
}
