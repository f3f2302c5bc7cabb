//! A job that takes a body as it comes.

use axum::body::Body;
use axum::response::Response;
use lxd_client::Client;
use serde_json::Value;

use super::{Incoming, hold, may};
use crate::actions::{ActionError, Job};
use crate::api::ask::Ask;
use crate::api::connection::Connection;
use crate::api::jobs::{Change, Part, Target};
use crate::api::problem::Problem;
use crate::api::recheck::Recheck;

/// Begins a job that takes a body as it comes, and answers once it needs no more of it. It is cancelled where the caller loses
/// the right to it, and fails where the body does.
pub(in crate::api) async fn receive<F>(
    ask: &Ask,
    connection: Connection,
    body: Body,
    change: Change,
    target: Target,
    work: impl FnOnce(Client, Incoming, Job) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Value, ActionError>> + Send + 'static,
{
    let held = hold(ask)?;
    let incoming = Incoming::new(body);
    let node = ask.api.node.clone();
    let mut recheck = Recheck::new(ask.api.clone(), connection);
    let may = may(change.verb, &target);
    let part = Part::failing(target, move |client, job| async move {
        let (cause, rest) = (incoming.cause(), incoming.rest());
        let outcome = {
            let mut work = std::pin::pin!(work(client, incoming, job.clone()));
            tokio::select! {
                outcome = &mut work => outcome.map_err(|error| cause.or(error.into())),
                lost = recheck.lost(may) => {
                    job.cancel();
                    work.await.map_err(|_| lost) // it removes what is not whole
                }
            }
        };
        drop(held);
        if outcome.is_err() {
            node.spawn(rest.discard());
        }
        outcome
    });
    ask.upload(change, part).await
}
