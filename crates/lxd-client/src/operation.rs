//! Operations, work that the server goes on with after its answer: `/1.0/operations`.

use std::time::Duration;

use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use crate::envelope::{Envelope, Metadata};
use crate::pause::Pause;
use crate::permission::refusal;
use crate::redacted;
use crate::{Client, Error, Event, EventKind};

/// How long a wait tries to reach the server again before it gives up. LXD forgets an operation five seconds after its
/// end, so a longer window helps only with operations that still run.
const RECONNECT_WINDOW: Duration = Duration::from_secs(60);

/// An operation: work that the server goes on with.
///
/// A task waits for its end from the start, since the server forgets it five seconds after its end. Dropping the handle
/// ends that task, and not the operation.
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
/// let mut start = client.put(["instances", "c1", "state"])
///     .json(&serde_json::json!({"action": "start"}))
///     .operation()
///     .await?;
/// let ended = start.wait().await?;
/// println!("{} since {}", ended.description, ended.created_at);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Operation {
    client: Client,
    id: String,
    begun: OperationState,
    ended: Option<OperationState>,
    follower: Option<Follower>,
}

/// The state of an operation, or its state when it ended.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct OperationState {
    /// Its number, a UUID.
    pub id: String,
    /// `task`, `websocket` or `token`.
    pub class: String,
    /// What it does, for people.
    pub description: String,
    /// When it began, RFC 3339.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
    /// Such as `Running`; see [`is_final`](OperationState::is_final).
    pub status: String,
    /// The same as a number: from 200 on it has ended, and 200 alone is success.
    pub status_code: u16,
    /// What it works on: URLs, by kind.
    pub resources: Map<String, Value>,
    /// Its own data: progress, exit status, the secrets of its websockets.
    pub metadata: Map<String, Value>,
    /// Whether it can be cancelled.
    pub may_cancel: bool,
    /// Why it failed.
    pub err: String,
    /// The cluster's member that it runs on.
    pub location: String,
    /// The project that it belongs to, where it came as an event.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(OperationState { id, class, description, created_at, updated_at, status, status_code, resources, may_cancel, err, location, project } hides { metadata, rest });

impl OperationState {
    /// Whether it has ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.status_code >= 200
    }

    /// Whether it has ended well.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status_code == 200
    }

    /// What it says of its progress, such as `rootfs: 42% (12.3MB/s)`.
    #[must_use]
    pub fn progress(&self) -> Option<&str> {
        self.metadata.iter().find(|(key, _)| key.ends_with("_progress")).and_then(|(_, value)| value.as_str())
    }
}

/// The task that waits. It ends with the handle.
#[derive(Debug)]
struct Follower(JoinHandle<Result<OperationState, Error>>);

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Client {
    /// `GET /1.0/operations?recursion=1`: the operations that go on, and those that ended within five
    /// seconds. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn operations(&self) -> Result<Vec<OperationState>, Error> {
        // By status, such as {"running": [...]}.
        let groups: Option<Map<String, Value>> =
            self.get(["operations"]).query("recursion", 1).fetch().await?;
        let all = groups.unwrap_or_default().into_iter().flat_map(|(_, group)| match group {
            Value::Array(list) => list,
            _ => Vec::new(),
        });
        all.map(|value| crate::nulls::read_value(value).map_err(|e| self.malformed(e))).collect()
    }

    /// A handle of an operation that was started elsewhere, by its number.
    #[must_use]
    pub fn operation(&self, id: &str) -> Operation {
        let begun = OperationState { id: id.to_owned(), status_code: 103, ..OperationState::default() };
        Operation { client: self.clone(), id: id.to_owned(), begun, ended: None, follower: None }
    }
}

impl Operation {
    /// Reads the answer that began it, and waits from then on.
    pub(crate) fn begun(client: &Client, metadata: &Metadata) -> Result<Operation, Error> {
        let begun: OperationState = metadata.read().map_err(|e| client.malformed(e))?;
        if begun.id.is_empty() {
            return Err(client.protocol("an operation without a number"));
        }
        let mut operation =
            Operation { client: client.clone(), id: begun.id.clone(), ended: None, follower: None, begun };
        operation.follow();
        Ok(operation)
    }

