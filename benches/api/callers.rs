//! Callers: nodes of this process in the tailnet, and their connections to what is measured.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::{Method, Request, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tailnet::Tailnet;
use tailnet_sandbox::Sandbox;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// What a request sends.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A way to a server: a stream of the tailnet, or of the loopback.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// How a caller reaches a server.
#[derive(Clone)]
pub(crate) enum Way {
    /// By its own node, to the node with that name.
    Tailnet(Tailnet, String),
    /// By the address for development.
    Loopback(SocketAddr),
}

impl Way {
    pub(crate) async fn dial(&self) -> io::Result<Box<dyn Io>> {
        Ok(match self {
            Way::Tailnet(node, name) => Box::new(node.connect((&**name, 80)).await?),
            Way::Loopback(address) => {
                #[allow(clippy::disallowed_methods, reason = "the loopback is what is measured here")]
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
        })
    }

    /// The name that requests have for the server.
    pub(crate) fn host(&self) -> String {
        match self {
            Way::Tailnet(_, name) => name.clone(),
            Way::Loopback(address) => address.to_string(),
        }
    }
}

/// A node of this process in the sandbox's tailnet.
pub(crate) async fn join(control_url: http::Uri, key: &str, name: &str) -> Tailnet {
    Tailnet::builder()
        .control_url(control_url)
        .auth_key(key.parse().unwrap())
        .hostname(name)
        .ephemeral(true)
        .port_mapping(false)
        .up()
        .await
        .unwrap()
}

/// So many nodes, some at once.
pub(crate) async fn join_many(sandbox: &Sandbox, count: usize) -> Vec<Tailnet> {
    let joining = (0..count).map(async |number| {
        join(sandbox.control_url(), sandbox.auth_key(), &format!("caller{number}")).await
    });
    futures_util::stream::iter(joining).buffer_unordered(4).collect().await
}

/// A connection to a server, for one request after the other.
pub(crate) struct Connection {
    sender: SendRequest<Body>,
    host: String,
}

/// An answer that came whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The bytes of its body.
    pub(crate) length: usize,
    pub(crate) time: Duration,
}

impl Connection {
    pub(crate) async fn open(way: &Way) -> io::Result<Connection> {
        let stream = way.dial().await?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        tokio::spawn(connection);
        Ok(Connection { sender, host: way.host() })
    }

    /// Begins a request; the answer's body is still to be read.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(header::HeaderName, String)],
        body: Body,
    ) -> io::Result<http::Response<Incoming>> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, &self.host);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(body).map_err(io::Error::other)?;
        self.sender.ready().await.map_err(io::Error::other)?; // the answer before may have ended just now
        self.sender.send_request(request).await.map_err(io::Error::other)
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn get(&mut self, path: &str, gzip: bool) -> io::Result<Answer> {
        let began = Instant::now();
        let headers = gzip.then(|| (header::ACCEPT_ENCODING, "gzip".to_owned()));
        let answer = self.send(Method::GET, path, headers.as_slice(), nothing()).await?;
        let (status, mut body, mut length) = (answer.status(), answer.into_body(), 0);
        while let Some(frame) = body.frame().await {
            length += frame.map_err(io::Error::other)?.data_ref().map_or(0, Bytes::len);
        }
        Ok(Answer { status, length, time: began.elapsed() })
    }

    /// The same, of an answer that has to be a good one.
    pub(crate) async fn good(&mut self, path: &str, gzip: bool) -> Answer {
        let answer = self.get(path, gzip).await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}{path}", self.host);
        answer
    }
}

/// No body.
pub(crate) fn nothing() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// Connections of callers to a server, so many of each.
pub(crate) async fn connections(callers: &[Tailnet], to: &str, each: usize) -> Vec<Connection> {
    let opening: FuturesUnordered<_> = (0..each)
        .flat_map(|_| callers)
        .map(|caller| Way::Tailnet(caller.clone(), to.to_owned()))
        .map(|way| async move { Connection::open(&way).await.unwrap() })
        .collect();
    opening.collect().await
}
