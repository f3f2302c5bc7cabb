//! Connections that stop being HTTP: websockets, and raw streams such as SFTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::{self, protocol};
use tracing::Instrument;

use crate::request::Request;
use crate::transport::{KeepAlive, Ready};
use crate::{Client, Error};

/// A stream of bytes to the server, on a dedicated connection, from [`Request::upgrade`].
#[derive(Debug)]
pub struct RawStream(TokioIo<Upgraded>);

/// A websocket to the server, on a dedicated connection, from [`Request::websocket`].
///
/// It answers the server's pings while [`next`](WebSocket::next) waits: newer servers close a websocket that has not
/// answered for 30 seconds. It pings the server as well, and ends with an error when the server is silent for longer than
/// [`ClientBuilder::silence`](crate::ClientBuilder::silence).
#[derive(Debug)]
pub struct WebSocket {
    client: Client,
    pub(crate) stream: Socket,
}

/// The websocket of the library, over a stream that is kept alive.
pub(crate) type Socket = WebSocketStream<KeepAlive<TokioIo<Upgraded>>>;

/// A message of a [`WebSocket`]. `Debug` shows its length alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Message {
    /// Text. LXD sends an empty one for the end of file.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Message::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Message::Binary(bytes) => write!(f, "Binary({} bytes)", bytes.len()),
        }
    }
}

impl Request {
    /// Sends it on a dedicated connection, which becomes a websocket. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn websocket(self) -> Result<WebSocket, Error> {
        self.websocket_on(None).await
    }

    /// [`websocket`](Request::websocket), on which the server may be silent for ever: nothing is sent but messages.
    pub(crate) async fn unwatched_websocket(self) -> Result<WebSocket, Error> {
        self.switch_to_websocket(None, None).await
    }

    /// Sends it on a dedicated connection, which becomes a stream of another protocol, such as `sftp`.
    /// Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn upgrade(self, protocol: &'static str) -> Result<RawStream, Error> {
        let (upgraded, _) = self.header("upgrade", protocol).switch(None).await?;
        Ok(RawStream(TokioIo::new(upgraded)))
    }

    /// [`websocket`](Request::websocket), on a connection that may be open already.
    pub(crate) async fn websocket_on(self, ready: Option<Ready>) -> Result<WebSocket, Error> {
        let silence = self.client().silence();
        self.switch_to_websocket(ready, silence).await
    }

    async fn switch_to_websocket(
        self,
        ready: Option<Ready>,
        silence: Option<Duration>,
    ) -> Result<WebSocket, Error> {
        let client = self.client().clone();
        let key = generate_key();
        let request = self
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", &key);
        let (upgraded, headers) = request.switch(ready).await?;
        let accept = headers.get("sec-websocket-accept").map(HeaderValue::as_bytes);
        if accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(client.protocol("no websocket"));
        }
        let stream = KeepAlive::new(TokioIo::new(upgraded), silence);
        let stream = WebSocketStream::from_raw_socket(stream, protocol::Role::Client, None).await;
        Ok(WebSocket { client, stream })
    }

    async fn switch(self, ready: Option<Ready>) -> Result<(Upgraded, HeaderMap), Error> {
        let (timeout, server) = (self.client().timeout(), self.client().name().to_owned());
        let span = self.span();
        let switching = async {
            let client = self.client().clone();
            let response = Box::pin(self.switch_protocols(ready)).await?; // a small future for callers
            let headers = response.headers().clone();
            let upgraded = hyper::upgrade::on(response).await.map_err(|e| client.broken(e))?;
            Ok((upgraded, headers))
        };
        tokio::time::timeout(timeout, switching.instrument(span))
            .await
            .map_err(|_| Error::Timeout { server, after: timeout })?
    }
}

impl WebSocket {
    /// The next message; `None` when the server has closed it. Cancel safe.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next(&mut self) -> Result<Option<Message>, Error> {
        loop {
            match self.stream.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => {
                    return Ok(Some(Message::Text(text.as_str().to_owned())));
                }
                Some(Ok(tungstenite::Message::Binary(bytes))) => return Ok(Some(Message::Binary(bytes))),
                Some(Ok(tungstenite::Message::Close(_))) | None => return Ok(None),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(self.client.broken(error)),
            }
        }
    }

    /// Sends a message. Not cancel safe: it may or may not be sent.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn send(&mut self, message: Message) -> Result<(), Error> {
        let message = match message {
            Message::Text(text) => tungstenite::Message::text(text),
            Message::Binary(bytes) => tungstenite::Message::Binary(bytes),
        };
        self.stream.send(message).await.map_err(|e| self.client.broken(e))
    }

    /// Sends a close frame, and ends the connection.
    ///
    /// # Errors
    /// When the connection is broken already.
    pub async fn close(mut self) -> Result<(), Error> {
        self.stream.close(None).await.map_err(|e| self.client.broken(e))
    }
}

impl AsyncRead for RawStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for RawStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
