//! A relay: the websockets of both sides of a migration, and the messages between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};

use super::secrets;
use crate::websocket::{Socket, WebSocket};
use crate::{Client, Error, Operation};

/// The name of the websocket on which the servers talk about the copy; the others carry its data.
const CONTROL: &str = "control";

/// The connected websockets of both sides, whose messages are carried in tasks. Dropping it ends the tasks and the
/// connections, without a word to the servers, so that neither takes it for a good end.
#[derive(Debug)]
pub(super) struct Relay {
    control: JoinSet<Result<(), Error>>,
    data: JoinSet<Result<(), Error>>,
}

impl Relay {
    /// Connects the websockets of both sides, each with its counterpart. `carried` counts the data from then on.
    pub(super) async fn connect(
        from: &Client,
        sending: &Operation,
        to: &Client,
        receiving: &Operation,
        carried: &Arc<AtomicU64>,
    ) -> Result<Relay, Error> {
        let (left, right) = (secrets(from, sending)?, secrets(to, receiving)?);
        let mut connecting = Vec::new();
        for (name, secret) in left {
            let Some(other) = right.get(name) else { continue };
            connecting.push(async move {
                let pair = tokio::try_join!(connect(from, sending, secret), connect(to, receiving, other))?;
                Ok::<_, Error>((name, pair))
            });
        }
        let mut relay = Relay { control: JoinSet::new(), data: JoinSet::new() };
        for (name, (left, right)) in futures_util::future::try_join_all(connecting).await? {
            let (carrying, carried) = match name == CONTROL {
                true => (&mut relay.control, None),
                false => (&mut relay.data, Some(Arc::clone(carried))),
            };
            carrying.spawn(carry(from.clone(), left.stream, to.clone(), right.stream, carried));
        }
        Ok(relay)
    }

    /// Waits until all connections have ended. Whether the copy is whole, the operations tell. Cancel safe.
    ///
    /// # Errors
    /// When the network gives a connection up.
    pub(super) async fn ended(&mut self) -> Result<(), Error> {
        let all = async |pairs: &mut JoinSet<Result<(), Error>>| {
            while let Some(pair) = pairs.join_next().await {
                if let Ok(Err(error)) = pair {
                    return Err(error);
                }
            }
            Ok(())
        };
        tokio::try_join!(all(&mut self.control), all(&mut self.data)).map(drop)
    }

    /// Breaks the connections that carry data. The servers can still tell each other that the copy has failed.
    pub(super) fn break_data(&mut self) {
        self.data.abort_all();
    }
}

async fn connect(client: &Client, operation: &Operation, secret: &Value) -> Result<WebSocket, Error> {
    let request = client.get(["operations", operation.id(), "websocket"]).unscoped();
    // Servers do not read a websocket whose turn has not come, and so answer no pings there.
    request.query("secret", secret.as_str().unwrap_or_default()).unwatched_websocket().await
}

/// Connects all websockets of an operation, and drops them then.
pub(super) async fn connect_all(client: &Client, operation: &Operation) -> Result<(), Error> {
    let all = secrets(client, operation)?.values().map(|secret| connect(client, operation, secret));
    futures_util::future::try_join_all(all).await.map(drop)
}

/// How one direction has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With a close frame, which was passed on.
    Closed,
    /// Without one. The other side has to see that too.
    Broken,
}

/// Carries the messages of two websockets, both ways, until both directions are closed or one is broken.
async fn carry(
    from: Client,
    left: Socket,
    to: Client,
    right: Socket,
    carried: Option<Arc<AtomicU64>>,
) -> Result<(), Error> {
    let (left_sink, left_stream) = left.split();
    let (right_sink, right_stream) = right.split();
    let there = async { one_way(left_stream, right_sink, carried).await.map_err(|e| from.broken(e)) };
    let back = async { one_way(right_stream, left_sink, None).await.map_err(|e| to.broken(e)) };
    tokio::pin!(there, back);
    let first = tokio::select! {
        end = &mut there => (end?, true),
        end = &mut back => (end?, false),
    };
    match first {
        (End::Broken, _) => Ok(()),
        (End::Closed, true) => back.await.map(drop),
        (End::Closed, false) => there.await.map(drop),
    }
}

/// Carries the messages of one direction. Messages that have come already go on together.
async fn one_way(
    mut from: SplitStream<Socket>,
    mut to: SplitSink<Socket, Message>,
    carried: Option<Arc<AtomicU64>>,
) -> Result<End, std::io::Error> {
    let mut next = from.next().await;
    loop {
        // Each side's pings are answered on that side.
        match next {
            Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                if let Some(carried) = &carried {
                    carried.fetch_add(message.len() as u64, Ordering::Relaxed);
                }
                if to.feed(message).await.is_err() {
                    return Ok(End::Broken);
                }
            }
            Some(Ok(Message::Close(_))) => {
                let _ = to.close().await; // the other side may have gone already
                return Ok(End::Closed);
            }
            Some(Ok(_)) => {}
            Some(Err(WsError::Io(error))) if error.kind() == std::io::ErrorKind::TimedOut => {
                return Err(error);
            }
            Some(Err(_)) | None => return Ok(End::Broken),
        }
        next = match from.next().now_or_never() {
            Some(ready) => ready,
            None => {
                if to.flush().await.is_err() {
                    return Ok(End::Broken);
                }
                from.next().await
            }
        };
    }
}
