//! What callers have begun: each change is a job of this node, with a part for each thing that it changes. A job goes on when
//! its caller goes away, and is remembered for a day after its end. What the clouds do for it are their own operations, which
//! every node can tell of; the job itself is this node's alone.

mod store;
mod view;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryFutureExt, stream};
use lxd_client::Client;
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub(in crate::api) use store::{Jobs, Repeated};
pub(in crate::api) use view::{By, JobView};

use super::cloud::client;
use super::gate::RequestId;
use super::needs::Asker;
use super::problem::{Code, Problem};
use super::state::Api;
use crate::access::Caller;
use crate::access::audit::{Entry, Outcome, Pending};
use crate::actions::{ActionError, Job};
use crate::clock::now;
use crate::config::Verb;

/// How many parts of a job go on at once. The clouds decide what they do side by side; more than this only waits there.
const AT_ONCE: usize = 64;

/// The thing that a part of a job changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub(in crate::api) struct Target {
    pub(in crate::api) cloud: String,
    pub(in crate::api) project: String,
    /// What it is, such as `instances/web`.
    pub(in crate::api) object: String,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub(in crate::api) struct Change {
    pub(in crate::api) verb: Verb,
    /// Such as `start`.
    pub(in crate::api) action: &'static str,
    /// What else is to be known of it, in the audit.
    pub(in crate::api) detail: String,
}

impl Change {
    /// What the audit says of it.
    pub(in crate::api) fn entry(&self, id: &RequestId, caller: &Caller, target: &Target) -> Entry {
        Entry::new(&id.0, caller, self.verb, self.action)
            .cloud(&target.cloud)
            .project(&target.project)
            .object(&target.object)
            .detail(&self.detail)
    }
}

type Work = Box<dyn FnOnce(Client, Job) -> BoxFuture<'static, Result<Value, Problem>> + Send>;

/// What is to be done with one thing.
pub(in crate::api) struct Part {
    pub(in crate::api) target: Target,
    work: Work,
}

