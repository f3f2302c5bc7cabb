//! The client of the control socket, by which commands reach the running node.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::upgrade::Upgraded;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::protocol::Failure;

/// Longer than what the node itself waits for.
const TIMEOUT: Duration = Duration::from_secs(120);

/// No answer is larger.
const MAX_ANSWER: usize = 64 << 20;

/// Why the running node did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// Nobody listens on the socket.
    #[error("no node runs here: nobody listens on {0}; start it with `kolaboree-node run`")]
    NoNode(String),
    #[error("cannot use the control socket {path}: {source}")]
    Socket { path: String, source: io::Error },
    #[error("{}", .0.error)]
    Refused(Failure),
    #[error("the node gave no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    #[error("the node's answer was not understood: {0}")]
    Malformed(String),
}

/// The way to the running node.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    /// Finds the running node, if there is one.
    pub(crate) async fn find(socket: &Path) -> Result<Client, ControlError> {
        let client = Client { socket: socket.to_owned() };
        client.stream().await?;
        Ok(client)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ControlError> {
        self.json(Method::GET, path, Bytes::new()).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ControlError> {
        let body = serde_json::to_vec(body).map_err(|e| ControlError::Malformed(e.to_string()))?;
        self.json(Method::POST, path, body.into()).await
    }

    /// A stream through the node's tailnet.
    pub(crate) async fn dial(&self, address: &str) -> Result<Dialled, ControlError> {
        let request = Request::get(format!("/v1/dial?address={}", query(address)))
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "tcp")
            .body(Full::default());
        let answer = self.exchange(request).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(failure(answer).await);
        }
        let upgraded = hyper::upgrade::on(answer).await;
        upgraded.map(Dialled).map_err(|e| ControlError::Malformed(e.to_string()))
    }

    async fn json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<T, ControlError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body));
        let answer = self.exchange(request).await?;
        if !answer.status().is_success() {
            return Err(failure(answer).await);
        }
        let body = collect(answer).await?;
        serde_json::from_slice(&body).map_err(|e| ControlError::Malformed(e.to_string()))
    }

    async fn exchange(
        &self,
        request: http::Result<Request<Full<Bytes>>>,
    ) -> Result<Response<Incoming>, ControlError> {
        let mut request = request.map_err(|e| ControlError::Malformed(e.to_string()))?;
        request.headers_mut().insert(header::HOST, http::HeaderValue::from_static("kolaboree-node"));
        let malformed = |e: hyper::Error| ControlError::Malformed(e.to_string());
        let exchange = async {
            let stream = TokioIo::new(self.stream().await?);
            let (mut sender, connection) = http1::handshake(stream).await.map_err(malformed)?;
            tokio::spawn(connection.with_upgrades());
            sender.send_request(request).await.map_err(malformed)
        };
        tokio::time::timeout(TIMEOUT, exchange).await.map_err(|_| ControlError::Timeout)?
    }

    async fn stream(&self) -> Result<UnixStream, ControlError> {
        let path = self.socket.display().to_string();
        UnixStream::connect(&self.socket).await.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NoNode(path),
            _ => ControlError::Socket { path, source },
        })
    }
}

async fn collect(answer: Response<Incoming>) -> Result<Bytes, ControlError> {
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    body.map(|body| body.to_bytes()).map_err(|e| ControlError::Malformed(e.to_string()))
}

async fn failure(answer: Response<Incoming>) -> ControlError {
    let status = answer.status();
    let body = match collect(answer).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    match serde_json::from_slice(&body) {
        Ok(failure) => ControlError::Refused(failure),
        Err(_) => {
            ControlError::Malformed(format!("status {status}: {}", String::from_utf8_lossy(&body).trim()))
        }
    }
}

/// A text as it may stand in a query.
pub(crate) fn query(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// A stream through the running node's tailnet, as hyper wants it.
#[derive(Debug)]
pub(crate) struct Dialled(Upgraded);

impl Read for Dialled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Dialled {
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

impl Connection for Dialled {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Connects hyper clients through the running node's tailnet, and in no other way.
#[derive(Clone, Debug)]
pub(crate) struct Connector(pub(crate) Client);

impl tower_service::Service<Uri> for Connector {
    type Response = Dialled;
    type Error = ControlError;
    type Future = Pin<Box<dyn Future<Output = Result<Dialled, ControlError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ControlError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let address = uri.authority().map_or("", |authority| authority.as_str());
            client.dial(address).await
        })
    }
}
