//! A command's streams, each on a websocket: data in binary frames, an empty text frame for the end of file.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_util::sync::PollSender;

use super::process::Kind;
use crate::WebSocket;
use crate::transfer::Chunks;
use crate::websocket::Socket;

/// The largest chunk that is sent at once; LXD reads 32 KiB at a time.
const CHUNK: usize = 64 << 10;

/// How long a terminal gets to come to its end once its command is killed, and the close handshake of its websocket.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a console's control socket stays open after the close handshake of its stream: the server (LXD 5.0) answers
/// the handshake before it records that it may write no more.
pub(super) const AFTER_CLOSE: Duration = Duration::from_millis(100);

/// The standard input of a command. Shutting it down, or dropping it, is the end of file.
#[derive(Debug)]
pub struct Stdin {
    chunks: PollSender<Bytes>,
}

/// The standard output or standard error of a command, or what a terminal shows. It ends when the server sends the end
/// of file, and with an error when the connection breaks before that. What is not read yet waits in the instance.
#[derive(Debug)]
pub struct Stdout {
    chunks: Chunks<Frames>,
}

/// The data frames of a websocket, up to the end of file.
#[derive(Debug)]
struct Frames {
    source: Source,
    ended: bool,
}

#[derive(Debug)]
enum Source {
    Socket(Box<Socket>),
    /// The reading half of a terminal, whose websocket carries both directions.
    Half(Half),
}

/// The reading half of a terminal's websocket. The task that writes to it gets this back when nobody reads it any more.
#[derive(Debug)]
struct Half(Option<(SplitStream<Socket>, oneshot::Sender<Returned>)>);

/// A reading half that nobody reads any more.
#[derive(Debug)]
struct Returned {
    stream: SplitStream<Socket>,
    /// Whether it was read to its end.
    ended: bool,
}

impl Stdin {
    pub(crate) fn new(socket: WebSocket) -> Stdin {
        let (sender, mut chunks) = mpsc::channel::<Bytes>(4);
        let mut socket = socket.stream;
        tokio::spawn(async move {
            let mut open = true;
            loop {
                tokio::select! {
                    chunk = chunks.recv(), if open => {
                        open = chunk.is_some();
                        if socket.send(frame(chunk)).await.is_err() {
                            return;
                        }
                    }
                    // Read to the end, for the server's pings.
                    message = socket.next() => {
                        if !matches!(message, Some(Ok(_))) {
                            return;
                        }
                    }
                }
            }
        });
        Stdin { chunks: PollSender::new(sender) }
    }

    /// Both directions of a terminal or a console, whose websocket is closed when that is requested.
    pub(crate) fn terminal(socket: WebSocket, kind: Kind, close: CloseHandshake) -> (Stdin, Stdout) {
        let (sink, stream) = socket.stream.split();
        let (sender, chunks) = mpsc::channel(4);
        let (back, given_back) = oneshot::channel();
        tokio::spawn(write_terminal(sink, chunks, kind, given_back, close));
        let source = Source::Half(Half(Some((stream, back))));
        let frames = Frames { source, ended: false };
        (Stdin { chunks: PollSender::new(sender) }, Stdout { chunks: Chunks::new(frames) })
    }
}

/// The close handshake of a terminal's websocket, between the task of the control socket and the task that writes to
/// the terminal.
#[derive(Debug)]
pub(crate) struct CloseHandshake {
    /// Sent by the control socket's task, once the [`Process`](super::Process) is dropped.
    pub(crate) requested: oneshot::Receiver<()>,
    /// Dropped by the writing task, once the handshake is over.
    pub(crate) done: oneshot::Sender<()>,
}

