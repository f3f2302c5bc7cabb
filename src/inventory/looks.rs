//! What somebody looks at: the state of these instances is fetched and kept fresh for a while.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::row::InstanceKey;

/// How long a look lasts.
const LASTS: Duration = Duration::from_secs(180);

/// Where somebody looked so short a time ago, usage is fetched more often.
const NOW: Duration = Duration::from_secs(45);

/// What somebody looks at in one cloud.
#[derive(Debug, Default)]
pub(super) struct Looks {
    looks: Mutex<State>,
    /// Wakes the cloud's feed.
    new: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When all of these projects were last looked at; the empty name stands for all projects.
    projects: HashMap<String, Instant>,
    instances: HashMap<InstanceKey, Instant>,
    /// Whether somebody has begun to look when nobody did.
    begun: bool,
}

impl Looks {
    /// Somebody looks at these.
    pub(super) fn add(&self, keys: impl IntoIterator<Item = InstanceKey>) {
        let now = Instant::now();
        let mut state = self.lock(now);
        state.begun |= !state.is_live(now);
        state.instances.extend(keys.into_iter().map(|key| (key, now)));
        drop(state);
        self.new.notify_one();
    }

    /// Somebody looks at all of these projects, or of all projects.
    pub(super) fn add_all(&self, projects: &[String]) {
        let now = Instant::now();
        let mut state = self.lock(now);
        state.begun |= !state.is_live(now);
        match projects {
            [] => drop(state.projects.insert(String::new(), now)),
            projects => state.projects.extend(projects.iter().map(|project| (project.clone(), now))),
        }
        drop(state);
        self.new.notify_one();
    }

    /// Is done when somebody has begun to look at something. Cancel safe.
    pub(super) async fn added(&self) {
        self.new.notified().await;
    }

    /// Those of these instances that somebody looks at.
    pub(super) fn among<'a>(&self, keys: impl Iterator<Item = &'a InstanceKey>) -> Vec<&'a InstanceKey> {
        let state = self.lock(Instant::now());
        keys.filter(|key| state.has(key)).collect()
    }

    /// Whether somebody looks at the instance.
    pub(super) fn has(&self, key: &InstanceKey) -> bool {
        self.lock(Instant::now()).has(key)
    }

    /// Whether somebody has looked at something just now.
    pub(super) fn is_live(&self) -> bool {
        let now = Instant::now();
        self.lock(now).is_live(now)
    }

    /// Whether somebody has begun to look since this was asked last.
    pub(super) fn take_begun(&self) -> bool {
        std::mem::take(&mut self.lock(Instant::now()).begun)
    }

    /// The looks that last.
    fn lock(&self, now: Instant) -> MutexGuard<'_, State> {
        let mut state = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        state.projects.retain(|_, at| now - *at < LASTS);
        state.instances.retain(|_, at| now - *at < LASTS);
        state
    }
}

impl State {
    fn is_live(&self, now: Instant) -> bool {
        self.projects.values().chain(self.instances.values()).any(|at| now - *at < NOW)
    }

    fn has(&self, key: &InstanceKey) -> bool {
        self.projects.contains_key("")
            || self.projects.contains_key(&key.project)
            || self.instances.contains_key(key)
    }
}