impl Part {
    /// What it does gets a client of the cloud, in the project.
    pub(in crate::api) fn new<F>(target: Target, work: impl FnOnce(Client, Job) -> F + Send + 'static) -> Part
    where
        F: Future<Output = Result<Value, ActionError>> + Send + 'static,
    {
        Part::failing(target, move |client, job| work(client, job).map_err(Problem::from))
    }

    /// The same, which says by itself what its failure means to the caller.
    pub(in crate::api) fn failing<F>(
        target: Target,
        work: impl FnOnce(Client, Job) -> F + Send + 'static,
    ) -> Part
    where
        F: Future<Output = Result<Value, Problem>> + Send + 'static,
    {
        Part { target, work: Box::new(move |client, job| Box::pin(work(client, job))) }
    }
}

/// A job that was begun.
#[derive(Debug)]
pub(in crate::api) struct Begun {
    pub(in crate::api) id: String,
    pub(in crate::api) by: By,
    pub(in crate::api) verb: Verb,
    pub(in crate::api) action: &'static str,
    pub(in crate::api) created_at: u64,
    pub(in crate::api) job: Job,
    pub(in crate::api) parts: Vec<Begin>,
    /// When it ended.
    pub(in crate::api) ended: watch::Sender<Option<u64>>,
}

/// A part of a job that was begun.
#[derive(Debug)]
pub(in crate::api) struct Begin {
    pub(in crate::api) target: Target,
    pub(in crate::api) job: Job,
    pub(in crate::api) outcome: watch::Sender<Option<Result<Value, Problem>>>,
}

/// Begins a job. Each part is in the audit before it begins; where that cannot be written, nothing is begun.
pub(in crate::api) async fn begin(
    api: &Api,
    caller: &Asker,
    id: &RequestId,
    change: Change,
    parts: Vec<Part>,
) -> Result<Arc<Begun>, Problem> {
    let whole = Job::new();
    let (mut begun, mut works) = (Vec::new(), Vec::new());
    for (number, part) in parts.into_iter().enumerate() {
        let pending = api.pending(change.entry(id, caller, &part.target), "changed").await?;
        let client = client(api, &part.target.cloud, &part.target.project);
        works.push((number, part.work, client, pending));
        begun.push(Begin { target: part.target, job: whole.part(), outcome: watch::Sender::default() });
    }
    let begun = Arc::new(Begun {
        id: id.0.clone(),
        by: By::of(caller),
        verb: change.verb,
        action: change.action,
        created_at: now(),
        job: whole,
        parts: begun,
        ended: watch::Sender::default(),
    });
    api.jobs.add(Arc::clone(&begun));
    let job = Arc::clone(&begun);
    let cut = api.node.cut();
    let each = |(number, work, client, pending)| {
        part(Arc::clone(&job), number, work, client, pending, cut.clone()).boxed()
    };
    let parts: Vec<BoxFuture<'static, ()>> = works.into_iter().map(each).collect();
    api.node.spawn_until_cut(async move {
        stream::iter(parts).buffer_unordered(AT_ONCE).collect::<()>().await;
        job.ended.send_replace(Some(now()));
    });
    Ok(begun)
}

/// Does one part of a job.
async fn part(
    job: Arc<Begun>,
    number: usize,
    work: Work,
    client: Result<Client, Problem>,
    mut pending: Pending,
    cut: CancellationToken,
) {
    let part = &job.parts[number];
    let outcome = match client {
        Ok(client) => {
            let work = noting(&mut pending, &part.job, work(client, part.job.clone()));
            cut.run_until_cancelled(work).await
        }
        Err(problem) => Some(Err(problem)),
    };
    let Some(outcome) = outcome else {
        pending.end(Outcome::Unknown).await;
        let stopped =
            Problem::new(Code::Unavailable, "the node stopped; what the cloud has begun goes on there");
        part.outcome.send_replace(Some(Err(stopped.of_cloud(&part.target.cloud))));
        return;
    };
    let outcome = outcome.map_err(|problem| problem.of_cloud(&part.target.cloud));
    pending
        .end(match &outcome {
            Ok(_) => Outcome::Done,
            Err(problem) if problem.code() == Code::Cancelled => Outcome::Cancelled,
            Err(problem) => Outcome::Failed(problem.detail().to_owned()),
        })
        .await;
    part.outcome.send_replace(Some(outcome));
}

/// Awaits the work, and notes each operation of the cloud in the audit as it begins.
async fn noting(
    pending: &mut Pending,
    job: &Job,
    work: impl Future<Output = Result<Value, Problem>>,
) -> Result<Value, Problem> {
    let (mut operations, mut noted) = (job.watch_operations(), 0);
    let mut work = std::pin::pin!(work);
    loop {
        let outcome = tokio::select! {
            outcome = &mut work => Some(outcome),
            _ = operations.changed() => None, // the job lives as long as its work
        };
        for operation in operations.borrow_and_update().iter().skip(noted) {
            pending.operation(operation);
            noted += 1;
        }
        if let Some(outcome) = outcome {
            return outcome;
        }
    }
}

/// How long an answer waits for the number of a server's operation, where nobody wants to wait for the end.
const PATIENCE: Duration = Duration::from_secs(3);

/// Nobody waits longer for the end.
const MOST: u64 = 300;

/// The answer to a request that began a job: its result, where it ended within the time that `Prefer: wait=SECONDS` says, or
/// else `202` and where to ask for it. A request that goes away ends nothing.
pub(in crate::api) async fn answer(api: &Api, caller: &Caller, asked: &HeaderMap, begun: &Begun) -> Response {
    let mut ended = begun.ended.subscribe();
    let stopping = api.node.stopping();
    match wanted_wait(asked) {
        Some(wait) => {
            // A node that stops has no time for a wait.
            let ended = stopping.run_until_cancelled(ended.wait_for(Option::is_some));
            let _ = tokio::time::timeout(wait, ended).await;
        }
        None => {
            let known = async {
                // A bulk has the number of its own.
                if let [one] = &begun.parts[..] {
                    let _ = one.job.watch_operations().wait_for(|operations| !operations.is_empty()).await;
                }
            };
            let _ = tokio::time::timeout(PATIENCE, async {
                tokio::select! {
                    () = known => {}
                    _ = ended.wait_for(Option::is_some) => {}
                }
            })
            .await;
        }
    }
    let is_done = begun.ended.borrow().is_some();
    // One change that failed is told as any other request that failed.
    if let ([part], true) = (&begun.parts[..], is_done)
        && let Some(Err(problem)) = &*part.outcome.borrow()
    {
        return problem.clone().into_response();
    }
    let view = JobView::of(api, begun, caller);
    let place = match &view.parts[..] {
        [part] if !is_done => part.operations.first().map(|operation| operation.href.clone()),
        _ => None,
    };
    let place = place.unwrap_or_else(|| format!("/api/v1/jobs/{}", begun.id));
    let status = if is_done { StatusCode::OK } else { StatusCode::ACCEPTED };
    let mut response = (status, Json(view)).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

/// `Prefer: wait=SECONDS`, as RFC 7240 has it.
fn wanted_wait(asked: &HeaderMap) -> Option<Duration> {
    let preferences = asked.get_all("prefer").into_iter().filter_map(|value| value.to_str().ok());
    let mut each = preferences.flat_map(|value| value.split([',', ';'])).map(str::trim);
    let seconds = each.find_map(|preference| preference.strip_prefix("wait=")?.trim().parse::<u64>().ok())?;
    Some(Duration::from_secs(seconds.min(MOST)))
}
