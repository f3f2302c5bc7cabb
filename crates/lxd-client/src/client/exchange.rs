//! Requests and their answers, on the connection that all requests share or on a dedicated one. A request is sent once
//! more when its connection was idle before and turns out to be dead.

use http::{HeaderMap, Method, Request, Response, Uri, header, response};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::capture_connection;

use super::Client;
use crate::Error;
use crate::envelope::Envelope;
use crate::transfer::Sniffed;
use crate::transport::{Body, BoxError, ByFacade, Http1, NO_ANSWER, Ready, UNSENT, Used, full, no_body};

/// The connection that a request is sent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConnectionKind {
    /// The one that all requests share, by HTTP/2. On a Unix socket this is a dedicated one.
    Shared,
    /// One of HTTP/1.1, which nothing else uses meanwhile: for long bodies and upgrades.
    Dedicated,
}

/// What goes before the body of a request.
pub(crate) struct Head {
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

impl Head {
    /// Whether it changes nothing, so that it can be sent twice.
    fn is_safe(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// A request that got no answer.
struct Failed {
    error: Error,
    /// The connection has carried an answer before, and was probably dead already.
    stale: bool,
    /// The server has not got it.
    unsent: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Failed {
        Failed { error, stale: false, unsent: false }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Error {
        failed.error
    }
}

impl Client {
    /// Sends a request, and gives its answer. The body is yet to be read.
    pub(crate) async fn exchange(
        &self,
        head: &Head,
        body: Sniffed,
        connection: ConnectionKind,
    ) -> Result<(response::Parts, Incoming), Error> {
        let body = match body {
            Sniffed::Long(stream) => return Ok(self.send(self.build(head, stream)?, connection).await?),
            Sniffed::Short(bytes) => bytes,
        };
        match self.send(self.build(head, full(body.clone()))?, connection).await {
            Err(failed) if failed.unsent || failed.stale && head.is_safe() => {
                Ok(self.send(self.build(head, full(body))?, connection).await?)
            }
            other => Ok(other?),
        }
    }

    /// Sends a request for another protocol, on a connection of HTTP/1.1 that may be there already.
    pub(crate) async fn request_upgrade(
        &self,
        head: &Head,
        ready: Option<Ready>,
    ) -> Result<Response<Incoming>, Error> {
        let ready = match ready {
            Some(ready) => ready,
            None => self.ready().await?,
        };
        match self.send_on(ready, self.build(head, no_body())?).await {
            Err(failed) if failed.stale => {
                Ok(self.send_on(self.fresh().await?, self.build(head, no_body())?).await?)
            }
            other => Ok(other?),
        }
    }

    fn build(&self, head: &Head, body: Body) -> Result<Request<Body>, Error> {
        let mut uri = self.shared.base.clone().into_parts();
        let path = head.path.parse().map_err(|_| Error::config(format!("{:?} is not a path", head.path)))?;
        uri.path_and_query = Some(path);
        let uri = Uri::from_parts(uri).map_err(|e| Error::config_because(e.to_string(), e))?;
        let mut request = Request::new(body);
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = head.headers.clone();
        if let Some(bearer) = &self.shared.bearer {
            request.headers_mut().insert(header::AUTHORIZATION, bearer.clone());
        }
        Ok(request)
    }

    async fn send(
        &self,
        mut request: Request<Body>,
        connection: ConnectionKind,
    ) -> Result<(response::Parts, Incoming), Failed> {
        // Not by the shared pool on a Unix socket: it may make a connection and then use another one, and Incus waits
        // for a request on each (see `ready_ahead`).
        if connection == ConnectionKind::Dedicated || self.is_local() {
            let ready = self.ready().await?;
            return Ok(self.send_on(ready, request).await?.into_parts());
        }
        let captured = capture_connection(&mut request);
        match self.shared.http.request(request).await {
            Ok(response) => {
                let (mut head, body) = response.into_parts();
                if let Some(used) = head.extensions.remove::<Used>() {
                    used.set();
                }
                let facade = head.extensions.remove::<ByFacade>();
                match facade.zip(head.headers.get(NO_ANSWER)) {
                    None => Ok((head, body)),
                    Some((facade, value)) => {
                        // Other requests make a new connection.
                        facade.give_up();
                        if let Some(connected) = &*captured.connection_metadata() {
                            connected.poison();
                        }
                        let unsent = value == UNSENT;
                        Err(Failed { error: self.unanswered(body).await, stale: true, unsent })
                    }
                }
            }
            Err(error) if error.is_connect() => Err(self.connecting(error.into()).into()),
            Err(error) => {
                let mut extensions = http::Extensions::new();
                if let Some(connected) = &*captured.connection_metadata() {
                    connected.get_extras(&mut extensions);
                }
                let stale = extensions.get::<Used>().is_some_and(Used::get);
                Err(Failed { error: self.broken(error), stale, unsent: false })
            }
        }
    }

    /// Sends a request on a connection of HTTP/1.1, or on a new one where that was closed before it took the request.
    async fn send_on(&self, ready: Ready, mut request: Request<Body>) -> Result<Response<Incoming>, Failed> {
        // A request of HTTP/1.1 has the path alone, and the host in a header.
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map(Uri::from).unwrap_or_default();
        let stale = ready.is_used();
        let mut failed = match self.http1().send(ready, request).await {
            Ok(response) => return Ok(response),
            Err(failed) => failed,
        };
        if stale && let Some(request) = failed.take_message() {
            let sent = self.http1().send(self.fresh().await?, request).await;
            return sent.map_err(|failed| self.broken(failed.into_error()).into());
        }
        Err(Failed { error: self.broken(failed.into_error()), stale, unsent: false })
    }

    /// The error of a façade that got no answer.
    async fn unanswered(&self, body: Incoming) -> Error {
        match self.collect(body).await {
            Ok(body) => match Envelope::parse(&body) {
                Ok(Envelope::Error { message, .. }) => self.broken(message),
                _ => self.broken("the façade got no answer"),
            },
            Err(error) => error,
        }
    }

    /// Opens the dedicated connection of a long transfer that is to come, so that it begins a few round trips earlier.
    /// Nothing is sent, and nothing is done on a Unix socket.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn open_ahead(&self) -> Result<(), Error> {
        if let Some(ready) = self.ready_ahead().await? {
            self.put_back(ready);
        }
        Ok(())
    }

    /// A connection of HTTP/1.1 for a request that is yet to come. There is none on a Unix socket: Incus 6.0
    /// accepts no other connection there while the one before has sent nothing.
    pub(crate) async fn ready_ahead(&self) -> Result<Option<Ready>, Error> {
        if self.is_local() { Ok(None) } else { self.ready().await.map(Some) }
    }

    /// Returns a connection that was not needed.
    pub(crate) fn put_back(&self, ready: Ready) {
        self.http1().put_back(ready);
    }

    async fn ready(&self) -> Result<Ready, Error> {
        self.http1().ready().await.map_err(|source| self.connecting(source))
    }

    async fn fresh(&self) -> Result<Ready, Error> {
        self.http1().fresh().await.map_err(|source| self.connecting(source))
    }

    fn connecting(&self, source: BoxError) -> Error {
        Error::connecting(self.name(), source)
    }

    fn http1(&self) -> &Http1 {
        &self.shared.http1
    }
}
