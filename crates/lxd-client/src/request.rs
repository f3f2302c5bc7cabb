//! One request: what every area of the API is made of.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncRead;
use tracing::{Instrument, Span};

use crate::client::{ConnectionKind, Head};
use crate::envelope::Envelope;
use crate::operation::Operation;
use crate::path::{ApiPath, push_query};
use crate::redacted::Hidden;
use crate::sending;
use crate::transfer::{Sniffed, Uploading, body_of, sniff};
use crate::transport::{Body, BoxError, Ready};
use crate::{Client, Download, Error, Versioned};

/// No JSON answer of a server is that large; a thousand instances with their state are a few MB.
pub(crate) const MAX_ANSWER: usize = 64 << 20;

/// A request to any endpoint, from [`Client::get`] and its like: for what this crate has no method for.
///
/// The client's project and target are added to its query. Its body is set by `json`, `body` or `body_from`. It is sent
/// by one of `fetch`, `versioned`, `list`, `envelope`, `text`, `bytes`, `download`, `done` and `operation`, by what the answer is to
/// become. Each has the client's timeout, and is cancelled by dropping its future.
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let leases: Vec<serde_json::Value> = client.get(["networks", "lxdbr0", "leases"]).list().await?;
///
/// // Bytes there; the names of headers begin with X-Incus- at an Incus.
/// let push = client.post(["instances", "c1", "files"]).query("path", "/etc/motd");
/// push.header("X-LXD-mode", "0644").body("Welcome\n").done().await?;
///
/// // A stream from there.
/// let mut image = client.get(["images", "debian", "export"]).download().await?;
/// tokio::io::copy(&mut image, &mut tokio::fs::File::create("debian.tar.gz").await?).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct Request {
    client: Client,
    method: Method,
    path: ApiPath,
    scoped: bool,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Payload,
    needs: Vec<&'static str>,
    deadline: Deadline,
    connection: ConnectionKind,
    fault: Option<Error>,
}

/// Names only: values of queries and headers, and bodies, may be secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let headers: Vec<&str> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Request")
            .field("client", &self.client)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("query", &Hidden(&self.query))
            .field("headers", &headers)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

enum Payload {
    None,
    Json(Bytes),
    Bytes(Bytes),
    Stream(Body),
}

/// How long a request may take.
#[derive(Debug)]
enum Deadline {
    After(Duration),
    /// No limit: the answer comes when something at the server ends.
    None,
    /// No limit, as long as the server takes what is sent.
    Upload(Arc<Uploading>),
}

impl Client {
    /// Begins a request; see [`Request`].
    pub fn request(&self, method: Method, path: impl Into<ApiPath>) -> Request {
        Request {
            client: self.clone(),
            method,
            path: path.into(),
            scoped: true,
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Payload::None,
            needs: Vec::new(),
            deadline: Deadline::After(self.timeout()),
            connection: ConnectionKind::Shared,
            fault: None,
        }
    }

    /// Begins a GET.
    pub fn get(&self, path: impl Into<ApiPath>) -> Request {
        self.request(Method::GET, path)
    }

    /// Begins a POST.
    pub fn post(&self, path: impl Into<ApiPath>) -> Request {
        self.request(Method::POST, path)
    }

    /// Begins a PUT.
    pub fn put(&self, path: impl Into<ApiPath>) -> Request {
        self.request(Method::PUT, path)
    }

    /// Begins a PATCH.
    pub fn patch(&self, path: impl Into<ApiPath>) -> Request {
        self.request(Method::PATCH, path)
    }

    /// Begins a DELETE.
    pub fn delete(&self, path: impl Into<ApiPath>) -> Request {
        self.request(Method::DELETE, path)
    }
}

impl Request {
    /// Adds `name=value` to the query.
    pub fn query(mut self, name: &str, value: impl ToString) -> Request {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    /// Leaves out the client's project and target.
    pub fn unscoped(mut self) -> Request {
        self.scoped = false;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.fault = Some(Error::config(format!("the header {name} cannot have this value"))),
        }
        self
    }

    /// Makes it fail with [`Error::Config`] when it is sent.
    pub(crate) fn refuse(mut self, message: String) -> Request {
        self.fault = Some(Error::config(message));
        self
    }

