//! The jobs that are remembered, and what repeated requests get.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::Begun;
use crate::clock::now;

/// How long a job is remembered after its end, in seconds.
const KEEP: u64 = 86_400;

/// No more are remembered, but for those that go on.
const MOST: usize = 1_000;

/// How long a key of a request counts, in seconds.
const KEEP_KEYS: u64 = 3_600;

/// No more keys are remembered.
const MOST_KEYS: usize = 10_000;

/// The jobs of this node. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Jobs(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// Oldest first.
    jobs: VecDeque<Arc<Begun>>,
    keys: HashMap<Key, Seen>,
}

/// The key of a request, and whose it is.
type Key = (String, String);

#[derive(Debug)]
struct Seen {
    at: u64,
    /// Of the method, the path and the body.
    request: u64,
    /// None while the first request is under way.
    job: Option<String>,
}

/// What became of a request whose `Idempotency-Key` may be known.
#[derive(Debug)]
pub(in crate::api) enum Repeated {
    /// It is the first one.
    New(Claim),
    /// It began this job before.
    Again(Arc<Begun>),
    /// The first one is still being taken.
    Running,
    /// The key is that of another request.
    Other,
    /// The job of the first one is forgotten.
    Forgotten,
}

/// A key that was taken for a request. Dropped without a job it is free again.
#[derive(Debug)]
pub(in crate::api) struct Claim {
    jobs: Jobs,
    key: Key,
    is_kept: bool,
}

impl Jobs {
    pub(in crate::api) fn add(&self, job: Arc<Begun>) {
        let mut known = self.lock();
        known.jobs.push_back(job);
        let Known { jobs, .. } = &mut *known;
        let (now, many) = (now(), jobs.len());
        let mut spare = many.saturating_sub(MOST);
        jobs.retain(|job| {
            let Some(ended) = *job.ended.borrow() else { return true };
            let goes = spare > 0 || ended + KEEP <= now;
            spare = spare.saturating_sub(usize::from(goes));
            !goes
        });
    }

    pub(in crate::api) fn get(&self, id: &str) -> Option<Arc<Begun>> {
        self.lock().jobs.iter().find(|job| job.id == id).cloned()
    }

    /// All of them, the newest first.
    pub(in crate::api) fn all(&self) -> Vec<Arc<Begun>> {
        self.lock().jobs.iter().rev().cloned().collect()
    }

    /// The job that an operation of a cloud belongs to.
    pub(in crate::api) fn of_operation(&self, cloud: &str, id: &str) -> Option<Arc<Begun>> {
        let has = |job: &&Arc<Begun>| {
            let mut parts = job.parts.iter().filter(|part| part.target.cloud == cloud);
            parts.any(|part| part.job.has_operation(id))
        };
        self.lock().jobs.iter().rev().find(has).cloned()
    }

    /// Takes a key for a request, which the hash tells from others.
    pub(in crate::api) fn claim(&self, caller: &str, key: &str, request: u64) -> Repeated {
        let key = (caller.to_owned(), key.to_owned());
        let mut known = self.lock();
        let now = now();
        known.keys.retain(|_, seen| seen.at + KEEP_KEYS > now);
        if let Some(seen) = known.keys.get(&key) {
            let job = seen.job.clone();
            return match job {
                _ if seen.request != request => Repeated::Other,
                None => Repeated::Running,
                Some(id) => match known.jobs.iter().find(|job| job.id == id) {
                    Some(job) if job.ended.borrow().is_none() => Repeated::Running,
                    Some(job) => Repeated::Again(Arc::clone(job)),
                    None => Repeated::Forgotten,
                },
            };
        }
        if known.keys.len() >= MOST_KEYS {
            let oldest = known.keys.iter().min_by_key(|(_, seen)| seen.at).map(|(key, _)| key.clone());
            oldest.and_then(|oldest| known.keys.remove(&oldest));
        }
        known.keys.insert(key.clone(), Seen { at: now, request, job: None });
        Repeated::New(Claim { jobs: self.clone(), key, is_kept: false })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Keeps the key for the job that the request began.
    pub(in crate::api) fn keep(mut self, job: &Begun) {
        self.is_kept = true;
        if let Some(seen) = self.jobs.lock().keys.get_mut(&self.key) {
            seen.job = Some(job.id.clone());
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_kept {
            self.jobs.lock().keys.remove(&self.key);
        }
    }
}
