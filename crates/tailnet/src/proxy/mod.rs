//! Proxies for programs that cannot embed the crate. Each serves one client's connection, so that the program accepts
//! where it wants to: usually on the loopback interface, as whoever reaches a proxy reaches the tailnet.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fast_socks5::server::Socks5ServerProtocol;
use fast_socks5::util::target_addr::TargetAddr;
use fast_socks5::{ReplyError, Socks5Command};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};

use crate::{Address, ConnectError, Tailnet, TailnetStream};

/// How long a client may take to say what it wants, besides the time that the dial takes.
const GREETING: Duration = Duration::from_secs(10);

impl Tailnet {
    /// Serves one client of a SOCKS5 proxy (RFC 1928, CONNECT without authentication), through the tailnet only: other
    /// addresses are answered with "connection not allowed". Names are looked up in the tailnet, so the client should
    /// leave them to the proxy (`socks5h://` in curl). Dropping the future ends the connection.
    ///
    /// ```no_run
    /// # async fn example(tailnet: tailnet::Tailnet, listener: tokio::net::TcpListener) -> std::io::Result<()> {
    /// loop {
    ///     let (client, _) = listener.accept().await?;
    ///     let tailnet = tailnet.clone();
    ///     tokio::spawn(async move { tailnet.serve_socks5(client).await });
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// When the client does not speak SOCKS5 or the connection broke. The client is told why a dial failed, which is
    /// no error here.
    pub async fn serve_socks5(&self, client: impl AsyncRead + AsyncWrite + Send + Unpin) -> io::Result<()> {
        let (reply, command, target) =
            greeted(async { Socks5ServerProtocol::accept_no_auth(client).await?.read_command().await })
                .await?
                .map_err(io::Error::other)?;
        if !matches!(command, Socks5Command::TCPConnect) {
            return reply.reply_error(&ReplyError::CommandNotSupported).await.map_err(io::Error::other);
        }
        let dialled = match target {
            TargetAddr::Ip(address) => self.connect(address).await,
            TargetAddr::Domain(name, port) => self.connect((name.as_str(), port)).await,
        };
        let mut stream = match dialled {
            Ok(stream) => stream,
            Err(e) => {
                tracing::debug!("SOCKS5: {e}");
                return reply.reply_error(&socks5_code(&e)).await.map_err(io::Error::other);
            }
        };
        let mut client = reply.reply_success(stream.local_addr()).await.map_err(io::Error::other)?;
        copy_bidirectional(&mut client, &mut stream).await.map(drop)
    }

    /// Serves one client of an HTTP proxy (the method CONNECT, RFC 9110 section 9.3.6), through the tailnet only: other
    /// addresses are answered with 403, and other methods with 405. Dropping the future ends the connection.
    ///
    /// # Errors
    /// When the client does not speak HTTP/1.1 or the connection broke. The client is told why a dial failed, which is
    /// no error here.
    pub async fn serve_http_connect(
        &self,
        client: impl AsyncRead + AsyncWrite + Send + Unpin,
    ) -> io::Result<()> {
        let dialled: Arc<Mutex<Option<TailnetStream>>> = Arc::default();
        let service = service_fn(|request: Request<Incoming>| {
            let dialled = Arc::clone(&dialled);
            // Boxed, as the connection is taken apart later and so must not be pinned.
            Box::pin(async move {
                let (status, text) = match self.connect_for(&request).await {
                    Ok(stream) => {
                        *dialled.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
                        (StatusCode::OK, String::new())
                    }
                    Err((status, text)) => (status, text + "\n"),
                };
                let mut response = Response::new(text);
                *response.status_mut() = status;
                Ok::<_, io::Error>(response)
            })
        });
        let mut connection = hyper::server::conn::http1::Builder::new()
            .timer(hyper_util::rt::TokioTimer::new())
            .header_read_timeout(GREETING)
            .keep_alive(false)
            .serve_connection(TokioIo::new(client), service);
        std::future::poll_fn(|cx| connection.poll_without_shutdown(cx)).await.map_err(io::Error::other)?;
        let parts = connection.into_parts();
        let mut client = parts.io.into_inner();
        let Some(mut stream) = dialled.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return client.shutdown().await;
        };
        stream.write_all(&parts.read_buf).await?; // what the client has sent behind its request
        copy_bidirectional(&mut client, &mut stream).await.map(drop)
    }

    /// Dials what a CONNECT asks for, or says what to answer.
    async fn connect_for(&self, request: &Request<Incoming>) -> Result<TailnetStream, (StatusCode, String)> {
        if request.method() != Method::CONNECT {
            let text = "this proxy has the method CONNECT only".to_owned();
            return Err((StatusCode::METHOD_NOT_ALLOWED, text));
        }
        let target = request.uri().authority().map_or("", |authority| authority.as_str());
        let address: Address = target.parse().map_err(|e| (StatusCode::BAD_REQUEST, format!("{e}")))?;
        self.connect(address).await.map_err(|e| {
            tracing::debug!("HTTP CONNECT: {e}");
            (http_code(&e), e.to_string())
        })
    }
}

async fn greeted<T>(greeting: impl Future<Output = T>) -> io::Result<T> {
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, "the client did not say what it wants");
    tokio::time::timeout(GREETING, greeting).await.map_err(late)
}

/// RFC 1928, section 6.
fn socks5_code(error: &ConnectError) -> ReplyError {
    match error {
        ConnectError::NotInTailnet { .. } => ReplyError::ConnectionNotAllowed,
        ConnectError::NoSuchHost { .. } | ConnectError::InvalidAddress(_) => ReplyError::HostUnreachable,
        ConnectError::Refused { .. } => ReplyError::ConnectionRefused,
        ConnectError::Timeout { .. } => ReplyError::TtlExpired,
        ConnectError::NotRunning { .. } | ConnectError::Closed { .. } => ReplyError::NetworkUnreachable,
        _ => ReplyError::GeneralFailure,
    }
}

/// RFC 9110, section 15.
fn http_code(error: &ConnectError) -> StatusCode {
    match error {
        ConnectError::NotInTailnet { .. } => StatusCode::FORBIDDEN,
        ConnectError::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        ConnectError::NotRunning { .. } | ConnectError::Closed { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}
