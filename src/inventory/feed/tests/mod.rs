//! The feed, against a scripted server in virtual time.

mod following;
mod memory;
mod real;
mod requests;
mod scripted;
mod storm;
#[path = "../../../../crates/lxd-client/tests/shared/to.rs"]
mod to;

use std::sync::Arc;
use std::time::Duration;

use scripted::Scripted;

use super::feed;
use crate::inventory::looks::Looks;
use crate::inventory::query::{Query, Snapshot};
use crate::inventory::row::{CloudRow, InstanceKey, InstanceRow};
use crate::inventory::store::Store;

/// A server with its feed, which ends with this.
struct Fed {
    server: Scripted,
    store: Store,
    looks: Arc<Looks>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Fed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Fed {
    fn start(server: Scripted) -> Fed {
        Fed::start_as("berlin", server, Store::new())
    }

    fn start_as(cloud: &str, server: Scripted, store: Store) -> Fed {
        store.change(|model| model.add_cloud(cloud));
        let looks = Arc::<Looks>::default();
        let remote = Arc::new(server.clone());
        let task = tokio::spawn(feed(store.clone(), cloud.to_owned(), remote, Arc::clone(&looks), None));
        Fed { server, store, looks, task }
    }

    fn snapshot(&self) -> Snapshot {
        self.store.read().snapshot(&Query::default())
    }

    fn row(&self, project: &str, name: &str) -> Option<Arc<InstanceRow>> {
        self.store.read().instance(&key(project, name)).cloned()
    }

    fn cloud(&self) -> Arc<CloudRow> {
        self.store.read().cloud("berlin").cloned().unwrap()
    }

    /// Waits until this holds.
    async fn until(&self, what: &str, holds: impl Fn(&Fed) -> bool) {
        let mut newest = self.store.follow();
        let waiting = async {
            loop {
                newest.borrow_and_update();
                if holds(self) {
                    return;
                }
                newest.changed().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(600), waiting).await;
        assert!(waited.is_ok(), "never: {what}");
    }

    async fn filled(&self) {
        self.until("filled", |fed| fed.cloud().filled && fed.cloud().stale_since.is_none()).await;
    }
}

fn key(project: &str, name: &str) -> InstanceKey {
    InstanceKey { cloud: "berlin".to_owned(), project: project.to_owned(), name: name.to_owned() }
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
