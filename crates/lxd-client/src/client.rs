use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::{self, connect::capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower_service::Service;

use crate::connect::{BoxConnector, BoxError, Connect, UnixConnector, Used};
use crate::dial::Dial;
use crate::http1::{Http1, Ready};
use crate::{DialTrace, Error, Fingerprint, Identity, Server, ServerTrust, tls};

/// Newer LXD and Incus close a connection that was idle for 30 seconds; ours goes a little earlier.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(25);

/// No JSON answer of a server is that large; a thousand instances with their state are a few MB.
pub(crate) const MAX_ANSWER: usize = 64 << 20;

/// How much of an answer a server may send before it is read: enough for 100 MB/s over 100 ms.
const WINDOW: u32 = 10 << 20;

/// A connection on which the server is silent is asked whether it still lives, and given up when it does
/// not say.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long a server may send nothing on a websocket, if the client's user does not say.
const SILENCE: Duration = Duration::from_secs(30);

/// How long what a server said of itself is taken for true: it may be upgraded meanwhile.
const REMEMBERED: Duration = Duration::from_secs(300);

/// Where a server on this machine listens.
const LOCAL_SOCKETS: [&str; 3] =
    ["/var/snap/lxd/common/lxd/unix.socket", "/var/lib/lxd/unix.socket", "/var/lib/incus/unix.socket"];

/// How many commands connect their streams at the same time. As many again have their connections made, to be ready
/// when their turn comes.
const AT_ONCE: usize = 32;

/// How many operations are waited for on the connection that all requests share: servers carry 250 requests at once
/// on one, and the rest is for what ends sooner.
const SHARED_WAITS: usize = 100;

/// What a request carries.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;

/// A client of one LXD or Incus server. Clones share its connections, which are kept open and used again.
///
/// Requests go to the default project, and to any member of a cluster, until [`project`](Client::project) and
/// [`target`](Client::target) say otherwise.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    scope: Scope,
}

#[derive(Clone, Debug, Default)]
struct Scope {
    project: Option<Arc<str>>,
    target: Option<Arc<str>>,
    timeout: Option<Duration>,
}

struct Shared {
    http: legacy::Client<Dial, Body>,
    http1: Http1,
    dial: Dial,
    base: Uri,
    /// The server's name in errors.
    name: String,
    timeout: Duration,
    silence: Duration,
    bearer: Option<HeaderValue>,
    queue: Semaphore,
    turns: Semaphore,
    waits: Semaphore,
    /// What the server said of itself, once it trusted this client, and when.
    server: Mutex<Option<(Server, Instant)>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("server", &self.name).finish_non_exhaustive()
    }
}

/// How long a server is waited for.
struct Waits {
    timeout: Duration,
    silence: Duration,
}

/// Which connections a request goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// The one that all requests share, by HTTP/2; on a Unix socket the same as the other.
    Shared,
    /// One of HTTP/1.1, which nothing else uses meanwhile: for long bodies and upgrades.
    Own,
}

/// Says how to reach a server; from [`Client::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    server: Uri,
    connector: BoxConnector,
    trust: ServerTrust,
    identity: Option<Identity>,
    bearer: Option<String>,
    timeout: Duration,
    silence: Duration,
}

impl Client {
    /// Begins a client of the server at `https://host:port`, whose streams `connector` makes: a tailnet's connector, or
    /// any other `Service<Uri>` for hyper, which knows nothing of TLS; see [`Connect`].
    pub fn builder(server: Uri, connector: impl Connect) -> ClientBuilder {
        ClientBuilder {
            server,
            connector: BoxConnector::new(connector),
            trust: ServerTrust::SystemRoots,
            identity: None,
            bearer: None,
            timeout: Duration::from_secs(30),
            silence: SILENCE,
        }
    }

    /// A client of the server on this machine that listens on the Unix socket at `path`.
    ///
    /// # Errors
    /// When TLS cannot be set up, which this client does not use.
    pub fn unix(path: &Path, timeout: Duration) -> Result<Client, Error> {
        let name = path.display().to_string();
        let connector = BoxConnector::new(UnixConnector::new(path));
        let config = tls::trusting_nobody()?;
        let uri = Uri::from_static("http://lxd");
        Ok(Client::assemble(connector, config, uri, name, Waits { timeout, silence: SILENCE }, None))
    }

