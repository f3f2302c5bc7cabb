//! Who follows the inventory.

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::change::{Change, Revision};
use super::query::{Query, Snapshot};
use super::store::Store;

/// What a subscriber is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Update {
    /// All rows: what the subscriber had is to be thrown away.
    Reset(Snapshot),
    /// What has changed since, in order. Several changes of one row may be told as one.
    Changes(Vec<Change>),
}

/// No more changes are told at once.
const BATCH: usize = 1_000;

/// Follows the changes of the inventory, from [`Inventory::subscribe`](super::Inventory::subscribe). It holds nothing but
/// the number of the change that it was told last: one that is slow, or that sleeps, costs nothing, and is told of each row
/// once when it goes on.
#[derive(Debug)]
pub(crate) struct Subscription {
    store: Store,
    since: Option<Revision>,
    newest: watch::Receiver<Revision>,
}

impl Subscription {
    pub(super) fn new(store: Store, since: Option<Revision>) -> Subscription {
        let newest = store.follow();
        Subscription { store, since, newest }
    }

    /// What has changed since the last call, once there is something. Cancel safe.
    pub(crate) async fn next(&mut self) -> Update {
        loop {
            self.newest.mark_unchanged();
            if let Some(update) = self.ready() {
                return update;
            }
            // The sender is in the store, which lives as long as this.
            let _ = self.newest.changed().await;
        }
    }

    fn ready(&mut self) -> Option<Update> {
        let model = self.store.read();
        let Some(changes) = self.since.and_then(|since| model.log.since(since, BATCH)) else {
            let snapshot = model.snapshot(&Query::default());
            self.since = Some(snapshot.revision);
            return Some(Update::Reset(snapshot));
        };
        self.since = Some(changes.last()?.revision);
        Some(Update::Changes(changes))
    }
}
