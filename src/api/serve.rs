//! Where the API is served: on ports of the node in the tailnet, and for development on the loopback.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::uri::Scheme;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tailnet::{AcceptError, ListenError, ListenOptions, TailnetListener};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower_service::Service;
use tracing::{debug, info, warn};

use super::connection::{Connection, Door};
use super::guard::Held;
use super::state::Api;
use crate::listen::{ServeError, bind_tcp};

/// How long a client may take to send the head of a request, the first or the next one of a connection.
const HEAD: Duration = Duration::from_secs(30);

/// How long the head of a request may be over HTTP/1.1, in bytes; HTTP/2 has its own limit, of 16 KiB.
const MOST_HEAD: usize = 64 << 10;

/// How long a client may read nothing of an answer.
const READ: Duration = Duration::from_secs(60);

/// How often a client of HTTP/2 is asked for a sign of life.
const PING: Duration = Duration::from_secs(20);

/// How many streams of HTTP/2 a connection may have.
const STREAMS: u32 = 200;

/// How many connections there may be from all callers.
const CONNECTIONS: u16 = 2_048;

/// How long the answers to what is cut may take, as the node stops.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// The pause after a listen or an accept that failed.
const LISTEN_PAUSE: Duration = Duration::from_secs(30);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A port in the tailnet that is served.
#[derive(Clone, Debug)]
pub(super) struct Port {
    pub(super) port: u16,
    pub(super) tls: bool,
    /// The service, `svc:NAME`, on whose addresses it is.
    pub(super) service: Option<String>,
}

impl Port {
    fn options(&self) -> ListenOptions {
        // All callers may come at once, as pages do after a restart of the node.
        let options = ListenOptions::port(self.port).backlog(CONNECTIONS);
        let options = if self.tls { options.tls().alpn(["h2", "http/1.1"]) } else { options };
        match &self.service {
            Some(service) => options.service(service),
            None => options,
        }
    }

    fn scheme(&self) -> Scheme {
        if self.tls { Scheme::HTTPS } else { Scheme::HTTP }
    }

    fn what(&self) -> String {
        let place = self.service.as_deref().unwrap_or("the node");
        format!("{}://{place}:{}", self.scheme(), self.port)
    }
}

/// What all ports are served with.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) api: Api,
    pub(super) router: Router,
    room: Arc<Semaphore>,
}

impl Server {
    pub(super) fn new(api: Api, router: Router) -> Server {
        Server { api, router, room: Arc::new(Semaphore::new(CONNECTIONS.into())) }
    }

    /// Serves a port of the node, once the node has joined and for as long as it runs. Where it cannot listen, the log says why,
    /// and it is tried again.
    pub(super) async fn serve_port(self, port: Port) {
        if self.api.node.joined().await.is_err() {
            return; // the node itself says why
        }
        let mut told = String::new();
        loop {
            match self.api.node.tailnet().listen_with(&port.options()).await {
                Ok(listener) => {
                    info!("the API is served at {}", port.what());
                    told.clear();
                    self.accept(listener, &port).await;
                }
                Err(error) => {
                    let why = error.to_string();
                    if why != told {
                        warn!("the API cannot be served at {}: {why}{}", port.what(), remedy(&error));
                        told = why;
                    }
                }
            }
            tokio::time::sleep(LISTEN_PAUSE).await;
        }
    }

    /// Takes connections until the listener ends.
    async fn accept(&self, mut listener: TailnetListener, port: &Port) {
        loop {
            match listener.accept().await {
                Ok(stream) => {
                    let connection = Connection {
                        peer: stream.peer_addr(),
                        local: stream.local_addr(),
                        port: port.port,
                        scheme: port.scheme(),
                        door: Door::Tailnet,
                    };
                    self.spawn(stream, connection);
                }
                Err(AcceptError::Closed) => return,
                Err(error) => {
                    warn!("a connection to the API was not taken: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Serves an address of this machine, for development.
    pub(super) async fn serve_loopback(self, listener: TcpListener, address: SocketAddr) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let _ = stream.set_nodelay(true);
                    let connection = Connection {
                        peer,
                        local: stream.local_addr().unwrap_or(address),
                        port: address.port(),
                        scheme: Scheme::HTTP,
                        door: Door::Development,
                    };
                    self.spawn(stream, connection);
                }
                Err(error) => {
                    warn!("a connection to the API was not taken: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Serves a connection in a task of its own, unless there are too many.
    fn spawn(&self, stream: impl AsyncRead + AsyncWrite + Send + 'static, connection: Connection) {
        let peer = connection.peer.ip().to_string();
        let (Ok(room), Some(held)) =
            (Arc::clone(&self.room).try_acquire_owned(), self.api.limits.take(Held::Connection, &peer))
        else {
            debug!("{peer} has too many connections, or all have");
            return;
        };
        let (server, node) = (self.clone(), self.api.node.clone());
        node.spawn_until_cut(async move {
            if let Err(error) = server.connection(stream, connection).await {
                debug!("a connection to the API ended: {error}");
            }
            drop((room, held));
        });
    }

    async fn connection(
        self,
        stream: impl AsyncRead + AsyncWrite + Send + 'static,
        connection: Connection,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut stream = Box::pin(TimeoutStream::new(stream));
        stream.as_mut().set_write_timeout_pinned(Some(READ));
        let router = self.router;
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(connection.clone());
            let mut router = router.clone();
            async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|never| match never {})) }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MOST_HEAD);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_concurrent_streams(STREAMS);
        let mut served =
            std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let stopping = self.api.node.stopping();
        tokio::select! {
            ended = served.as_mut() => return ended,
            () = stopping.cancelled() => served.as_mut().graceful_shutdown(),
        }
        let cut = self.api.node.cut();
        let late = async {
            cut.cancelled().await;
            tokio::time::sleep(LAST_ANSWER).await;
        };
        // Dropped, it is cut at the client too, who else would wait for a node that is no more.
        tokio::select! {
            ended = served.as_mut() => ended,
            () = late => Err("the node stopped".into()),
        }
    }
}

/// Binds the loopback for development.
pub(super) fn bind_loopback(address: SocketAddr) -> Result<TcpListener, ServeError> {
    bind_tcp("the API for development", address)
}

fn remedy(error: &ListenError) -> &'static str {
    match error {
        ListenError::InUse { .. } => "; choose another port in kolaboree.yaml",
        ListenError::NotAllowed { .. } => "; enable it for the tailnet in the admin console, or leave it out",
        _ => "",
    }
}