    /// A client of the server on this machine, by the socket that `lxc` would use: `$LXD_SOCKET`,
    /// `$LXD_DIR/unix.socket`, or that of the snap, of the distribution's package, or of Incus.
    ///
    /// # Errors
    /// When there is no such socket.
    pub fn local(timeout: Duration) -> Result<Client, Error> {
        let given = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let chosen = given("LXD_SOCKET").or_else(|| given("LXD_DIR").map(|dir| dir.join("unix.socket")));
        let usual = || LOCAL_SOCKETS.iter().map(PathBuf::from).find(|path| path.exists());
        match chosen.or_else(usual) {
            Some(path) => Client::unix(&path, timeout),
            None => {
                Err(config(format!("no LXD on this machine: none of {} is there", LOCAL_SOCKETS.join(", "))))
            }
        }
    }

    /// The same client, for a project. It costs nothing.
    #[must_use]
    pub fn project(&self, project: &str) -> Client {
        let mut client = self.clone();
        client.scope.project = Some(project.into());
        client
    }

    /// The same client, for one member of a cluster. It costs nothing.
    #[must_use]
    pub fn target(&self, member: &str) -> Client {
        let mut client = self.clone();
        client.scope.target = Some(member.into());
        client
    }

    /// The same client, for what is in no project and on no member.
    pub(crate) fn unscoped(&self) -> Client {
        let mut client = self.clone();
        (client.scope.project, client.scope.target) = (None, None);
        client
    }

