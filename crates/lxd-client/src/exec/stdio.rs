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

use crate::WebSocket;
use crate::transfer::Chunks;
use crate::websocket::Socket;

/// The largest chunk that is sent at once; LXD reads 32 KiB at a time.
const CHUNK: usize = 64 << 10;

/// How long the server is waited for to let go of a terminal.
pub(super) const FAREWELL: Duration = Duration::from_secs(2);

/// How long a console's control socket outlives the answer to its stream's farewell: the server (LXD 5.0) sends that
/// before it notes that it may write no more.
pub(super) const NOTED: Duration = Duration::from_millis(100);

/// What a command reads. Shutting it down, or dropping it, is the end of file.
#[derive(Debug)]
pub struct Stdin {
    chunks: PollSender<Bytes>,
}

/// What a command writes. It ends where the server said that it ends, and is an error where the connection
/// broke before that. What is not read yet waits in the instance.
#[derive(Debug)]
pub struct Stdout {
    chunks: Chunks<Frames>,
}

/// What comes by a websocket, to the end of file.
#[derive(Debug)]
struct Frames {
    source: Source,
    ended: bool,
}

#[derive(Debug)]
enum Source {
    Socket(Box<Socket>),
    /// Of a terminal, whose websocket carries both directions.
    Half(Half),
}

/// What a terminal shows. Whoever writes to it gets this back when nobody reads it any more.
#[derive(Debug)]
struct Half(Option<(SplitStream<Socket>, oneshot::Sender<SplitStream<Socket>>)>);

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

    /// Both directions of a terminal, which takes its leave when that is asked for.
    pub(crate) fn terminal(socket: WebSocket, leave: Leave) -> (Stdin, Stdout) {
        let (sink, stream) = socket.stream.split();
        let (sender, chunks) = mpsc::channel(4);
        let (back, given_back) = oneshot::channel();
        tokio::spawn(write_terminal(sink, chunks, given_back, leave));
        let source = Source::Half(Half(Some((stream, back))));
        let frames = Frames { source, ended: false };
        (Stdin { chunks: PollSender::new(sender) }, Stdout { chunks: Chunks::new(frames) })
    }
}

/// How a terminal's end is told between who writes to it and who steers it.
#[derive(Debug)]
pub(crate) struct Leave {
    /// Sent by who steers: nobody wants the terminal any more.
    pub(crate) asked: oneshot::Receiver<()>,
    /// Dropped by who writes: the server has let go of it.
    pub(crate) taken: oneshot::Sender<()>,
}

/// The server waits until this side is closed as well, and then the operation ends.
async fn write_terminal(
    mut sink: SplitSink<Socket, Message>,
    mut chunks: mpsc::Receiver<Bytes>,
    mut given_back: oneshot::Receiver<SplitStream<Socket>>,
    Leave { mut asked, taken }: Leave,
) {
    let mut open = true;
    let given_back_first = loop {
        tokio::select! {
            chunk = chunks.recv(), if open => {
                // A terminal has no end of file of its own; its keyboard just falls silent.
                open = chunk.is_some();
                if let Some(chunk) = chunk && sink.send(Message::Binary(chunk)).await.is_err() {
                    return;
                }
            }
            stream = &mut given_back => break Some(stream),
            Ok(()) = &mut asked => break None,
        }
    };
    let farewell = async {
        // What was written before it is still sent.
        chunks.close();
        while let Some(chunk) = chunks.recv().await {
            sink.send(Message::Binary(chunk)).await.ok()?;
        }
        sink.close().await.ok()?;
        let given_back = match given_back_first {
            Some(stream) => stream,
            None => given_back.await,
        };
        let mut stream = given_back.ok()?;
        while !stream.next().await?.ok()?.is_close() {}
        Some(())
    };
    let _ = tokio::time::timeout(FAREWELL, farewell).await;
    drop(taken);
}

impl Half {
    fn give_back(&mut self) {
        if let Some((stream, back)) = self.0.take() {
            let _ = back.send(stream);
        }
    }
}

impl Drop for Half {
    fn drop(&mut self) {
        self.give_back();
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
            half.give_back();
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
