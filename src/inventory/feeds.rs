//! The feeds of all clouds: they come and go with the clouds.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use lxd_client::Client;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::feed::feed;
use super::looks::Looks;
use super::store::Store;
use crate::cloud::Cloud;

/// The feeds by the names of their clouds. Dropping it ends them.
#[derive(Debug, Default)]
pub(super) struct Feeds(Mutex<BTreeMap<String, Feed>>);

#[derive(Debug)]
struct Feed {
    looks: Arc<Looks>,
    cloud: Option<Cloud>,
    _end: DropGuard,
}

/// What a feed reads from.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) client: Client,
    /// The node's cloud, where it is one.
    pub(super) cloud: Option<Cloud>,
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Feeds {
    /// Runs the feeds of these clouds and of no others. A cloud that was changed begins anew: it may be another server.
    pub(super) fn set(&self, store: &Store, clouds: &[Cloud], spawn: impl Fn(Task)) {
        let mut feeds = self.lock();
        let stays = |feed: &Feed| {
            let own = feed.cloud.as_ref().map(Cloud::config);
            clouds.iter().any(|cloud| Some(cloud.config()) == own)
        };
        let gone: Vec<String> =
            feeds.iter().filter(|(_, feed)| !stays(feed)).map(|(name, _)| name.clone()).collect();
        for name in gone {
            feeds.remove(&name);
            store.change(|model| model.remove_cloud(&name));
        }
        let new = clouds.iter().filter(|cloud| !feeds.contains_key(cloud.name()));
        let new: Vec<Source> = new
            .filter_map(|cloud| {
                let (name, client) = (cloud.name().to_owned(), cloud.bare_client()?);
                Some(Source { name, client, cloud: Some(cloud.clone()) })
            })
            .collect();
        drop(feeds);
        for source in new {
            self.add(store, source, &spawn);
        }
    }

    /// Runs the feed of a cloud.
    pub(super) fn add(&self, store: &Store, source: Source, spawn: impl FnOnce(Task)) {
        let (looks, end) = (Arc::<Looks>::default(), CancellationToken::new());
        store.change(|model| model.add_cloud(&source.name));
        let health = source.cloud.as_ref().map(Cloud::watch_health);
        let remote = Arc::new(source.client);
        let task = feed(store.clone(), source.name.clone(), remote, Arc::clone(&looks), health);
        spawn(Box::pin(end.clone().run_until_cancelled_owned(task).map(drop)));
        let feed = Feed { looks, cloud: source.cloud, _end: end.drop_guard() };
        self.lock().insert(source.name, feed);
    }

    /// Calls this with the name and the looks of each cloud.
    pub(super) fn each(&self, mut call: impl FnMut(&str, &Looks)) {
        for (name, feed) in self.lock().iter() {
            call(name, &feed.looks);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Feed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
