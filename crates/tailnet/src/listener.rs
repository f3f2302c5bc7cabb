//! A listener on a port of the node.

use std::future::{Future, poll_fn};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use serde::Serialize;
use tokio::runtime::Handle;

use crate::ffi::{Listener, Node, Operation, RawListener, Success};
use crate::{AcceptError, ListenError, TailnetStream, stream};

/// What to listen on, for [`Tailnet::listen_with`](crate::Tailnet::listen_with).
///
/// ```
/// use tailnet::ListenOptions;
///
/// let https = ListenOptions::port(443).tls().alpn(["h2", "http/1.1"]);
/// let public = ListenOptions::port(443).funnel();
/// let replica = ListenOptions::port(80).service("svc:web");
/// let rest = ListenOptions::all_ports();
/// ```
#[derive(Clone, Debug, Default, Serialize)]
#[must_use = "options do nothing until `Tailnet::listen_with`"]
pub struct ListenOptions {
    #[serde(skip)]
    port: u16,
    #[serde(skip)]
    ip: Option<IpAddr>,
    address: String,
    all_ports: bool,
    backlog: u16,
    tls: bool,
    alpn: Vec<String>,
    funnel: bool,
    funnel_only: bool,
    service: String,
}

impl ListenOptions {
    /// A port of all the node's addresses; 0 means any that is free.
    pub fn port(port: u16) -> ListenOptions {
        ListenOptions { port, ..ListenOptions::default() }
    }

    /// All ports that no other listener of the node has. The accepted streams'
    /// [`local_addr`](TailnetStream::local_addr) tells which one it was.
    pub fn all_ports() -> ListenOptions {
        ListenOptions { all_ports: true, ..ListenOptions::default() }
    }

    /// One of the node's own addresses only.
    pub fn ip(mut self, ip: IpAddr) -> Self {
        self.ip = Some(ip);
        self
    }

    /// How many streams may wait to be accepted; more are refused. Default: [`TailnetListener::BACKLOG`].
    pub fn backlog(mut self, streams: u16) -> Self {
        self.backlog = streams;
        self
    }

    /// Ends TLS with the certificate for the node's full MagicDNS name, which the node gets by itself from Let's
    /// Encrypt. The tailnet must have HTTPS enabled. The first stream after months may wait for it.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Offers protocols by ALPN where TLS is ended (by [`tls`](Self::tls) or Funnel), the dearest first: `["h2", "http/1.1"]`
    /// has browsers speak HTTP/2. [`TailnetStream::alpn`] tells which one was agreed on. A client that names others only is
    /// refused; one that names none is not. Default: none, so that a server of any protocol works.
    pub fn alpn<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Takes streams from the Internet as well, by Tailscale Funnel, which ends TLS: on port 443, 8443 or 10000.
    pub fn funnel(mut self) -> Self {
        self.funnel = true;
        self
    }

    /// As [`funnel`](Self::funnel), and none from the tailnet.
    pub fn funnel_only(mut self) -> Self {
        self.funnel_only = true;
        self
    }

    /// Listens on the addresses of a Tailscale Service (`svc:name`) as one of its hosts, so that several replicas are
    /// behind one name. The node must have a tag, and the tailnet approve it as a host.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = name.into();
        self
    }

    /// As `tailscale_listen` takes it.
    pub(crate) fn to_json(&self) -> Result<String, ListenError> {
        let address = match self.ip {
            Some(ip) => SocketAddr::new(ip, self.port).to_string(),
            None => format!(":{}", self.port),
        };
        let options = ListenOptions { address, ..self.clone() };
        serde_json::to_string(&options).map_err(|e| ListenError::Other { message: e.to_string() })
    }
}

/// Takes TCP streams from other nodes of the tailnet; from [`Tailnet::listen`](crate::Tailnet::listen).
///
/// A stream that comes while [`BACKLOG`](Self::BACKLOG) others wait (or as many as
/// [`ListenOptions::backlog`] says) is refused. The listener keeps the node open, as a clone of
/// [`Tailnet`](crate::Tailnet) does. Dropping it closes it, and with it the streams that wait.
///
/// ```no_run
/// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
/// let mut listener = tailnet.listen(80).await?;
/// loop {
///     let mut stream = listener.accept().await?;
///     tokio::spawn(async move {
///         let (mut reader, mut writer) = tokio::io::split(&mut stream);
///         tokio::io::copy(&mut reader, &mut writer).await
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct TailnetListener {
    /// The accept of a future that was dropped. The next future continues it, so that no stream is lost. This is the
    /// first field, so that it is dropped before the listener.
    pending: Option<Operation>,
    listener: Listener,
    node: Arc<Node>, // keeps the node open; dropped after the listener
    local: SocketAddr,
}

impl TailnetListener {
    /// How many streams may wait to be accepted.
    pub const BACKLOG: u16 = 128;

    pub(crate) fn new(raw: RawListener, node: Arc<Node>) -> Result<TailnetListener, ListenError> {
        let RawListener { listener, local } = raw;
        let local =
            local.ok_or_else(|| ListenError::Other { message: "the node gave no address".to_owned() })?;
        Ok(TailnetListener { pending: None, listener, node, local })
    }

    /// Where it listens; the address is unspecified (`::`) when it listens on all of the node's.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for a stream. [`TailnetStream::peer_addr`] tells who has dialled.
    ///
    /// Cancel safe: no stream is lost when the future is dropped.
    ///
    /// # Errors
    /// [`AcceptError::Closed`] once the node is closed.
    pub async fn accept(&mut self) -> Result<TailnetStream, AcceptError> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// As [`accept`](Self::accept), for a task that polls.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<TailnetStream, AcceptError>> {
        if Handle::try_current().is_err() {
            return Poll::Ready(Err(AcceptError::NoRuntime));
        }
        let operation = match &mut self.pending {
            Some(operation) => operation,
            none => none.insert(self.listener.accept()?),
        };
        let result = ready!(Pin::new(operation).poll(cx));
        self.pending = None;
        let Success { stream: raw, data: alpn, .. } = result?;
        let accepted =
            raw.ok_or_else(stream::none).and_then(|raw| TailnetStream::new(raw, self.node.clone()));
        Poll::Ready(accepted.map(|stream| stream.with_alpn(alpn)).map_err(AcceptError::Socket))
    }
}

/// The streams that [`accept`](TailnetListener::accept) gives, until the node is closed. Any other error is one stream's.
impl Stream for TailnetListener {
    type Item = Result<TailnetStream, AcceptError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.poll_accept(cx)) {
            Err(AcceptError::Closed) => None,
            accepted => Some(accepted),
        })
    }
}
