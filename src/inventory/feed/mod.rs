//! The feed of a cloud: reads what is there, and keeps it up to date.

mod listed;

use std::sync::Arc;
use std::time::Duration;

use lxd_client::{Client, Error, EventKind, one_line};

pub(crate) use listed::ListedInstance;

use super::looks::Looks;
use super::model::Newer;
use super::store::Store;
use crate::clock::now;

/// Feeds the rows of one cloud into the store, for as long as the future lives.
pub(super) async fn feed(store: Store, cloud: String, client: Client, _looks: Arc<Looks>) {
    loop {
        if let Err(error) = follow(&store, &cloud, &client).await {
            store.change(|model| model.set_stale(&cloud, now(), &one_line(&error)));
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

async fn follow(store: &Store, cloud: &str, client: &Client) -> Result<(), Error> {
    let mut events = client.all_events(&[EventKind::Operation, EventKind::Lifecycle]).await?;
    loop {
        let instances = client.get(["instances"]).query("recursion", 1).query("all-projects", true);
        let instances: Vec<listed::ListedInstance> = instances.list().await?;
        let rows = instances.into_iter().map(|listed| listed.row(cloud, "default", now())).collect();
        store.change(|model| {
            model.list_instances(cloud, None, rows, &Newer::default());
            model.set_fresh(cloud);
        });
        events.next().await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}