    /// Sends this as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Request {
        match sending::json(body) {
            Ok(json) => self.body = Payload::Json(json.into()),
            Err(error) => {
                let message = format!("the body is not JSON: {error}");
                self.fault = Some(Error::config_because(message, error));
            }
        }
        self
    }

    /// Sends these bytes, or this text, as `application/octet-stream` where no header `content-type` says otherwise.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = Payload::Bytes(body.into().into());
        self
    }

    /// Sends everything that `source` gives, as it is read; see [`body`](Request::body). There is no limit to the whole
    /// time: it fails when the server takes nothing for as long as the client's timeout.
    pub fn body_from(self, source: impl AsyncRead + Send + 'static) -> Request {
        self.upload(body_of(source))
    }

    /// Sends a stream of bytes; a long one on a dedicated connection.
    pub(crate) fn stream(mut self, body: Body) -> Request {
        self.body = Payload::Stream(body);
        self.on_dedicated_connection()
    }

    /// Sends it on a connection that nothing else uses meanwhile.
    pub(crate) fn on_dedicated_connection(mut self) -> Request {
        self.connection = ConnectionKind::Dedicated;
        self
    }

    /// Sends a stream of bytes that may take as long as the server takes it.
    pub(crate) fn upload(mut self, body: Body) -> Request {
        let uploading = Arc::<Uploading>::default();
        self.body = Payload::Stream(uploading.watch(body));
        self.deadline = Deadline::Upload(uploading);
        self.on_dedicated_connection()
    }

    /// Makes the server refuse the update if the value was changed since it was read.
    pub fn if_match<T>(self, value: &Versioned<T>) -> Request {
        match &value.etag {
            Some(etag) => self.header("if-match", etag),
            None => self,
        }
    }

    /// Fails with [`Error::Unsupported`] and sends nothing when the server does not have this API extension.
    pub fn needs(mut self, extension: &'static str) -> Request {
        self.needs.push(extension);
        self
    }

    /// Another deadline than the client's.
    pub fn timeout(mut self, timeout: Duration) -> Request {
        self.deadline = Deadline::After(timeout);
        self
    }

    /// No deadline, other than that for a connection: for an answer that comes when something ends.
    pub(crate) fn no_timeout(mut self) -> Request {
        self.deadline = Deadline::None;
        self
    }

    /// Sends it and gives the result.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn fetch<T: DeserializeOwned>(self) -> Result<T, Error> {
        Ok(self.versioned().await?.value)
    }

    /// Sends it and gives the result with its version.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn versioned<T: DeserializeOwned>(self) -> Result<Versioned<T>, Error> {
        let client = self.client.clone();
        let (envelope, headers) = self.answer().await?;
        let value = match envelope {
            Envelope::Sync(metadata) => metadata.read().map_err(|e| client.malformed(e)),
            Envelope::Async(_) => Err(client.protocol("an operation instead of a result")),
            Envelope::Error { code, message } => Err(client.refused(code, message, &headers).await),
        }?;
        let etag = headers.get(header::ETAG).and_then(|v| v.to_str().ok()).map(str::to_owned);
        Ok(Versioned { value, etag })
    }

    /// Sends it and gives the result, a list; servers have `null` for an empty one.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn list<T: DeserializeOwned>(self) -> Result<Vec<T>, Error> {
        Ok(self.fetch::<Option<Vec<T>>>().await?.unwrap_or_default())
    }

    /// Sends it and waits until it is done, where the server makes an operation of it too.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn done(self) -> Result<(), Error> {
        let client = self.client.clone();
        let (envelope, headers) = self.answer().await?;
        match envelope {
            Envelope::Sync(_) => Ok(()),
            Envelope::Async(operation) => Operation::begun(&client, &operation)?.wait().await.map(drop),
            Envelope::Error { code, message } => Err(client.refused(code, message, &headers).await),
        }
    }

    /// Sends it and gives the operation that it begins.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn operation(self) -> Result<Operation, Error> {
        let client = self.client.clone();
        let (envelope, headers) = self.answer().await?;
        match envelope {
            Envelope::Async(operation) => Operation::begun(&client, &operation),
            // Some servers do at once what others make an operation of.
            Envelope::Sync(_) => Ok(Operation::done(&client)),
            Envelope::Error { code, message } => Err(client.refused(code, message, &headers).await),
        }
    }

    /// Sends it and gives the whole answer: the object with `type`, `metadata` and the rest, for a result and for an operation
    /// alike.
    ///
    /// # Errors
    /// See [`Error`]. An answer that is an error becomes one.
    pub async fn envelope(self) -> Result<serde_json::Value, Error> {
        let (client, connection) = (self.client.clone(), self.connection);
        let (body, headers) = self
            .deadline(async |request: Request| {
                let (head, body) = request.send(connection).await?;
                Ok((client.collect(body).await?, head.headers))
            })
            .await?;
        match Envelope::parse(&body) {
            Ok(Envelope::Error { code, message }) => Err(client.refused(code, message, &headers).await),
            Ok(_) => serde_json::from_slice(&body).map_err(|e| client.malformed(e)),
            Err(error) => Err(client.malformed(error)),
        }
    }

    /// Sends it and gives the answer as it is, which is text and no JSON envelope.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn text(self) -> Result<String, Error> {
        let client = self.client.clone();
        String::from_utf8(self.bytes().await?.into()).map_err(|e| client.malformed(e))
    }

    /// Sends it and gives the answer as it is, which are bytes and no JSON envelope; up to 64 MiB.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let client = self.client.clone();
        let whole = self.deadline(async |request: Request| {
            let (head, body) = request.send(ConnectionKind::Shared).await?;
            let body = client.collect(body).await?;
            Ok((head, body))
        });
        let (head, body) = whole.await?;
        client.succeeded(&head, &body).await?;
        Ok(body)
    }

    /// Sends it and gives the answer as a stream of bytes, with its headers: for what is long and no JSON envelope.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn download(self) -> Result<Download, Error> {
        let client = self.client.clone();
        let (head, body) = self.streamed().await?;
        Ok(Download::new(client.timeout(), head.headers, body))
    }

    /// [`download`](Request::download) from this byte of the answer's body on.
    pub(crate) async fn download_from(self, offset: u64) -> Result<Download, Error> {
        if offset == 0 {
            return self.download().await;
        }
        let client = self.client.clone();
        let download = self.header("range", &format!("bytes={offset}-")).download().await?;
        let range = download.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
        if range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-"))) {
            return Ok(download);
        }
        Err(client.protocol(format!("not the bytes from {offset} on")))
    }

    /// Sends it and gives the envelope, whatever is in it.
    pub(crate) async fn answer(self) -> Result<(Envelope, HeaderMap), Error> {
        let (client, connection) = (self.client.clone(), self.connection);
        self.deadline(async |request: Request| {
            let (head, body) = request.send(connection).await?;
            let body = client.collect(body).await?;
            let status = head.status;
            let envelope =
                Envelope::parse(&body).map_err(|e| client.protocol(format!("HTTP status {status}, {e}")))?;
            Ok((envelope, head.headers))
        })
        .await
    }

    /// Sends it on a dedicated connection and gives the answer, whose body is yet to be read. An answer
    /// that is an error becomes one.
    pub(crate) async fn streamed(self) -> Result<(http::response::Parts, Incoming), Error> {
        let client = self.client.clone();
        self.deadline(async |request: Request| {
            let (head, body) = request.send(ConnectionKind::Dedicated).await?;
            if head.status.is_success() {
                return Ok((head, body));
            }
            if head.status == http::StatusCode::RANGE_NOT_SATISFIABLE {
                // The body is not read: LXD 5.0 sends a shorter one than it says.
                return Err(Error::Api { code: 416, message: "it has no such byte".to_owned() });
            }
            let body = client.collect(body).await?;
            client.succeeded(&head, &body).await?;
            Err(client.protocol(format!("HTTP status {}", head.status)))
        })
        .await
    }

    /// Sends it and gives the answer's head; for a HEAD, which has no body.
    pub(crate) async fn head_answer(self) -> Result<(http::response::Parts, Incoming), Error> {
        self.deadline(async |request: Request| request.send(ConnectionKind::Shared).await).await
    }

    /// Neither the query nor headers and body are in it: they may hold secrets.
    pub(crate) fn span(&self) -> Span {
        let path = self.path.without_query().unwrap_or_default();
        tracing::debug_span!("request", server = self.client.name(), method = %self.method, path)
    }

    async fn deadline<T>(self, work: impl AsyncFnOnce(Request) -> Result<T, Error>) -> Result<T, Error> {
        let (server, timeout) = (self.client.name().to_owned(), self.client.timeout());
        let span = self.span();
        // On the heap, so that the futures of callers, which have it in them many times over, are small.
        let work = |request| Box::pin(work(request).instrument(span));
        match &self.deadline {
            Deadline::After(after) => {
                let after = *after;
                tokio::time::timeout(after, work(self)).await.map_err(|_| Error::Timeout { server, after })?
            }
            Deadline::None => work(self).await,
            Deadline::Upload(uploading) => {
                let uploading = Arc::clone(uploading);
                tokio::select! {
                    done = work(self) => done,
                    () = uploading.stalled(timeout) => Err(Error::Timeout { server, after: timeout }),
                }
            }
        }
    }

    async fn send(self, connection: ConnectionKind) -> Result<(http::response::Parts, Incoming), Error> {
        let client = self.client.clone();
        let (head, payload) = self.head().await?;
        let (body, connection) = match payload {
            Payload::None => (Sniffed::Short(Bytes::new()), connection),
            Payload::Json(bytes) | Payload::Bytes(bytes) => (Sniffed::Short(bytes), connection),
            Payload::Stream(stream) => match sniff(stream).await.map_err(|e| client.unread(e))? {
                short @ Sniffed::Short(_) => (short, ConnectionKind::Shared),
                long @ Sniffed::Long(_) => (long, connection),
            },
        };
        client.exchange(&head, body, connection).await
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What goes before the body.
    async fn head(self) -> Result<(Head, Payload), Error> {
        if let Some(error) = self.fault {
            return Err(error);
        }
        for extension in self.needs {
            self.client.need(extension).await?;
        }
        let mut path = self.path.0.map_err(Error::config)?;
        let everywhere = self.query.iter().any(|(name, _)| name == "all-projects" || name == "project");
        if self.scoped {
            for (name, value) in self.client.scope_query(everywhere) {
                push_query(&mut path, name, value);
            }
        }
        for (name, value) in &self.query {
            push_query(&mut path, name, value);
        }
        let mut headers = self.headers;
        let content_type = match &self.body {
            Payload::None => None,
            Payload::Json(_) => Some("application/json"),
            // A form's content type would make the server read the body as one.
            Payload::Bytes(_) | Payload::Stream(_) => Some("application/octet-stream"),
        };
        if let Some(content_type) = content_type
            && !headers.contains_key(header::CONTENT_TYPE)
        {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        Ok((Head { method: self.method, path, headers }, self.body))
    }

    /// Sends it on a connection, such as one that is open already, and gives the answer of a server that goes over to
    /// the protocol of the header `upgrade`.
    pub(crate) async fn switch_protocols(self, ready: Option<Ready>) -> Result<Response<Incoming>, Error> {
        let client = self.client.clone();
        let (mut head, _) = self.head().await?;
        head.headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        let response = client.request_upgrade(&head, ready).await?;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let body = client.collect(body).await?;
        client.succeeded(&head, &body).await?;
        Err(client.protocol("no other protocol"))
    }
}

impl Client {
    /// The whole body, which is bounded.
    pub(crate) async fn collect(&self, body: Incoming) -> Result<Bytes, Error> {
        let collected = Limited::new(body, MAX_ANSWER).collect().await.map_err(|source| {
            if source.is::<LengthLimitError>() {
                self.protocol(format!("more than {} MiB", MAX_ANSWER >> 20))
            } else {
                self.broken(source)
            }
        })?;
        Ok(collected.to_bytes())
    }

    /// Makes an error of an answer that is one.
    pub(crate) async fn succeeded(&self, head: &http::response::Parts, body: &[u8]) -> Result<(), Error> {
        if head.status == StatusCode::OK {
            return Ok(());
        }
        match Envelope::parse(body) {
            Ok(Envelope::Error { code, message }) => Err(self.refused(code, message, &head.headers).await),
            _ => Err(self.protocol(format!("HTTP status {}", head.status))),
        }
    }

    /// The error of a body that could not be read to its end.
    fn unread(&self, error: BoxError) -> Error {
        match error.downcast::<std::io::Error>() {
            Ok(source) => {
                Error::Local { message: "what was to be sent could not be read".to_owned(), source: *source }
            }
            Err(error) => self.broken(error),
        }
    }
}
