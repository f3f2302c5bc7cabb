//! The changes of the inventory, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::IntoParams;
use utoipa_axum::routes;

use crate::access::Caller;
use crate::api::connection::Connection;
use crate::api::counted;
use crate::api::extract::Query;
use crate::api::gate::too_many;
use crate::api::guard::Held;
use crate::api::needs::{Asker, Needs, Routes};
use crate::api::problem::Problem;
use crate::api::recheck::Recheck;
use crate::api::state::Api;
use crate::config::Verb;
use crate::inventory::{Item, Revision, Subscription, Update};

pub(super) fn routes() -> Routes {
    Routes::default().add(Needs::anywhere(Verb::View), routes!(events))
}

/// How often changes are told while there are many: those between are gathered.
const GATHER: Duration = Duration::from_millis(100);

/// How many are told at once after a while without any: what one click leads to.
const AT_ONCE: u32 = 5;

/// How often a line comes that says nothing, so that both sides know that the other is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Where the events begin.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct From {
    /// The `id` of the last event that was seen. A browser that connects again says it by itself (`Last-Event-ID`).
    after: Option<String>,
}

/// The changes of what the caller may see, as they happen. After the `id` of an event, or, without one, from now on.
///
/// An event `change` has the changes of a moment, or, while there are many, of 100 ms. Each has its `kind` (`instance`,
/// `instance-gone`, `operation`, `image`, `cloud` and so on) and its `row`. An event `reset` says that changes were missed:
/// lists are to be asked for anew. What an instance uses, in its row too, is no change by itself. The stream ends when the
/// caller may see nothing any more. Where nothing changes, an empty comment comes every 15 seconds: a stream without one is
/// that of a node that died, and is to be followed anew.
#[utoipa::path(
    get, path = "/events", operation_id = "events", tag = "events", params(From),
    responses((status = 200, body = String, content_type = "text/event-stream")),
)]
async fn events(
    State(api): State<Api>,
    connection: Connection,
    caller: Asker,
    headers: HeaderMap,
    Query(from): Query<From>,
) -> Result<Response, Problem> {
    let held = api.limits.take(Held::Events, &caller.node.id).ok_or_else(|| too_many(Held::Events))?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let after = from.after.or(last).filter(|id| !id.is_empty());
    let (since, missed) = match after.as_deref().map(|id| api.epoch.revision_of(id)) {
        None => (api.inventory.revision(), false),
        Some(Some(revision)) => (revision, false),
        Some(None) => (api.inventory.revision(), true), // of another node, or of another time
    };
    let follower = Follower {
        changes: api.inventory.subscribe(Some(since)),
        hello: Some((since, missed)),
        paid: Instant::now(),
        stopping: api.node.stopping(),
        recheck: Recheck::new(api.clone(), connection),
        api,
        caller,
    };
    let frames = stream::unfold(follower, |mut follower| async move {
        let frame = follower.next().await?;
        Some((Ok::<_, Infallible>(frame), follower))
    });
    let mut response = counted::body(Body::from_stream(frames), held).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// Who follows the changes.
struct Follower {
    api: Api,
    caller: Asker,
    changes: Subscription,
    /// What is said first: where the events begin, and whether changes before that were missed.
    hello: Option<(Revision, bool)>,
    /// What was told is paid for by then, each with the time to gather.
    paid: Instant,
    stopping: tokio_util::sync::CancellationToken,
    recheck: Recheck,
}

impl Follower {
    /// The next piece of the stream, once there is something to say. `None` ends it.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some((since, missed)) = self.hello.take() {
            let id = self.api.epoch.id_of(since);
            // Who loses the connection before the first change comes back to here.
            let first = if missed { "event: reset\ndata: {}" } else { ": following" };
            return Some(format!("retry: 2000\n\nid: {id}\n{first}\n\n").into());
        }
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            let stopping = self.stopping.clone();
            let ahead = self.paid.saturating_duration_since(Instant::now());
            if let Some(wait) = ahead.checked_sub(GATHER * (AT_ONCE - 1)) {
                stopping.run_until_cancelled(tokio::time::sleep(wait)).await?;
            }
            let update = tokio::select! {
                () = stopping.cancelled() => return None,
                update = self.changes.next() => Some(update),
                () = self.recheck.due() => None,
                () = tokio::time::sleep_until(heartbeat) => return Some(Bytes::from_static(b":\n\n")),
            };
            match update {
                None => self.check().await?,
                Some(update) => {
                    self.paid = self.paid.max(Instant::now()) + GATHER;
                    if let Some(frame) = self.frame(update) {
                        return Some(frame);
                    }
                }
            }
        }
    }

    /// Asks anew who the caller is; `None` when it may see nothing any more.
    async fn check(&mut self) -> Option<()> {
        if let Some(caller) = self.recheck.caller().await.ok()? {
            self.caller = caller;
        }
        self.caller.rights.has(Verb::View).then_some(())
    }

    fn frame(&self, update: Update) -> Option<Bytes> {
        match update {
            Update::Reset(snapshot) => {
                let id = self.api.epoch.id_of(snapshot.revision);
                Some(format!("id: {id}\nevent: reset\ndata: {{}}\n\n").into())
            }
            Update::Changes(changes) => {
                let newest = changes.last()?.revision;
                let seen: Vec<Arc<str>> = changes
                    .iter()
                    .filter(|change| change.is_news && may_see(&self.caller, &change.item))
                    .filter_map(|change| self.api.frames.of(change))
                    .collect();
                if seen.is_empty() {
                    return None;
                }
                let mut text = format!("id: {}\nevent: change\ndata: [", self.api.epoch.id_of(newest));
                for (number, change) in seen.iter().enumerate() {
                    if number > 0 {
                        text.push(',');
                    }
                    text.push_str(change);
                }
                text.push_str("]\n\n");
                Some(text.into())
            }
        }
    }
}

/// Whether the caller may see what has changed.
fn may_see(caller: &Caller, item: &Item) -> bool {
    let rights = &caller.rights;
    match item {
        Item::Instance(row) => rights.allows(Verb::View, &row.key.cloud, &row.key.project),
        Item::InstanceGone(key) => rights.allows(Verb::View, &key.cloud, &key.project),
        Item::Operation(row) if row.project.is_empty() => rights.whole_cloud(Verb::View, &row.cloud),
        Item::Operation(row) => rights.allows(Verb::View, &row.cloud, &row.project),
        Item::OperationGone(key) => rights.has_cloud(Verb::View, &key.cloud),
        Item::Image(row) => rights.allows(Verb::View, &row.cloud, &row.project),
        Item::ImageGone(key) => rights.allows(Verb::View, &key.cloud, &key.project),
        Item::Cloud(row) => rights.has_cloud(Verb::View, &row.name),
        Item::CloudGone(name) => rights.has_cloud(Verb::View, name),
    }
}
