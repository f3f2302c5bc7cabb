//! How a client is made: for a server at an address, or on this machine by its Unix socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::capabilities::Remembered;
use super::limits::Limits;
use super::{Client, Scope, Shared};
use crate::transport::{BoxConnector, ByFacade, Connect, Dial, Http1, IDLE_TIMEOUT, UnixConnector, tls};
use crate::{Error, Identity, ServerTrust};

/// How much of an answer a server may send before it is read: enough for 100 MB/s over 100 ms.
const WINDOW: u32 = 10 << 20;

/// A shared connection on which the server is silent is pinged after this time, and given up when the answer takes as
/// long.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long a request may take, if the client's user does not say.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How long a server may send nothing on a websocket, if the client's user does not say.
const SILENCE: Duration = Duration::from_secs(30);

/// Where a server on this machine listens.
const LOCAL_SOCKETS: [&str; 3] =
    ["/var/snap/lxd/common/lxd/unix.socket", "/var/lib/lxd/unix.socket", "/var/lib/incus/unix.socket"];

/// How to reach a server, and by what to know it; from [`Client::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    server: Uri,
    connector: BoxConnector,
    facade: Option<ByFacade>,
    trust: ServerTrust,
    identity: Option<Identity>,
    bearer: Option<String>,
    timeout: Duration,
    silence: Duration,
}

/// How long a server is waited for.
struct Waits {
    timeout: Duration,
    silence: Duration,
}

impl Client {
    /// Builds a client of the server at `https://host:port`. `connector` makes its streams, without TLS: the connector of
    /// a tailnet, or any other `Service<Uri>` for hyper; see [`Connect`].
    pub fn builder(server: Uri, connector: impl Connect) -> ClientBuilder {
        ClientBuilder {
            server,
            connector: BoxConnector::new(connector),
            facade: None,
            trust: ServerTrust::SystemRoots,
            identity: None,
            bearer: None,
            timeout: TIMEOUT,
            silence: SILENCE,
        }
    }

    /// A client of the server on this machine that listens on the Unix socket at `path`.
    ///
    /// # Errors
    /// When TLS cannot be set up, which this client does not use.
    pub fn unix(path: &Path, timeout: Duration) -> Result<Client, Error> {
        let name = path.display().to_string();
        let connectors = (BoxConnector::new(UnixConnector::new(path)), None);
        let config = tls::trusting_nobody()?;
        let uri = Uri::from_static("http://lxd");
        Ok(Client::assemble(connectors, config, uri, name, Waits { timeout, silence: SILENCE }, None))
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
            None => Err(Error::config(format!(
                "no LXD on this machine: none of {} is there",
                LOCAL_SOCKETS.join(", ")
            ))),
        }
    }

    fn assemble(
        (connector, facade): (BoxConnector, Option<ByFacade>),
        config: rustls::ClientConfig,
        base: Uri,
        name: String,
        Waits { timeout, silence }: Waits,
        bearer: Option<HeaderValue>,
    ) -> Client {
        let dial = Dial::any(config.clone(), connector.clone(), facade, timeout);
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
        let (limits, remembered) = (Limits::new(), Remembered::default());
        let shared = Shared { http, http1, dial, base, name, timeout, silence, bearer, limits, remembered };
        Client { shared: Arc::new(shared), scope: Scope::default() }
    }
}

impl ClientBuilder {
    /// Sends what needs no dedicated connection by a façade (`Facade`) of the same server in another process, whose
    /// connections to the server are open already. `connector` makes streams to the façade. Where it fails, and for
    /// websockets, long bodies and SFTP, the client makes connections of its own. A façade that gets no answer from the
    /// server is used no more, and what can be sent again is sent by the client's own connection.
    pub fn facade(mut self, connector: impl Connect) -> Self {
        self.facade = Some(ByFacade::new(connector));
        self
    }

    /// How to verify the server. Default: by the system's certificate authorities, which few LXD servers have a
    /// certificate of.
    pub fn trust(mut self, trust: ServerTrust) -> Self {
        self.trust = trust;
        self
    }

    /// The client certificate, by which the server knows this client.
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

    /// How long a server may send nothing on a websocket (of a command, a console, events or a migration) before that
    /// ends with an error. After a third of this time the server is pinged; it is not given up while it answers.
    /// Default: 30 seconds. Less than 20 is too little: LXD does not read each websocket of a command, and so does not
    /// answer there, but pings on each of them every ten seconds.
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
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| Error::config("the bearer token has characters that no token has"))?;
            value.set_sensitive(true);
            Ok::<_, Error>(value)
        });
        let bearer = bearer.transpose()?;
        let waits = Waits { timeout: self.timeout, silence: self.silence };
        Ok(Client::assemble((self.connector, self.facade), config, self.server, name, waits, bearer))
    }
}

/// Checks a server's URI, and gives the server's name for errors.
pub(super) fn check_server(server: &Uri) -> Result<String, Error> {
    match server.authority() {
        Some(authority) if server.scheme() == Some(&http::uri::Scheme::HTTPS) => Ok(authority.to_string()),
        _ => Err(Error::config(format!("{server} is not https://host:port"))),
    }
}
