//! Runs of the doctor in the running node: one at a time, for all who ask meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::problem::{Code, Problem};
use super::state::Api;
use crate::clock::now;
use crate::doctor::{Finding, Findings, examine_within};

/// How long a run may take. What it has found until then is told.
const LONGEST: Duration = Duration::from_secs(120);

/// How long somebody waits for a run.
const PATIENCE: Duration = Duration::from_secs(150);

/// The runs of the doctor.
#[derive(Debug, Default)]
pub(in crate::api) struct Doctor {
    last: watch::Sender<Option<Arc<Run>>>,
    runs: AtomicBool,
}

/// A run that has ended.
#[derive(Debug)]
pub(in crate::api) struct Run {
    /// In seconds since 1970.
    pub(in crate::api) ran_at: u64,
    pub(in crate::api) findings: Vec<Finding>,
}

impl Doctor {
    /// What the last run has found.
    pub(in crate::api) fn last(&self) -> Option<Arc<Run>> {
        self.last.borrow().clone()
    }
}

/// Runs it, or waits for the run that goes on, which does not end with those who wait.
pub(in crate::api) async fn run(api: &Api) -> Result<Arc<Run>, Problem> {
    let mut last = api.doctor.last.subscribe();
    if !api.doctor.runs.swap(true, Ordering::AcqRel) {
        let going = Going(api.clone());
        api.node.spawn(async move {
            let mut findings = Findings::default();
            let examined = examine_within(&going.0.node, &going.0.access, &mut findings);
            if tokio::time::timeout(LONGEST, examined).await.is_err() {
                let why = format!("not all was checked within {} s", LONGEST.as_secs());
                findings.fail("doctor", why, "look at what was found last, and try again");
            }
            let run = Arc::new(Run { ran_at: now(), findings: findings.list });
            let api = going.0.clone();
            drop(going); // before it is told, so that whoever asks from now on begins another one
            api.doctor.last.send_replace(Some(run));
        });
    }
    match tokio::time::timeout(PATIENCE, last.changed()).await {
        Ok(Ok(())) => {
            let run = last.borrow_and_update().clone();
            run.ok_or_else(|| Problem::new(Code::Unavailable, "the doctor did not end"))
        }
        _ => Err(Problem::new(Code::Unavailable, "the doctor did not end")),
    }
}

/// A run that goes on.
struct Going(Api);

impl Drop for Going {
    fn drop(&mut self) {
        self.0.doctor.runs.store(false, Ordering::Release);
    }
}