    /// The same client, whose requests may take this long.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Client {
        let mut client = self.clone();
        client.scope.timeout = Some(timeout);
        client
    }

    /// How many connections it and its clones have made so far. Over a long way each costs two round trips,
    /// or three.
    #[must_use]
    pub fn connections_made(&self) -> u64 {
        self.shared.dial.made()
    }

    /// How long the steps of the newest connection took that all requests share, for those who measure the server: ask
    /// for it after a request. When that failed, it shows which step did. `None` before the first, and on a Unix socket.
    #[must_use]
    pub fn dial_trace(&self) -> Option<DialTrace> {
        self.shared.dial.newest()
    }

    fn assemble(
        connector: BoxConnector,
        config: rustls::ClientConfig,
        base: Uri,
        name: String,
        Waits { timeout, silence }: Waits,
        bearer: Option<HeaderValue>,
    ) -> Client {
        let dial = Dial::any(config.clone(), connector.clone(), timeout);
        let http1 = Http1::new(Dial::http1(config, connector, &dial), base.clone());
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .http2_keep_alive_timeout(KEEP_ALIVE)
            .http2_initial_stream_window_size(WINDOW)
            .http2_initial_connection_window_size(WINDOW)
            .build(dial.clone());
        let server = Mutex::default();
        let [queue, turns, waits] = [2 * AT_ONCE, AT_ONCE, SHARED_WAITS].map(Semaphore::new);
        let shared =
            Shared { http, http1, dial, base, name, timeout, silence, bearer, queue, turns, waits, server };
        Client { shared: Arc::new(shared), scope: Scope::default() }
    }

    /// Whether it goes by a Unix socket.
    pub(crate) fn is_local(&self) -> bool {
        self.shared.base.scheme() == Some(&http::uri::Scheme::HTTP)
    }

    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// The project that its requests are for, where it has one.
    pub(crate) fn own_project(&self) -> Option<&str> {
        self.scope.project.as_deref()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.scope.timeout.unwrap_or(self.shared.timeout)
    }

    /// How long a websocket's server may be silent; as long as it likes on this machine.
    pub(crate) fn silence(&self) -> Option<Duration> {
        (!self.is_local()).then_some(self.shared.silence)
    }

    pub(crate) fn http1(&self) -> &Http1 {
        &self.shared.http1
    }

    /// The project and the target, for a query; not the project when the query has one of its own.
    pub(crate) fn scope_query(&self, has_project: bool) -> impl Iterator<Item = (&'static str, &str)> {
        let project = self.scope.project.as_deref().filter(|_| !has_project).map(|p| ("project", p));
        project.into_iter().chain(self.scope.target.as_deref().map(|t| ("target", t)))
    }

    /// What the server said of itself, which is asked anew after a while.
    pub(crate) async fn known_server(&self) -> Result<Server, Error> {
        match self.remembered() {
            Some((server, _)) => Ok(server),
            None => self.ask_server().await,
        }
    }

    /// What the server says of itself now. Boxed: this is part of every request, and is one itself.
    pub(crate) fn ask_server(&self) -> Pin<Box<dyn Future<Output = Result<Server, Error>> + Send + '_>> {
        Box::pin(self.server())
    }

    /// Keeps what the server said of itself, once it trusts this client: until then it says less.
    pub(crate) fn keep_server(&self, server: &Server) {
        if server.environment.is_some() {
            let mut kept = self.shared.server.lock().unwrap_or_else(PoisonError::into_inner);
            *kept = Some((server.clone(), Instant::now()));
        }
    }

    /// What the server said of itself lately, and how long ago.
    pub(crate) fn remembered(&self) -> Option<(Server, Duration)> {
        let kept = self.shared.server.lock().unwrap_or_else(PoisonError::into_inner);
        let (server, since) = kept.as_ref()?;
        let age = since.elapsed();
        (age < REMEMBERED).then(|| (server.clone(), age))
    }

    pub(crate) fn assemble_request(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        body: Body,
    ) -> Result<Request<Body>, Error> {
        let mut uri = self.shared.base.clone().into_parts();
        uri.path_and_query = Some(path.parse().map_err(|_| config(format!("{path:?} is not a path")))?);
        let uri = Uri::from_parts(uri).map_err(|e| config(e.to_string()))?;
        if let Some(bearer) = &self.shared.bearer {
            headers.insert(header::AUTHORIZATION, bearer.clone());
        }
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Sends a request.
    pub(crate) async fn exchange(
        &self,
        mut request: Request<Body>,
        carrier: Carrier,
    ) -> Result<(http::response::Parts, Incoming), Failed> {
        let Shared { http, name, .. } = &*self.shared;
        // The shared pool may connect for a request that another connection then carries: see `ready_ahead`.
        if carrier == Carrier::Own || self.is_local() {
            let ready = self.ready().await?;
            return Ok(self.send_on(ready, request).await?.into_parts());
        }
        let captured = capture_connection(&mut request);
        match http.request(request).await {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                if let Some(used) = head.extensions.remove::<Used>() {
                    used.set();
                }
                Ok((head, body))
            }
            Err(error) if error.is_connect() => Err(Error::connecting(name, error.into()).into()),
            Err(error) => {
                let mut extensions = http::Extensions::new();
                if let Some(connected) = &*captured.connection_metadata() {
                    connected.get_extras(&mut extensions);
                }
                let stale = extensions.get::<Used>().is_some_and(Used::get);
                Err(Failed { error: self.broken(error), stale })
            }
        }
    }

    /// A connection of HTTP/1.1.
    pub(crate) async fn ready(&self) -> Result<Ready, Error> {
        self.shared.http1.ready().await.map_err(|source| Error::connecting(self.name(), source))
    }

    /// A connection of HTTP/1.1 for a request that is yet to come. There is none on a Unix socket: Incus 6.0
    /// accepts no other connection there while the one before has sent nothing.
    pub(crate) async fn ready_ahead(&self) -> Result<Option<Ready>, Error> {
        if self.is_local() { Ok(None) } else { self.ready().await.map(Some) }
    }

    /// A new connection of HTTP/1.1.
    pub(crate) async fn fresh(&self) -> Result<Ready, Error> {
        self.shared.http1.fresh().await.map_err(|source| Error::connecting(self.name(), source))
    }

    /// A place among those that make the connections of several websockets at once.
    pub(crate) async fn queue(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.shared.queue.acquire().await.ok() // never closed
    }

    /// A place among the few that connect several websockets at once.
    pub(crate) async fn turn(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.shared.turns.acquire().await.ok() // never closed
    }

    /// A place among the waits on the shared connection, where there is one.
    pub(crate) fn wait_slot(&self) -> Option<tokio::sync::SemaphorePermit<'_>> {
        self.shared.waits.try_acquire().ok()
    }

    /// Sends a request on a connection of HTTP/1.1, or on a new one where a kept one takes it no more.
    pub(crate) async fn send_on(
        &self,
        ready: Ready,
        mut request: Request<Body>,
    ) -> Result<http::Response<Incoming>, Failed> {
        // A request of HTTP/1.1 has the path alone, and the host in a header.
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
        let stale = ready.is_used();
        let mut failed = match self.shared.http1.send(ready, request).await {
            Ok(response) => return Ok(response),
            Err(failed) => failed,
        };
        // The connection was dead before it took the request.
        if stale && let Some(request) = failed.take_message() {
            let sent = self.shared.http1.send(self.fresh().await?, request).await;
            return sent.map_err(|failed| self.broken(failed.into_error()).into());
        }
        Err(Failed { error: self.broken(failed.into_error()), stale })
    }
}

