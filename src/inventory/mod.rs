//! The inventory: one live model of all clouds, for the commands and the API.
//!
//! The [`Model`] holds the rows and numbers their changes; the feed of each cloud fills it, by lists, and keeps it by events.
//! Nobody who reads it waits for a cloud.
//!
//! As in kube-rs (`watcher` and `reflector`) a list and then events fill a store, and a new list repairs it after a lost
//! stream. LXD's events have neither order nor replay, so the stream is opened before the list, an event of which the
//! outcome is not certain has the row read again, and all is listed again now and then; and where kube-rs' shared store and
//! linkerd's topics of snapshots wait for a subscriber whose buffer is full, subscribers here have no buffer, and read what
//! has changed since their revision.

mod change;
mod feed;
mod feeds;
mod looks;
mod model;
mod query;
mod row;
mod store;
mod subscription;
mod table;
#[cfg(test)]
mod tests;
mod usage;

use std::sync::Arc;

use lxd_client::Client;

use feeds::{Feeds, Source};
use store::Store;

use crate::config::CloudKind;
use crate::node::Node;

pub(crate) use change::{Change, Item, Revision};
pub(crate) use feed::{ListedInstance, operation_row};
pub(crate) use query::{Counts, Kind, Overview, Query, Snapshot};
#[cfg(test)]
pub(crate) use row::InstanceAddress;
pub(crate) use row::{CloudRow, InstanceKey, InstanceRow, InstanceUsage, OperationRow, Rates};
pub(crate) use subscription::{Subscription, Update};

/// The inventory. Clones share it. It is filled for as long as the node runs, or the clones live.
#[derive(Clone, Debug)]
pub(crate) struct Inventory {
    store: Store,
    feeds: Arc<Feeds>,
}

impl Inventory {
    /// Follows the clouds of a node until that stops.
    pub(crate) fn start(node: &Node) -> Inventory {
        let inventory = Inventory::empty();
        let (store, feeds, following) = (inventory.store.clone(), Arc::clone(&inventory.feeds), node.clone());
        node.spawn(async move {
            let mut watch = following.watch_clouds();
            while let Some(clouds) = watch.next().await {
                feeds.set(&store, &clouds, |feed| following.spawn(feed));
            }
        });
        inventory
    }

    /// An inventory of servers without a node: of each the name, the kind and a client. Its tasks end with the last clone.
    pub(crate) fn over(clouds: impl IntoIterator<Item = (String, CloudKind, Client)>) -> Inventory {
        let inventory = Inventory::empty();
        for (name, kind, client) in clouds {
            if kind != CloudKind::Tcp {
                inventory.feeds.add(&inventory.store, Source { name, client, cloud: None }, |feed| {
                    tokio::spawn(feed);
                });
            }
        }
        inventory
    }

    fn empty() -> Inventory {
        Inventory { store: Store::new(), feeds: Arc::default() }
    }

    /// The rows that are asked for, as they are now.
    pub(crate) fn snapshot(&self, query: &Query) -> Snapshot {
        self.store.read().snapshot(query)
    }

    /// The rows of the clouds themselves that are asked for, and the number of the newest change.
    pub(crate) fn clouds(&self, query: &Query) -> (Revision, Vec<Arc<CloudRow>>) {
        let model = self.store.read();
        (model.log.revision(), model.clouds(query).cloned().collect())
    }

    /// The number of the newest change.
    pub(crate) fn revision(&self) -> Revision {
        self.store.read().log.revision()
    }

    /// Whether it has this instance.
    pub(crate) fn has(&self, key: &InstanceKey) -> bool {
        self.store.read().instance(key).is_some()
    }

    /// Waits until all of each cloud was read, or cannot be. Cancel safe.
    pub(crate) async fn settled(&self) {
        let mut changes = self.subscribe(None);
        let query = Query { kinds: vec![Kind::Operations], ..Query::default() };
        while self.snapshot(&query).clouds.iter().any(|cloud| !cloud.filled && cloud.stale_since.is_none()) {
            changes.next().await;
        }
    }

    /// How much there is.
    pub(crate) fn overview(&self) -> Overview {
        self.store.read().overview()
    }

    /// Follows the changes after this one; without it, and where they are no longer known, all rows come first.
    pub(crate) fn subscribe(&self, since: Option<Revision>) -> Subscription {
        Subscription::new(self.store.clone(), since)
    }

    /// Somebody looks at these instances: their state is fetched soon, and kept fresh for some minutes. Whoever looks on
    /// calls it again; each call is cheap.
    pub(crate) fn look(&self, keys: &[InstanceKey]) {
        self.feeds.each(|cloud, looks| {
            let mut own = keys.iter().filter(|key| key.cloud == cloud).cloned().peekable();
            if own.peek().is_some() {
                looks.add(own);
            }
        });
    }

    /// The same for all instances of these clouds and projects.
    pub(crate) fn look_at_all(&self, query: &Query) {
        self.feeds.each(|cloud, looks| {
            if query.has_cloud(cloud) {
                looks.add_all(&query.projects);
            }
        });
    }

    /// What an instance has used during the last hour, oldest first, at a step of some minutes.
    pub(crate) fn usage(&self, key: &InstanceKey) -> Vec<InstanceUsage> {
        self.store.read().usage(key)
    }
}
