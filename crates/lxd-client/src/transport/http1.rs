//! A pool of HTTP/1.1 connections. All requests on a Unix socket use it. Over TLS, websockets and SFTP use it, which
//! HTTP/2 does not carry here, and long uploads: a server in Go gives the body of an upload over HTTP/2 a window of 1 MB,
//! so that the round trip limits its speed.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::{Request, Response, Uri, header};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use tower_service::Service;

use super::{Body, BoxError, Dial, IDLE_TIMEOUT};

/// No more idle connections than this are kept.
const MAX_IDLE: usize = 16;

#[derive(Clone)]
pub(crate) struct Http1 {
    dial: Dial,
    base: Uri,
    idle: Arc<Mutex<Vec<Idle>>>,
}

struct Idle {
    sender: SendRequest<Body>,
    since: Instant,
}

/// One connection that is ready for a request.
pub(crate) struct Ready {
    sender: SendRequest<Body>,
    used: bool,
}

impl Ready {
    /// Whether it has carried an answer.
    pub(crate) fn is_used(&self) -> bool {
        self.used
    }
}

impl Http1 {
    pub(crate) fn new(dial: Dial, base: Uri) -> Http1 {
        Http1 { dial, base, idle: Arc::default() }
    }

    /// An idle connection, or a new one.
    pub(crate) async fn ready(&self) -> Result<Ready, BoxError> {
        let mut idle = self.pop();
        if idle.is_none() {
            // A connection comes back by a task, which may not have run yet after an answer was read to its end.
            tokio::task::yield_now().await;
            idle = self.pop();
        }
        match idle {
            Some(sender) => Ok(Ready { sender, used: true }),
            None => self.fresh().await,
        }
    }

    /// A new connection.
    pub(crate) async fn fresh(&self) -> Result<Ready, BoxError> {
        Ok(Ready { sender: self.connect().await?, used: false })
    }

    /// Adds an idle connection.
    pub(crate) fn put_back(&self, ready: Ready) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(Idle { sender: ready.sender, since: Instant::now() });
        }
    }

    /// Sends a request, whose URI is a path. The connection is used again once the answer's body has been
    /// read.
    pub(crate) async fn send(
        &self,
        mut ready: Ready,
        mut request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        let host = self.base.authority().map_or("lxd", |authority| authority.as_str());
        if let Ok(host) = host.parse() {
            request.headers_mut().insert(header::HOST, host);
        }
        let response = ready.sender.try_send_request(request).await?;
        let pool = self.clone();
        tokio::spawn(async move {
            if ready.sender.ready().await.is_ok() {
                ready.used = true;
                pool.put_back(ready);
            }
        });
        Ok(response)
    }

    fn pop(&self) -> Option<SendRequest<Body>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|i| i.since.elapsed() < IDLE_TIMEOUT && i.sender.is_ready());
        idle.pop().map(|i| i.sender)
    }

    async fn connect(&self) -> Result<SendRequest<Body>, BoxError> {
        let mut dial = self.dial.clone();
        poll_fn(|cx| dial.poll_ready(cx)).await?;
        let stream = dial.call(self.base.clone()).await?;
        let mut builder = http1::Builder::new();
        // The façade gives answers on as they came.
        builder.preserve_header_case(true);
        // LXD writes a file's name into a header as it is, and a name may have control characters.
        builder.ignore_invalid_headers_in_responses(true);
        let (sender, connection) = builder.handshake(stream).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.with_upgrades().await {
                tracing::debug!(%error, "an HTTP/1.1 connection ended");
            }
        });
        Ok(sender)
    }
}
