//! An HTTP proxy: CONNECT (RFC 9110, section 9.3.6), and requests for `http://` in the absolute form (RFC 9112,
//! section 3.2.2).

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::GREETING;
use crate::carry::AbortOnDrop;
use crate::{Address, ConnectError, Connector, Tailnet, TailnetStream};

/// Headers for one connection (RFC 9110, section 7.6.1), besides those that `Connection` names.
const OF_THE_CONNECTION: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// As many headers a message may have.
const MAX_HEADERS: usize = 1024;

type Answer = Response<Either<Full<Bytes>, Incoming>>;

/// What to answer instead, and why.
type Refusal = (StatusCode, String);

impl Tailnet {
    /// Serves one client of an HTTP proxy, through the tailnet only: tunnels by the method CONNECT, and requests for
    /// `http://` URLs, one after another. Addresses outside the tailnet are answered with 403, what is no request to a
    /// proxy with 400, and servers that cannot be reached with 502, 503 or 504 and the reason. Credentials for the proxy
    /// are not looked at. Dropping the future ends the connection.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the client does not speak HTTP/1.1; every other kind when the connection of a
    /// tunnel broke, on either side. The peer's is reset then; reset the client's too (`set_zero_linger`), so that what
    /// was cut off does not look whole. The client is told why a dial failed, which is no error here.
    pub async fn serve_http_proxy(
        &self,
        client: impl AsyncRead + AsyncWrite + Send + Unpin,
    ) -> io::Result<()> {
        let dialled: Arc<Mutex<Option<TailnetStream>>> = Arc::default();
        let servers = Client::builder(TokioExecutor::new())
            .http1_preserve_header_case(true)
            .http1_max_headers(MAX_HEADERS)
            .build(self.connector());
        let service = service_fn(|request: Request<Incoming>| {
            let (dialled, servers) = (Arc::clone(&dialled), servers.clone());
            // Boxed, as the connection is taken apart later and so must not be pinned.
            Box::pin(async move {
                let answer = if request.method() == Method::CONNECT {
                    self.tunnel(&request).await.map(|stream| {
                        *dialled.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
                        text(StatusCode::OK, String::new())
                    })
                } else {
                    forward(&servers, request).await
                };
                Ok::<_, io::Error>(answer.unwrap_or_else(|(status, why)| {
                    tracing::debug!("HTTP proxy: {why}");
                    text(status, why + "\n")
                }))
            })
        });
        let mut connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(GREETING)
            .preserve_header_case(true)
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(client), service);
        std::future::poll_fn(|cx| connection.poll_without_shutdown(cx))
            .await
            .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        let parts = connection.into_parts();
        let mut client = parts.io.into_inner();
        let Some(stream) = dialled.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return client.shutdown().await;
        };
        let mut stream = AbortOnDrop::new(stream);
        stream.write_all(&parts.read_buf).await?; // what the client has sent behind its request
        stream.carry(&mut client).await.map(drop)
    }

    /// Dials what a CONNECT asks for.
    async fn tunnel(&self, request: &Request<Incoming>) -> Result<TailnetStream, Refusal> {
        let target = request.uri().authority().map_or("", |authority| authority.as_str());
        let address: Address = target.parse().map_err(|e| (StatusCode::BAD_REQUEST, format!("{e}")))?;
        self.connect(address).await.map_err(|e| (code(&e), e.to_string()))
    }
}

/// Sends a request on to the server that its URL names.
async fn forward(
    servers: &Client<Connector, Incoming>,
    mut request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let bad = |why: &str| Err((StatusCode::BAD_REQUEST, why.to_owned()));
    let uri = request.uri();
    let (Some(scheme), Some(host)) = (uri.scheme(), uri.host()) else {
        return bad("a proxy is asked by CONNECT, or for a whole URL as in GET http://host/path");
    };
    if *scheme != Scheme::HTTP {
        return bad("only http:// URLs are forwarded; https:// goes by CONNECT");
    }
    let host = uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let Ok(host) = HeaderValue::try_from(host) else { return bad("the URL's host is none") };
    remove_those_of_the_connection(request.headers_mut());
    request.headers_mut().insert(header::HOST, host); // and not another one's
    let mut answer = servers.request(request).await.map_err(|error| refusal(&error))?;
    remove_those_of_the_connection(answer.headers_mut());
    Ok(answer.map(Either::Right))
}

fn remove_those_of_the_connection(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|names| names.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_THE_CONNECTION) {
        headers.remove(name);
    }
}

/// What is told of a request that got no answer.
fn refusal(error: &legacy::Error) -> Refusal {
    let mut causes = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    // The connector's error holds the dial's.
    let dial = causes.find_map(|cause| {
        let cause = cause.downcast_ref::<io::Error>()?.get_ref()?;
        cause.downcast_ref::<ConnectError>()
    });
    match dial {
        Some(error) => (code(error), error.to_string()),
        None => {
            let why: Vec<_> =
                std::iter::successors(error.source(), |&e| e.source()).map(ToString::to_string).collect();
            (StatusCode::BAD_GATEWAY, format!("the server gave no answer: {}", why.join(": ")))
        }
    }
}

/// RFC 9110, section 15.
fn code(error: &ConnectError) -> StatusCode {
    match error {
        ConnectError::NotInTailnet { .. } => StatusCode::FORBIDDEN,
        ConnectError::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        ConnectError::NotRunning { .. } | ConnectError::Closed { .. } => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_GATEWAY,
    }
}

fn text(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Either::Left(Full::from(text)));
    *answer.status_mut() = status;
    answer
}