    /// An operation that the server finished before its answer.
    pub(crate) fn done(client: &Client) -> Operation {
        let state =
            OperationState { status: "Success".to_owned(), status_code: 200, ..OperationState::default() };
        Operation {
            client: client.clone(),
            id: String::new(),
            begun: state.clone(),
            ended: Some(state),
            follower: None,
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its state when it was started. A handle by number knows the number alone.
    #[must_use]
    pub fn begun_as(&self) -> &OperationState {
        &self.begun
    }

    /// Waits for its end, and gives its last state: by `GET /1.0/operations/{id}/wait`, in each dialect of that.
    ///
    /// It waits as long as the operation lasts. A lost connection is made again; a server that cannot be
    /// reached for a minute ends the wait. Cancel safe: it can be called again.
    ///
    /// # Errors
    /// [`Error::Operation`] when it failed or was cancelled, [`Error::OperationLost`] when the server no
    /// longer knows.
    pub async fn wait(&mut self) -> Result<OperationState, Error> {
        let ended = match &self.ended {
            Some(ended) => ended.clone(),
            None => {
                let joined = (&mut self.follow().0).await;
                self.follower = None;
                let ended = joined.map_err(|e| self.client.broken(e))??;
                self.ended.insert(ended).clone()
            }
        };
        if ended.is_success() {
            return Ok(ended);
        }
        let message = match ended.err.as_str() {
            "" => format!("the operation ended with the status {}", ended.status),
            err => err.to_owned(),
        };
        Err(Error::Operation { id: self.id.clone(), message, state: Some(Box::new(ended)) })
    }

    /// [`wait`](Operation::wait), for no longer than this. The operation goes on.
    ///
    /// # Errors
    /// [`Error::Timeout`], and those of `wait`.
    pub async fn wait_for(&mut self, after: Duration) -> Result<OperationState, Error> {
        let server = self.client.name().to_owned();
        tokio::time::timeout(after, self.wait()).await.map_err(|_| Error::Timeout { server, after })?
    }

    /// [`wait`](Operation::wait), which calls `changed` with each new state before the last: it listens to events, on a
    /// dedicated connection.
    ///
    /// ```no_run
    /// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
    /// # let source = lxd_client::ImageSource::url("https://example.com/image.tar.gz");
    /// let mut import = client.create_image(&source, &Default::default()).await?;
    /// import.wait_with(|state| println!("{}", state.progress().unwrap_or_default())).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `wait`. A server without events is no error.
    pub async fn wait_with(
        &mut self,
        mut changed: impl FnMut(&OperationState),
    ) -> Result<OperationState, Error> {
        let (client, id) = (self.client.clone(), self.id.clone());
        let report = async {
            let Ok(mut events) = client.events(&[EventKind::Operation]).await else { return };
            while let Ok(event) = events.next().await {
                match event {
                    Event::Operation(state) if state.id == id && !state.is_final() => changed(&state),
                    _ => {}
                }
            }
        };
        let report = async {
            report.await;
            std::future::pending::<Result<OperationState, Error>>().await
        };
        tokio::select! {
            ended = self.wait() => ended,
            never = report => never,
        }
    }

    /// `GET /1.0/operations/{id}`: its state now. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] five seconds after its end.
    pub async fn state(&self) -> Result<OperationState, Error> {
        if let Some(ended) = &self.ended {
            return Ok(ended.clone());
        }
        self.client.get(["operations", &self.id]).unscoped().fetch().await
    }

    /// `DELETE /1.0/operations/{id}`: asks the server to stop it, if it can. [`wait`](Operation::wait) ends when it has
    /// stopped.
    ///
    /// # Errors
    /// When it cannot be cancelled, or has ended.
    pub async fn cancel(&self) -> Result<(), Error> {
        self.client.delete(["operations", &self.id]).unscoped().done().await
    }

    fn follow(&mut self) -> &mut Follower {
        let (client, id) = (&self.client, &self.id);
        self.follower.get_or_insert_with(|| Follower(tokio::spawn(follow(client.clone(), id.clone()))))
    }
}

/// Waits until an operation has ended, in each dialect of `/wait`.
async fn follow(client: Client, id: String) -> Result<OperationState, Error> {
    let get = |suffix: &[&str]| {
        let path: Vec<&str> = ["operations", &id].into_iter().chain(suffix.iter().copied()).collect();
        client.get(&path[..]).unscoped()
    };
    let mut pause = Pause::new();
    let mut lost_since: Option<tokio::time::Instant> = None;
    // The error that /wait answered with: the operation is read once more, and may have a better one.
    let mut refused: Option<(u16, String)> = None;
    let slot = client.wait_slot();
    loop {
        let request = match refused {
            None => get(&["wait"]).query("timeout", -1).no_timeout(),
            Some(_) => get(&[]),
        };
        let request = if slot.is_some() { request } else { request.on_dedicated_connection() };
        match request.answer().await {
            Ok((Envelope::Sync(state), _)) => {
                let state: OperationState = state.read().map_err(|e| client.malformed(e))?;
                if state.is_final() {
                    return Ok(state);
                }
                // The wait was cut short by the server, and can begin again.
                (refused, lost_since) = (None, None);
            }
            Ok((Envelope::Error { code, message }, headers)) => match refused.take() {
                // An Incus answers /wait with the operation's own error, which may be that something is not found.
                Some((404, _)) if code == 404 => return Err(Error::OperationLost { id }),
                Some((_, message)) => return Err(Error::Operation { id, message, state: None }),
                None if code == 503 => {
                    lost_since = Some(unavailable_since(lost_since, code, message, &headers)?)
                }
                None if code == 401 || code == 403 => {
                    return Err(client.refused(code, message, &headers).await);
                }
                None => {
                    refused = Some((code, message));
                    continue; // at once: it is known for five seconds only
                }
            },
            Ok((Envelope::Async(_), _)) => return Err(client.protocol("an operation for an operation")),
            Err(error @ (Error::Broken { .. } | Error::Connect { .. } | Error::Timeout { .. })) => {
                let since = *lost_since.get_or_insert_with(tokio::time::Instant::now);
                if since.elapsed() > RECONNECT_WINDOW {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        pause.next().await;
    }
}

/// Since when the server is unavailable: it answers with 503 while it starts or stops. Fails after the window.
fn unavailable_since(
    since: Option<tokio::time::Instant>,
    code: u16,
    message: String,
    headers: &HeaderMap,
) -> Result<tokio::time::Instant, Error> {
    let since = since.unwrap_or_else(tokio::time::Instant::now);
    if since.elapsed() > RECONNECT_WINDOW {
        return Err(refusal(code, message, headers));
    }
    Ok(since)
}