/// Writes to a terminal, and closes its websocket at its end, or when that is requested. The server ends the operation only
/// after that. A console is closed when nobody reads it any more, too.
///
/// The websocket of a terminal is closed after the server's end of file. LXD 5.0 closes the terminal when this side closes
/// first, but goes on waiting at its file descriptor's number: where another command has that number meanwhile, the operation
/// never ends, and the server does not stop.
async fn write_terminal(
    mut sink: SplitSink<Socket, Message>,
    mut chunks: mpsc::Receiver<Bytes>,
    kind: Kind,
    mut given_back: oneshot::Receiver<Returned>,
    CloseHandshake { mut requested, done }: CloseHandshake,
) {
    let mut open = true;
    let mut returned: Option<Returned> = None;
    loop {
        tokio::select! {
            chunk = chunks.recv(), if open => {
                // A terminal has no end of file: its keyboard is just not used any more.
                open = chunk.is_some();
                if let Some(chunk) = chunk && sink.send(Message::Binary(chunk)).await.is_err() {
                    return;
                }
            }
            half = &mut given_back, if returned.is_none() => match half {
                Ok(half) if half.ended || kind == Kind::Console => {
                    returned = Some(half);
                    break;
                }
                Ok(half) => returned = Some(half),
                Err(_) => return,
            },
            () = discard(&mut returned), if returned.is_some() => break,
            Ok(()) = &mut requested => break,
        }
    }
    let last = async {
        // What was written before is still sent.
        chunks.close();
        while let Some(chunk) = chunks.recv().await {
            sink.send(Message::Binary(chunk)).await.ok()?;
        }
        if kind != Kind::Console {
            if returned.is_none() {
                returned = Some((&mut given_back).await.ok()?);
            }
            discard(&mut returned).await;
        }
        Some(())
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, last).await;
    let handshake = async {
        sink.close().await.ok()?;
        let mut stream = match returned {
            Some(half) => half.stream,
            None => given_back.await.ok()?.stream,
        };
        while !stream.next().await?.ok()?.is_close() {}
        Some(())
    };
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, handshake).await;
    drop(done);
}

/// Reads what nobody wants any more, to the server's end of file. Cancel safe.
async fn discard(returned: &mut Option<Returned>) {
    let Some(half) = returned else { return };
    while !half.ended {
        let message = half.stream.next().await;
        half.ended = !matches!(message, Some(Ok(message)) if !message.is_text() && !message.is_close());
    }
}

impl Half {
    fn give_back(&mut self, ended: bool) {
        if let Some((stream, back)) = self.0.take() {
            let _ = back.send(Returned { stream, ended });
        }
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.give_back(false);
    }
}

fn frame(chunk: Option<Bytes>) -> Message {
    match chunk {
        Some(chunk) => Message::Binary(chunk),
        None => Message::text(""),
    }
}

impl Stdout {
    pub(crate) fn new(socket: WebSocket) -> Stdout {
        let source = Source::Socket(Box::new(socket.stream));
        Stdout { chunks: Chunks::new(Frames { source, ended: false }) }
    }
}

impl Stream for Frames {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        while !self.ended {
            let message = match &mut self.source {
                Source::Socket(socket) => ready!(socket.poll_next_unpin(cx)),
                Source::Half(Half(Some((stream, _)))) => ready!(stream.poll_next_unpin(cx)),
                Source::Half(_) => return Poll::Ready(None),
            };
            match message {
                Some(Ok(Message::Binary(bytes))) if bytes.is_empty() => {}
                Some(Ok(Message::Binary(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                Some(Ok(Message::Text(_))) => self.end(),
                Some(Ok(Message::Close(_))) | None => return Poll::Ready(Some(Err(self.broken(None)))),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(self.broken(Some(error))))),
            }
        }
        Poll::Ready(None)
    }
}

impl Frames {
    fn end(&mut self) {
        self.ended = true;
        if let Source::Half(half) = &mut self.source {
            half.give_back(true);
        }
    }

    fn broken(&mut self, error: Option<WsError>) -> io::Error {
        self.end();
        match error {
            Some(WsError::Io(error)) => error,
            Some(error) => io::Error::new(io::ErrorKind::ConnectionReset, error),
            None => io::Error::new(io::ErrorKind::UnexpectedEof, "the stream broke before its end"),
        }
    }
}

impl AsyncRead for Stdout {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.chunks).poll_read(cx, buf)
    }
}

/// The chunks as they came, which saves a copy.
impl Stream for Stdout {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        Pin::new(&mut self.chunks).poll_next(cx)
    }
}

impl AsyncWrite for Stdin {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the command reads no more");
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        ready!(self.chunks.poll_reserve(cx)).map_err(gone)?;
        let chunk = &data[..data.len().min(CHUNK)];
        self.chunks.send_item(Bytes::copy_from_slice(chunk)).map_err(gone)?;
        Poll::Ready(Ok(chunk.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.chunks.close();
        Poll::Ready(Ok(()))
    }
}
