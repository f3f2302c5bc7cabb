//! The client of the control socket, by which commands reach the running node.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use super::protocol::{
    AccessList, Cloud, CloudNames, ExplainRequest, Explanation, Failure, Netcheck, PingRequest, Pong,
    Reloaded, Status, UpRequest, Whois, endpoints,
};
use crate::config::CloudConfig;
use crate::inventory::{InstanceKey, InstanceUsage, Overview, Query, Revision, Snapshot, Update};

/// How long a request may take. The node's own deadlines are shorter.
const TIMEOUT: Duration = Duration::from_secs(120);

/// How long the node may take to tell what it knows already. One that takes longer has stopped or is stuck.
const KNOWN_WITHIN: Duration = Duration::from_secs(20);

/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 64 << 20;

/// The characters that are encoded in a path or a query.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_');

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
    #[error("the node gave no answer within {} s", .0.as_secs())]
    Timeout(Duration),
    #[error("the node's answer was not understood: {0}")]
    Malformed(#[source] BoxError),
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

fn malformed(error: impl Into<BoxError>) -> ControlError {
    ControlError::Malformed(error.into())
}

/// A client of the running node. Each request is a connection of its own; the first one has that by which the node was found.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    socket: PathBuf,
    found: Arc<Mutex<Option<UnixStream>>>,
}

impl Client {
    /// Finds the running node, if there is one.
    pub(crate) async fn find(socket: &Path) -> Result<Client, ControlError> {
        let client = Client { socket: socket.to_owned(), found: Arc::default() };
        let stream = client.stream().await?;
        *client.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
        Ok(client)
    }

    pub(crate) async fn status(&self) -> Result<Status, ControlError> {
        self.get(endpoints::STATUS).await
    }

    pub(crate) async fn ping(&self, request: &PingRequest) -> Result<Pong, ControlError> {
        self.post(endpoints::PING, request).await
    }

    pub(crate) async fn whois(&self, address: &str) -> Result<Whois, ControlError> {
        self.get(&format!("{}?address={}", endpoints::WHOIS, encoded(address))).await
    }

    /// Who may do what.
    pub(crate) async fn access(&self) -> Result<AccessList, ControlError> {
        self.get(endpoints::ACCESS).await
    }

