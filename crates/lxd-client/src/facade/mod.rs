//! A server on this machine that is, to stock clients, the remote LXD: `lxc` and pylxd with `LXD_DIR`.

mod tls;

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::task::JoinSet;

use crate::client::{Carrier, no_body};
use crate::connect::BoxError;
use crate::transfer::SHORT;
use crate::{Client, Error};

type Answer = Response<UnsyncBoxBody<Bytes, BoxError>>;

/// Headers that are about one connection and not about what it carries (RFC 9110, section 7.6.1).
const OF_THE_CONNECTION: [header::HeaderName; 6] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
];

/// How long a client's handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Carries what stock clients ask for to a remote server through a [`Client`]: its connections, its
/// certificate, its way. Websockets and SFTP are carried as they are.
///
/// Who can open its socket is who the client is to the remote server: keep the folder to those.
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> std::io::Result<()> {
/// // then: LXD_DIR=/run/user/1000/lxd-berlin lxc list
/// lxd_client::Facade::new(client).serve_unix("/run/user/1000/lxd-berlin/unix.socket".as_ref()).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Facade {
    client: Client,
}

impl Facade {
    /// A façade of the client's server. The client's project and target are not added to requests.
    #[must_use]
    pub fn new(client: Client) -> Facade {
        Facade { client }
    }

    /// Listens on a Unix socket, which only its owner can open, until the future is dropped; the socket is
    /// removed then. One that an earlier process left is replaced.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub async fn serve_unix(&self, path: &Path) -> io::Result<()> {
        // Made under another name, so that nobody else opens it before its permissions are set.
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(format!(".{}", std::process::id()));
        let temporary = PathBuf::from(temporary);
        let listener = UnixListener::bind(&temporary)?;
        let placed = std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o600))
            .and_then(|()| std::fs::rename(&temporary, path));
        if let Err(error) = placed {
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
        let _removed = RemoveOnDrop(path.to_owned());
        let mut connections = JoinSet::new();
        loop {
            if let Some((stream, _)) = accepted(listener.accept()).await {
                let facade = self.clone();
                connections.spawn(async move { facade.serve(stream).await });
            }
            while connections.try_join_next().is_some() {}
        }
    }

    /// Serves one connection, of whatever kind, to its end: for a caller that listens by itself, such as
    /// with TLS on loopback, and that knows who is at the other end.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        serve_connection(stream, |request| {
            let facade = self.clone();
            async move { facade.answer(request).await }
        })
        .await;
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let carried = if request.headers().contains_key(header::UPGRADE) {
            self.upgrade(request).await
        } else {
            self.carry(request).await
        };
        carried.unwrap_or_else(|error| {
            let causes: Vec<String> = crate::chain(&error).map(ToString::to_string).collect();
            refusal(StatusCode::BAD_GATEWAY, &causes.join(": "))
        })
    }

    async fn carry(&self, request: Request<Incoming>) -> Result<Answer, Error> {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
        // Long bodies have a connection of their own.
        let short = body.size_hint().upper().is_some_and(|length| length <= SHORT as u64);
        let carrier = if short { Carrier::Shared } else { Carrier::Own };
        let body = if body.is_end_stream() { no_body() } else { body.map_err(BoxError::from).boxed_unsync() };
        let request = self.client.assemble_request(head.method, &path, end_to_end(&head.headers), body)?;
        let (answer, body) = self.client.exchange(request, carrier).await?;
        let mut response = Response::new(body.map_err(BoxError::from).boxed_unsync());
        *response.status_mut() = answer.status;
        *response.headers_mut() = end_to_end(&answer.headers);
        Ok(response)
    }

    async fn upgrade(&self, mut request: Request<Incoming>) -> Result<Answer, Error> {
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
        let mut headers = end_to_end(request.headers());
        let protocol = request.headers().get(header::UPGRADE).cloned();
        headers.insert(header::CONNECTION, http::HeaderValue::from_static("Upgrade"));
        headers.extend(protocol.map(|p| (header::UPGRADE, p)));
        let upstream = |headers: &HeaderMap| {
            self.client.assemble_request(request.method().clone(), &path, headers.clone(), no_body())
        };
        let answer = match self.client.send_on(self.client.ready().await?, upstream(&headers)?).await {
            Err(failed) if failed.stale => {
                self.client.send_on(self.client.fresh().await?, upstream(&headers)?).await?
            }
            other => other?,
        };
        let mut response = Response::new(no_body());
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            *response.headers_mut() = end_to_end(answer.headers());
            *response.body_mut() = answer.into_body().map_err(BoxError::from).boxed_unsync();
            return Ok(response);
        }
        let here = hyper::upgrade::on(&mut request);
        let there = hyper::upgrade::on(answer);
        tokio::spawn(async move {
            let Ok((here, there)) = tokio::try_join!(here, there) else { return };
            let (mut here, mut there) = (TokioIo::new(here), TokioIo::new(there));
            let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
        });
        Ok(response)
    }
}

/// What a listener gives. Nothing after a pause where it fails, as without descriptors: the next may work.
async fn accepted<T>(accept: impl Future<Output = io::Result<T>>) -> Option<T> {
    match accept.await {
        Ok(accepted) => Some(accepted),
        Err(_) => {
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    headers.remove("keep-alive");
    headers
}

async fn serve_connection<F: Future<Output = Answer> + Send + 'static>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    answer: impl Fn(Request<Incoming>) -> F,
) {
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let mut server = auto::Builder::new(TokioExecutor::new());
    server.http1().timer(TokioTimer::new());
    if let Err(error) = server.serve_connection_with_upgrades(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection to the façade ended");
    }
}

/// In the API's own form, so that a stock client shows it.
fn refusal(status: StatusCode, message: &str) -> Answer {
    let body = json!({"type": "error", "error": message, "error_code": status.as_u16()});
    let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}
