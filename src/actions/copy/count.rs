//! A count of what arrived: how many files the source and the copy have, and how long they are.

use std::time::Duration;

use lxd_client::{Error, FileCount, InstanceHandle};
use serde::Serialize;

use super::Place;
use super::plan::Plan;
use crate::actions::{ActionError, Job};

/// A count that takes longer is given up.
const WITHIN: Duration = Duration::from_secs(60);

/// Whether what arrived was counted.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Counted {
    /// The source and the copy have as much.
    Alike(FileCount),
    /// It was not, and why.
    No(String),
}

/// Counts the files of an instance and of its copy, where both can be listed: neither runs, and they are containers.
///
/// # Errors
/// [`ActionError::Unverified`] when they differ.
pub(super) async fn compare(to: &Place, plan: &Plan, job: &Job) -> Result<Counted, ActionError> {
    let no = |why: &str| Ok(Counted::No(why.to_owned()));
    if plan.source.snapshot.is_some() {
        return no("the files of a snapshot cannot be listed");
    }
    if plan.original.kind == "virtual-machine" {
        return no("the files of a virtual machine that does not run cannot be listed");
    }
    if plan.original.status != "Stopped" {
        return no("the source is not stopped");
    }
    job.stage("counting files");
    let copy = to.client.instance(&plan.name);
    let (source, copy) = tokio::select! {
        biased;
        () = job.cancelled() => return Err(ActionError::cancelled()),
        both = async { tokio::join!(count(&plan.handle), count(&copy)) } => both,
    };
    match (source, copy) {
        (Ok(source), Ok(copy)) if source == copy => Ok(Counted::Alike(copy)),
        (Ok(source), Ok(copy)) => {
            // One that was started meanwhile has changed.
            if plan.handle.get().await?.value.status != "Stopped" {
                return no("the source was started meanwhile");
            }
            Err(ActionError::Unverified(format!(
                "the copy at {} is not whole: it has {} files with {} bytes of {} with {}",
                to.cloud, copy.entries, copy.bytes, source.entries, source.bytes
            )))
        }
        (Err(why), _) | (_, Err(why)) => no(&why),
    }
}

/// How many bytes the files of a source have, where they can be listed.
pub(super) async fn bytes(plan: &Plan) -> Option<u64> {
    if plan.source.snapshot.is_some() || plan.original.status != "Stopped" {
        return None;
    }
    count(&plan.handle).await.ok().map(|count| count.bytes)
}

async fn count(instance: &InstanceHandle) -> Result<FileCount, String> {
    match tokio::time::timeout(WITHIN, instance.files().count("/")).await {
        Ok(Ok(count)) => Ok(count),
        Ok(Err(error)) => Err(words(&error)),
        Err(_) => Err(format!("the count took longer than {} s", WITHIN.as_secs())),
    }
}

fn words(error: &Error) -> String {
    format!("the files cannot be listed: {}", lxd_client::one_line(error))
}
