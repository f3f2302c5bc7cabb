//! The events of a server, as they happen: `/1.0/events`.

use std::collections::HashMap;
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream::try_unfold;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::nulls;
use crate::pause::Pause;
use crate::redacted;
use crate::websocket::{Message, WebSocket};
use crate::{Client, Error, OperationState};

/// After a connection that lasted this long, the next pause is short again.
const STABLE: Duration = Duration::from_secs(30);

/// No more final states than this are remembered.
const REMEMBERED: usize = 4096;

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// Changes of operations.
    Operation,
    /// Things that are created, changed and deleted.
    Lifecycle,
    /// The lines of the server's log, which are many.
    Logging,
}

/// Something that happened. In JSON it is as the server has it, an object with `type` and `metadata`.
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "metadata", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Event {
    /// An operation changed.
    Operation(OperationState),
    /// Something was created, changed or deleted.
    Lifecycle(Lifecycle),
    /// A line of the server's log, or a kind that is not known here: the event as it came.
    Other(Map<String, Value>),
    /// The connection is lost: the server closed it, or was silent for longer than
    /// [`ClientBuilder::silence`](crate::ClientBuilder::silence) allows. It is being made again;
    /// [`Reconnected`](Event::Reconnected) comes when it is there.
    Lost,
    /// The connection was lost, and is made again. The events between were missed. The states of operations were read
    /// again and come next; whoever keeps a list by lifecycle events has to fetch it again.
    Reconnected,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Event::Operation(state) => f.debug_tuple("Operation").field(state).finish(),
            Event::Lifecycle(event) => f.debug_tuple("Lifecycle").field(event).finish(),
            Event::Other(event) => f.debug_tuple("Other").field(&redacted::Hidden(event)).finish(),
            Event::Lost => f.write_str("Lost"),
            Event::Reconnected => f.write_str("Reconnected"),
        }
    }
}

/// Something that was created, changed or deleted.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Lifecycle {
    /// What happened, such as `instance-started`.
    pub action: String,
    /// What it happened to: the path of its endpoint.
    pub source: String,
    /// More about it, which depends on the action.
    pub context: Map<String, Value>,
    /// Who did it.
    pub requestor: Map<String, Value>,
    /// The project of the thing.
    pub project: String,
    /// When, RFC 3339.
    pub timestamp: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Lifecycle { action, source, requestor, project, timestamp } hides { context, rest });

/// The events of a server, from [`Client::events`].
///
/// A lost connection is made again, for as long as it takes, with pauses that grow to five seconds. An operation that has
/// ended is never reported as running after that, although the server may send its states out of order.
/// [`into_stream`](Self::into_stream) makes a [`Stream`] of it.
#[derive(Debug)]
pub struct Events {
    client: Client,
    kinds: Vec<EventKind>,
    all_projects: bool,
    socket: Option<(WebSocket, tokio::time::Instant)>,
    pause: Pause,
    ready: std::collections::VecDeque<Event>,
    operations: Seen,
}

impl EventKind {
    fn name(self) -> &'static str {
        match self {
            EventKind::Operation => "operation",
            EventKind::Lifecycle => "lifecycle",
            EventKind::Logging => "logging",
        }
    }
}

impl Client {
    /// `GET /1.0/events`: listens to the events of the project.
    ///
    /// ```no_run
    /// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
    /// use lxd_client::{Event, EventKind};
    ///
    /// let mut events = client.events(&[EventKind::Lifecycle]).await?;
    /// loop {
    ///     if let Event::Lifecycle(event) = events.next().await? {
    ///         println!("{} {}", event.action, event.source);
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// When there is no first connection; see [`Error`].
    pub async fn events(&self, kinds: &[EventKind]) -> Result<Events, Error> {
        Events::connect(self.clone(), kinds, false).await
    }

    /// The same of all projects.
    ///
    /// # Errors
    /// When there is no first connection; see [`Error`].
    pub async fn all_events(&self, kinds: &[EventKind]) -> Result<Events, Error> {
        Events::connect(self.clone(), kinds, true).await
    }
}

impl Events {
    async fn connect(client: Client, kinds: &[EventKind], all_projects: bool) -> Result<Events, Error> {
        let mut events = Events {
            client,
            kinds: kinds.to_vec(),
            all_projects,
            socket: None,
            pause: Pause::new(),
            ready: std::collections::VecDeque::new(),
            operations: Seen::default(),
        };
        events.socket = Some((events.open().await?, tokio::time::Instant::now()));
        Ok(events)
    }

    /// Opens the websocket. The future does not borrow `self`, and so is `Send` although the websocket in it is not `Sync`.
    fn open(&self) -> impl Future<Output = Result<WebSocket, Error>> + Send + use<> {
        let kinds: Vec<&str> = self.kinds.iter().map(|kind| kind.name()).collect();
        let mut request = self.client.get(["events"]).query("type", kinds.join(","));
        if self.all_projects {
            request = request.query("all-projects", true);
        }
        request.websocket()
    }