/// A request that got no answer.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// The connection came from the pool, and was probably dead before.
    pub(crate) stale: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, stale: false }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        failed.error
    }
}

pub(crate) fn no_body() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

impl ClientBuilder {
    /// By what to know the server. Default: the system's certificate authorities, which know few LXD servers.
    pub fn trust(mut self, trust: ServerTrust) -> Self {
        self.trust = trust;
        self
    }

    /// The certificate to show to the server.
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The token of a login by OpenID Connect, or of another kind that the server takes as a bearer token.
    /// A server that wants a (new) one answers with [`Error::LoginRequired`].
    pub fn bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }

    /// How long a request may take, from the connection to the last byte. Default: 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long a server may send nothing on a websocket, of a command, a console, events, an operation or a copy,
    /// before that ends with an error. The server is asked for a sign of life from a third of it on, and is not given
    /// up while it answers. Default: 30 seconds. Less than 20 is too little: LXD does not read, and so not answer, on each
    /// websocket of a command, but pings on each every ten seconds.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.silence = silence;
        self
    }

    /// Makes the client. It connects with its first request.
    ///
    /// # Errors
    /// When the server's URI is not `https://host:port`, or the identity's key does not fit its certificate.
    pub fn build(self) -> Result<Client, Error> {
        let name = check_server(&self.server)?;
        let config = tls::client_config(&self.trust, self.identity)?;
        let bearer = self.bearer.map(|token| {
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
                crate::client::config("the bearer token has characters that no token has".into())
            })?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        let bearer = bearer.transpose()?;
        let waits = Waits { timeout: self.timeout, silence: self.silence };
        Ok(Client::assemble(self.connector, config, self.server, name, waits, bearer))
    }
}

/// Asks a server for the fingerprint of its certificate, without trusting it: for a person to compare,
/// as `lxc remote add` does. The server has proven that it holds the certificate's key.
///
/// Cancel safe.
///
/// # Errors
/// When there is no connection to the server within the timeout.
pub async fn fetch_fingerprint(
    server: Uri,
    connector: impl Connect,
    timeout: Duration,
) -> Result<Fingerprint, Error> {
    fetch_certificate(server, connector, timeout).await.map(|certificate| Fingerprint::of(&certificate))
}

pub(crate) async fn fetch_certificate(
    server: Uri,
    connector: impl Connect,
    timeout: Duration,
) -> Result<CertificateDer<'static>, Error> {
    let name = check_server(&server)?;
    let (config, verifier) = tls::recording_config()?;
    let mut dial = Dial::any(config, BoxConnector::new(connector), timeout);
    let handshake = async {
        poll_fn(|cx| dial.poll_ready(cx)).await?;
        dial.call(server).await.map(drop)
    };
    tokio::time::timeout(timeout, handshake)
        .await
        .map_err(|_| Error::Timeout { server: name.clone(), after: timeout })?
        .map_err(|e| Error::connecting(&name, e))?;
    verifier.seen().ok_or(Error::Protocol { server: name, message: "no certificate".to_owned() })
}

fn check_server(server: &Uri) -> Result<String, Error> {
    match server.authority() {
        Some(authority) if server.scheme() == Some(&http::uri::Scheme::HTTPS) => Ok(authority.to_string()),
        _ => Err(config(format!("{server} is not https://host:port"))),
    }
}

fn config(message: String) -> Error {
    Error::Config { message }
}