    /// What a node or a user may do, and why.
    pub(crate) async fn explain(&self, request: &ExplainRequest) -> Result<Vec<Explanation>, ControlError> {
        let ExplainRequest { peer, verb, cloud, project } = request;
        let verb = verb.map(|verb| verb.to_string());
        let wish = [("verb", &verb), ("cloud", cloud), ("project", project)];
        let mut path = format!("{}?peer={}", endpoints::ACCESS_EXPLAIN, encoded(peer));
        for (name, value) in wish.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            path = format!("{path}&{name}={}", encoded(value));
        }
        self.get(&path).await
    }

    pub(crate) async fn netcheck(&self) -> Result<Netcheck, ControlError> {
        self.get(endpoints::NETCHECK).await
    }

    pub(crate) async fn up(&self, request: &UpRequest) -> Result<Status, ControlError> {
        self.post(endpoints::UP, request).await
    }

    pub(crate) async fn down(&self) -> Result<Status, ControlError> {
        self.post(endpoints::DOWN, &()).await
    }

    pub(crate) async fn logout(&self) -> Result<Status, ControlError> {
        self.post(endpoints::LOGOUT, &()).await
    }

    pub(crate) async fn reload(&self) -> Result<Reloaded, ControlError> {
        self.post(endpoints::RELOAD, &()).await
    }

    pub(crate) async fn clouds(&self) -> Result<Vec<Cloud>, ControlError> {
        self.get(endpoints::CLOUDS).await
    }

    /// Has the node probe a cloud.
    pub(crate) async fn check(&self, cloud: &str) -> Result<Cloud, ControlError> {
        self.post(&endpoints::CHECK.replace("{name}", &encoded(cloud).to_string()), &()).await
    }

    /// The rows of the inventory. `fields` are those of the instances; all where there is none.
    pub(crate) async fn inventory(&self, query: &Query, fields: &[&str]) -> Result<Snapshot, ControlError> {
        let path = format!("{}?fields={}&{}", endpoints::INVENTORY, list(fields), asked(query));
        self.json(Request::get(path).body(Full::default()), KNOWN_WITHIN).await
    }

    /// How much each cloud has.
    pub(crate) async fn overview(&self) -> Result<Overview, ControlError> {
        self.get(endpoints::INVENTORY_OVERVIEW).await
    }

    /// What an instance has used during the last hour, oldest first.
    pub(crate) async fn usage(&self, key: &InstanceKey) -> Result<Vec<InstanceUsage>, ControlError> {
        let (cloud, project, name) = (encoded(&key.cloud), encoded(&key.project), encoded(&key.name));
        self.get(&format!("{}?cloud={cloud}&project={project}&name={name}", endpoints::INVENTORY_USAGE)).await
    }

    /// The names that the node knows, for completion.
    pub(crate) async fn names(&self) -> Result<Vec<CloudNames>, ControlError> {
        self.get(endpoints::INVENTORY_NAMES).await
    }

    /// The changes of the inventory after this one. Without one, and where they are not known any more, all rows come first.
    pub(crate) async fn changes(
        &self,
        since: Option<Revision>,
        query: &Query,
    ) -> Result<Changes, ControlError> {
        let since = since.map(|since| format!("since={}&", since.0)).unwrap_or_default();
        let path = format!("{}?{since}{}", endpoints::INVENTORY_CHANGES, asked(query));
        let answer = self.exchange(Request::get(path).body(Full::default()), KNOWN_WITHIN).await?;
        if !answer.status().is_success() {
            return Err(failure(answer).await);
        }
        Ok(Changes { body: answer.into_body(), received: BytesMut::new(), searched: 0 })
    }

    /// Has the state of these instances fetched soon, and kept fresh for some minutes.
    pub(crate) async fn look(&self, query: &Query) -> Result<(), ControlError> {
        let body = serde_json::to_vec(query).map_err(malformed)?;
        let request =
            Request::post(endpoints::INVENTORY_LOOK).header(header::CONTENT_TYPE, "application/json");
        let answer = self.exchange(request.body(Full::new(body.into())), KNOWN_WITHIN).await?;
        if answer.status().is_success() { Ok(()) } else { Err(failure(answer).await) }
    }

    /// A stream through the node's tailnet.
    pub(crate) async fn dial(&self, address: &str) -> Result<Upgraded, ControlError> {
        self.upgraded(format!("{}?address={}", endpoints::DIAL, encoded(address))).await
    }

    /// A stream on which the node speaks the API of a cloud, by its own connections.
    pub(crate) async fn api(&self, cloud: &CloudConfig) -> Result<Upgraded, ControlError> {
        let path = endpoints::API.replace("{name}", &encoded(&cloud.name).to_string());
        let pin = cloud.trust.fingerprint.map(|pin| pin.to_string()).unwrap_or_default();
        let address = cloud.address.to_string();
        self.upgraded(format!("{path}?address={}&fingerprint={pin}", encoded(&address))).await
    }

    async fn upgraded(&self, path: String) -> Result<Upgraded, ControlError> {
        let request = Request::get(path)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "tcp")
            .body(Full::default());
        let answer = self.exchange(request, TIMEOUT).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(failure(answer).await);
        }
        hyper::upgrade::on(answer).await.map_err(malformed)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ControlError> {
        self.json(Request::get(path).body(Full::default()), TIMEOUT).await
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ControlError> {
        let body = serde_json::to_vec(body).map_err(malformed)?;
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.json(request.body(Full::new(body.into())), TIMEOUT).await
    }

    async fn json<T: DeserializeOwned>(
        &self,
        request: http::Result<Request<Full<Bytes>>>,
        within: Duration,
    ) -> Result<T, ControlError> {
        let answer = async {
            let answer = self.exchange(request, within).await?;
            if !answer.status().is_success() {
                return Err(failure(answer).await);
            }
            collect(answer).await
        };
        let body =
            tokio::time::timeout(within, answer).await.map_err(|_| ControlError::Timeout(within))??;
        serde_json::from_slice(&body).map_err(malformed)
    }

    async fn exchange(
        &self,
        request: http::Result<Request<Full<Bytes>>>,
        within: Duration,
    ) -> Result<Response<Incoming>, ControlError> {
        let mut request = request.map_err(malformed)?;
        request.headers_mut().insert(header::HOST, http::HeaderValue::from_static("kolaboree-node"));
        let exchange = async {
            let stream = TokioIo::new(self.stream().await?);
            let (mut sender, connection) = http1::handshake(stream).await.map_err(malformed)?;
            tokio::spawn(connection.with_upgrades());
            sender.send_request(request).await.map_err(malformed)
        };
        tokio::time::timeout(within, exchange).await.map_err(|_| ControlError::Timeout(within))?
    }

    async fn stream(&self) -> Result<UnixStream, ControlError> {
        if let Some(stream) = self.found.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(stream);
        }
        let path = self.socket.display().to_string();
        UnixStream::connect(&self.socket).await.map_err(|source| match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => ControlError::NoNode(path),
            _ => ControlError::Socket { path, source },
        })
    }
}

/// The changes of the inventory, from [`Client::changes`].
#[derive(Debug)]
pub(crate) struct Changes {
    body: Incoming,
    received: BytesMut,
    /// How much of what was received has no end of a line in it.
    searched: usize,
}

impl Changes {
    /// The next update; none when the node has stopped. Cancel safe.
    pub(crate) async fn next(&mut self) -> Result<Option<Update>, ControlError> {
        loop {
            if let Some(end) = self.received[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.received.split_to(self.searched + end + 1);
                self.searched = 0;
                return serde_json::from_slice(&line).map(Some).map_err(malformed);
            }
            self.searched = self.received.len();
            if self.searched > MAX_ANSWER {
                return Err(malformed("an update is too long"));
            }
            match self.body.frame().await {
                Some(frame) => {
                    if let Ok(data) = frame.map_err(malformed)?.into_data() {
                        self.received.extend_from_slice(&data);
                    }
                }
                None => return Ok(None),
            }
        }
    }
}

/// What is asked for, in a request's query.
fn asked(query: &Query) -> String {
    let kinds: Vec<&str> = query.kinds.iter().map(|kind| kind.name()).collect();
    format!("clouds={}&projects={}&kinds={}", list(&query.clouds), list(&query.projects), list(&kinds))
}

fn list<S: AsRef<str>>(items: &[S]) -> String {
    items.iter().map(|item| encoded(item.as_ref()).to_string()).collect::<Vec<_>>().join(",")
}

async fn collect(answer: Response<Incoming>) -> Result<Bytes, ControlError> {
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    body.map(|body| body.to_bytes()).map_err(malformed)
}

async fn failure(answer: Response<Incoming>) -> ControlError {
    let status = answer.status();
    let body = match collect(answer).await {
        Ok(body) => body,
        Err(error) => return error,
    };
    match serde_json::from_slice(&body) {
        Ok(failure) => ControlError::Refused(failure),
        Err(_) => malformed(format!("status {status}: {}", String::from_utf8_lossy(&body).trim())),
    }
}

/// A text as it may stand in a path or a query.
fn encoded(text: &str) -> impl fmt::Display {
    percent_encoding::utf8_percent_encode(text, RESERVED)
}