    /// The next event. Cancel safe.
    ///
    /// # Errors
    /// Only when connecting again makes no sense: the server no longer trusts this client, or is another one.
    pub async fn next(&mut self) -> Result<Event, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let Some((socket, since)) = &mut self.socket else {
                self.reconnect().await?;
                continue;
            };
            let stable = since.elapsed() > STABLE;
            match socket.next().await {
                Ok(Some(Message::Text(text))) => {
                    if let Some(event) = self.operations.read(text.as_bytes()) {
                        return Ok(event);
                    }
                }
                Ok(Some(Message::Binary(_))) => {}
                lost => {
                    tracing::debug!(server = self.client.name(), ?lost, "the events' connection is lost");
                    self.socket = None;
                    self.ready.push_back(Event::Lost);
                    if stable {
                        self.pause = Pause::new();
                    }
                }
            }
        }
    }

    /// The events as a stream, for what takes one. It ends after an error, with the cases of [`next`](Self::next).
    pub fn into_stream(self) -> impl Stream<Item = Result<Event, Error>> + Send + Unpin {
        Box::pin(try_unfold(self, |mut events| async move { Ok(Some((events.next().await?, events))) }))
    }

    async fn reconnect(&mut self) -> Result<(), Error> {
        self.pause.next().await;
        let socket = match self.open().await {
            Ok(socket) => socket,
            Err(
                error @ (Error::NotTrusted { .. }
                | Error::NotAllowed { .. }
                | Error::LoginRequired { .. }
                | Error::Config { .. }),
            ) => {
                return Err(error);
            }
            Err(error @ Error::WrongFingerprint { .. }) => return Err(error),
            Err(error) => {
                tracing::debug!(server = self.client.name(), %error, "the events' connection is not there yet");
                return Ok(());
            }
        };
        // Read after the connection is made, which brings all later changes.
        let mut missed = Vec::new();
        if self.kinds.contains(&EventKind::Operation) {
            match self.client.operations().await {
                Ok(operations) => missed = operations,
                Err(_) => return Ok(()),
            }
        }
        self.socket = Some((socket, tokio::time::Instant::now()));
        self.ready.push_back(Event::Reconnected);
        for state in missed {
            self.ready.extend(self.operations.admit(state).map(Event::Operation));
        }
        Ok(())
    }
}

/// A text of an event, empty where it has none.
fn text_of(event: &Map<String, Value>, name: &str) -> String {
    event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The operations that have ended.
#[derive(Debug, Default)]
struct Seen {
    ended: HashMap<String, u64>,
    count: u64,
}

impl Seen {
    /// Reads an event. What is no event is skipped, so that one bad message does not end the stream.
    fn read(&mut self, text: &[u8]) -> Option<Event> {
        let mut event: Map<String, Value> = serde_json::from_slice(text).ok()?;
        let kind = event.get("type").and_then(Value::as_str)?.to_owned();
        match kind.as_str() {
            "operation" => {
                let mut state: OperationState = nulls::read_value(event.remove("metadata")?).ok()?;
                state.project = text_of(&event, "project");
                self.admit(state).map(Event::Operation)
            }
            "lifecycle" => {
                let mut lifecycle: Lifecycle = nulls::read_value(event.remove("metadata")?).ok()?;
                lifecycle.project = text_of(&event, "project");
                lifecycle.timestamp = text_of(&event, "timestamp");
                Some(Event::Lifecycle(lifecycle))
            }
            _ => Some(Event::Other(event)),
        }
    }

    /// Gives the state unless the operation has ended before.
    fn admit(&mut self, state: OperationState) -> Option<OperationState> {
        if self.ended.contains_key(&state.id) {
            return None;
        }
        if state.is_final() {
            self.count += 1;
            self.ended.insert(state.id.clone(), self.count);
            if self.ended.len() > REMEMBERED {
                let oldest = self.count.saturating_sub(REMEMBERED as u64 / 2);
                self.ended.retain(|_, count| *count > oldest);
            }
        }
        Some(state)
    }
}

#[cfg(any(fuzzing, test))]
pub(crate) fn read_any(text: &[u8]) {
    let _ = Seen::default().read(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(status: u16) -> Vec<u8> {
        let metadata = serde_json::json!({"id": "a", "status_code": status, "metadata": null});
        serde_json::json!({"type": "operation", "metadata": metadata}).to_string().into()
    }

    #[test]
    fn an_operation_that_ended_does_not_run_again() {
        let mut seen = Seen::default();
        assert!(seen.read(&operation(105)).is_some());
        assert!(seen.read(&operation(200)).is_some());
        assert_eq!(seen.read(&operation(103)), None);
        assert_eq!(seen.read(&operation(200)), None);
    }

    #[test]
    fn an_operation_has_the_project_of_its_event() {
        let event = br#"{"type":"operation","project":"p","metadata":{"id":"a","status_code":103}}"#;
        let Some(Event::Operation(state)) = Seen::default().read(event) else { panic!("no operation") };
        assert_eq!(state.project, "p");
    }

    #[test]
    fn what_is_no_event_is_passed_over() {
        for text in [&b""[..], b"{}", b"[]", br#"{"type":"operation"}"#, br#"{"type":1}"#] {
            assert_eq!(Seen::default().read(text), None);
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut seen = Seen::default();
        for n in 0..3 * REMEMBERED {
            let state = OperationState { id: n.to_string(), status_code: 200, ..OperationState::default() };
            assert!(seen.admit(state).is_some());
        }
        assert!(seen.ended.len() <= REMEMBERED);
    }
}
