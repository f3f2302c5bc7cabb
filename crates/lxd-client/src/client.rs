use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower_service::Service;

use crate::connect::{BoxConnector, Connect, UnixConnector};
use crate::envelope::Envelope;
use crate::{Error, Fingerprint, Identity, ServerTrust, tls};

/// Newer LXD and Incus close a connection that was idle for 30 seconds; ours goes a little earlier.
const IDLE_TIMEOUT: Duration = Duration::from_secs(25);

/// No JSON answer of a server is that large; a thousand instances with their state are a few MB.
const MAX_ANSWER: usize = 64 << 20;

/// A client of one LXD or Incus server. Clones share its connections, which are kept open and used again.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    http: legacy::Client<HttpsConnector<BoxConnector>, Full<Bytes>>,
    base: Uri,
    /// The server's name in errors.
    name: String,
    timeout: Duration,
}

/// Says how to reach a server; from [`Client::builder`].
#[must_use = "a builder does nothing until `build`"]
pub struct ClientBuilder {
    server: Uri,
    connector: BoxConnector,
    trust: ServerTrust,
    identity: Option<Identity>,
    timeout: Duration,
}

impl Client {
    /// Begins a client of the server at `https://host:port`, whose streams `connector` makes: a
    /// tailnet's connector, or any other `Service<Uri>` for hyper.
    pub fn builder(server: Uri, connector: impl Connect) -> ClientBuilder {
        ClientBuilder {
            server,
            connector: BoxConnector::new(connector),
            trust: ServerTrust::SystemRoots,
            identity: None,
            timeout: Duration::from_secs(30),
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
        Ok(Client::assemble(connector, config, Uri::from_static("http://lxd"), name, timeout))
    }

    fn assemble(
        connector: BoxConnector,
        config: rustls::ClientConfig,
        base: Uri,
        name: String,
        timeout: Duration,
    ) -> Client {
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(https(config, connector));
        Client { shared: Arc::new(Shared { http, base, name, timeout }) }
    }

    /// Sends a request and gives the result's `metadata`. `path` begins with `/1.0`.
    pub(crate) async fn request<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Error> {
        let Shared { name, timeout, .. } = &*self.shared;
        let exchange = tokio::time::timeout(*timeout, self.exchange(method, path, body));
        let envelope =
            exchange.await.map_err(|_| Error::Timeout { server: name.clone(), after: *timeout })??;
        match envelope {
            Envelope::Sync(metadata) => {
                serde_json::from_value(metadata).map_err(|e| self.protocol(e.to_string()))
            }
            Envelope::Async(_) => Err(self.protocol("an operation instead of a result".to_owned())),
            Envelope::Error { code: 401 | 403, message } => Err(Error::NotTrusted { message }),
            Envelope::Error { code, message } => Err(Error::Api { code, message }),
        }
    }

    async fn exchange(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Envelope, Error> {
        let Shared { http, base, name, .. } = &*self.shared;
        let mut uri = base.clone().into_parts();
        uri.path_and_query = Some(path.parse().map_err(|_| config(format!("{path:?} is not a path")))?);
        let uri = Uri::from_parts(uri).map_err(|e| config(e.to_string()))?;
        let mut request = Request::builder().method(method).uri(uri);
        let body = match body {
            // A form's content type would make the server read the body as one (LXD.md section 2).
            Some(value) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Bytes::from(value.to_string())
            }
            None => Bytes::new(),
        };
        let request = request.body(Full::new(body)).map_err(|e| config(e.to_string()))?;
        let response = http.request(request).await.map_err(|e| {
            if e.is_connect() {
                Error::connecting(name, e.into())
            } else {
                Error::Broken { server: name.clone(), source: e.into() }
            }
        })?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|source| {
            if source.is::<LengthLimitError>() {
                self.protocol(format!("more than {} MiB", MAX_ANSWER >> 20))
            } else {
                Error::Broken { server: name.clone(), source }
            }
        })?;
        Envelope::parse(&body.to_bytes()).map_err(|e| self.protocol(format!("HTTP status {status}, {e}")))
    }

    fn protocol(&self, message: String) -> Error {
        Error::Protocol { server: self.shared.name.clone(), message }
    }
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

    /// How long a request may take, from the connection to the last byte. Default: 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes the client. It connects with its first request.
    ///
    /// # Errors
    /// When the server's URI is not `https://host:port`, or the identity's key does not fit its certificate.
    pub fn build(self) -> Result<Client, Error> {
        let name = check_server(&self.server)?;
        let config = tls::client_config(&self.trust, self.identity)?;
        Ok(Client::assemble(self.connector, config, self.server, name, self.timeout))
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
    let name = check_server(&server)?;
    let (config, verifier) = tls::recording_config()?;
    let mut https = https(config, BoxConnector::new(connector));
    let handshake = async {
        poll_fn(|cx| https.poll_ready(cx)).await?;
        https.call(server).await.map(drop)
    };
    tokio::time::timeout(timeout, handshake)
        .await
        .map_err(|_| Error::Timeout { server: name.clone(), after: timeout })?
        .map_err(|e| Error::connecting(&name, e))?;
    verifier.seen().ok_or(Error::Protocol { server: name, message: "no certificate".to_owned() })
}

fn https(config: rustls::ClientConfig, connector: BoxConnector) -> HttpsConnector<BoxConnector> {
    HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_or_http() // http is for Unix sockets only: see check_server
        .enable_all_versions()
        .wrap_connector(connector)
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
