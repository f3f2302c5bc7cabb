//! The model as many tasks share it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::watch;

use super::change::Revision;
use super::model::Model;

/// The model behind a lock that nobody holds while waiting. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    model: RwLock<Model>,
    newest: watch::Sender<Revision>,
}

impl Store {
    pub(super) fn new() -> Store {
        let model = Model::new();
        let newest = watch::Sender::new(model.log.revision());
        Store { shared: Arc::new(Shared { model: RwLock::new(model), newest }) }
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, Model> {
        self.shared.model.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the model, and tells who follows it if something has changed.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let (value, newest) = {
            let mut model = self.shared.model.write().unwrap_or_else(PoisonError::into_inner);
            let value = change(&mut model);
            (value, model.log.revision())
        };
        self.shared.newest.send_if_modified(|revision| {
            let later = newest > *revision;
            *revision = newest.max(*revision);
            later
        });
        value
    }

    /// Follows the number of the newest change.
    pub(super) fn follow(&self) -> watch::Receiver<Revision> {
        self.shared.newest.subscribe()
    }
}
