//! A websocket at a session.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_tungstenite::tungstenite;

use super::protocol::{Asked, Hello, Told, farewell, senseless};
use super::session::{Attachment, End, Next, Session};
use crate::api::problem::{Code, Problem};

/// How often the client is asked for a sign of life, which also keeps proxies between from closing the connection.
const PING: Duration = Duration::from_secs(20);

/// A client that says nothing for so long is lost.
const SILENCE: Duration = Duration::from_secs(60);

/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// The largest message that is taken, in bytes.
pub(super) const MESSAGE: usize = 1 << 20;

type Sink = SplitSink<WebSocket, Message>;

/// Why a websocket is done.
enum Done {
    /// The connection is gone.
    Lost,
    /// The client has closed it. `true`: it needs the session no more.
    Closed(bool),
    /// The client is told this at last.
    Told(End),
}

/// Joins a websocket with a session until one of them ends.
pub(super) async fn join(socket: WebSocket, session: Arc<Session>, attachment: Attachment, node: String) {
    let hello = Told::Session(Hello {
        id: session.id.clone(),
        node,
        terminal: session.terminal,
        from: attachment.from,
        lost: attachment.lost,
        input: attachment.input,
    });
    let (mut sink, mut stream) = socket.split();
    let done = tokio::select! {
        done = write(&mut sink, &session, &attachment, hello.message()) => done,
        done = read(&mut stream, &session, &attachment) => done,
    };
    let closed = match done {
        Done::Lost => false,
        Done::Closed(for_good) => {
            let _ = timeout(FAREWELL, sink.close()).await; // the answer to the client's close
            for_good
        }
        // Once it was told the end, the session is not needed any more.
        Done::Told(end) => part(sink, stream, &end).await && session.has_ended(),
    };
    session.detach(&attachment, closed);
}

/// Refuses what a client has asked for.
pub(super) async fn refuse(socket: WebSocket, problem: Problem) {
    let (sink, stream) = socket.split();
    part(sink, stream, &End::Failed(problem)).await;
}

/// Writes what the session shows, and asks for signs of life.
async fn write(sink: &mut Sink, session: &Session, attachment: &Attachment, hello: Message) -> Done {
    if sink.send(hello).await.is_err() {
        return Done::Lost;
    }
    let mut ping = interval_at(Instant::now() + PING, PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let message = tokio::select! {
            biased;
            _ = ping.tick() => Message::Ping(Bytes::new()),
            next = session.next(attachment) => match next {
                Next::Output(bytes) => Message::Binary(bytes),
                Next::Ended(end) => return Done::Told(end),
            },
        };
        if sink.send(message).await.is_err() {
            return Done::Lost;
        }
    }
}

/// Reads what the client sends. It is not read any faster than the command reads its input.
async fn read(stream: &mut SplitStream<WebSocket>, session: &Session, attachment: &Attachment) -> Done {
    loop {
        let message = match timeout(SILENCE, stream.next()).await {
            Err(_) => {
                let silent = format!("nothing was heard of the client for {} s", SILENCE.as_secs());
                return Done::Told(End::Failed(Problem::new(Code::Silent, silent)));
            }
            Ok(None) => return Done::Lost,
            Ok(Some(Err(error))) => return too_large(error).map_or(Done::Lost, Done::Told),
            Ok(Some(Ok(message))) => message,
        };
        match message {
            Message::Binary(bytes) => session.write(attachment, bytes).await,
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(Asked::Eof(_)) if session.terminal => {
                    return Done::Told(senseless("a terminal's input has no end; type Ctrl-D"));
                }
                Ok(asked) => session.order(asked).await,
                Err(_) => {
                    return Done::Told(senseless(
                        "text is to be {\"resize\":…}, {\"signal\":…} or {\"eof\":true}",
                    ));
                }
            },
            Message::Close(frame) => {
                return Done::Closed(frame.is_some_and(|frame| frame.code == close_code::NORMAL));
            }
            Message::Ping(_) | Message::Pong(_) => {}
        }
    }
}

/// What a client is told whose message is too large.
fn too_large(error: axum::Error) -> Option<End> {
    let error = error.into_inner();
    let error = error.downcast_ref::<tungstenite::Error>()?;
    let told = || Problem::new(Code::TooLarge, format!("a message has {MESSAGE} bytes at the most"));
    matches!(error, tungstenite::Error::Capacity(_)).then(|| End::Failed(told()))
}

/// The last words. Says whether the client has heard them.
async fn part(mut sink: Sink, mut stream: SplitStream<WebSocket>, end: &End) -> bool {
    let heard = async {
        let (told, close) = farewell(end);
        if let Some(told) = told {
            sink.send(told).await.ok()?;
        }
        sink.send(Message::Close(Some(close))).await.ok()?;
        // What the client has sent meanwhile is for nobody.
        while !matches!(stream.next().await?.ok()?, Message::Close(_)) {}
        Some(())
    };
    timeout(FAREWELL, heard).await.is_ok_and(|heard| heard.is_some())
}
