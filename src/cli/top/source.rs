//! Where `top` has its rows from: the running node's changes, or an inventory of its own where no node runs.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::control::client::{Client, ControlError};
use crate::inventory::{Inventory, Kind, Query, Update};
use crate::uplink::{self, Uplink};

/// How often it is said that somebody looks on.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// The pause before a lost node is looked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// What a source tells.
#[derive(Debug)]
pub(super) enum News {
    Update(Update),
    /// The running node does not answer, and why.
    Lost(String),
}

/// The news of a task that follows the clouds.
pub(super) struct Source {
    news: mpsc::Receiver<News>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Source {
    /// Follows these clouds, or all, by the running node, or else by a node of its own.
    pub(super) async fn connect(config: &Config, clouds: &[String]) -> anyhow::Result<Source> {
        let query = Query { clouds: clouds.to_vec(), projects: Vec::new(), kinds: vec![Kind::Instances] };
        let (sender, news) = mpsc::channel(16);
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let task = match uplink::running(config).await {
            Ok(node) => tokio::spawn(async move {
                stopped.run_until_cancelled(by_node(node, query, sender)).await;
            }),
            Err(ControlError::NoNode(_)) => {
                let uplink = Uplink::own(config).await?;
                let inventory = match uplink.inventory(config, &query).await {
                    Ok(inventory) => inventory,
                    Err(error) => {
                        uplink.close().await;
                        return Err(error);
                    }
                };
                tokio::spawn(async move {
                    stopped.run_until_cancelled(by_inventory(inventory, query, sender)).await;
                    uplink.close().await;
                })
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Source { news, stop, task })
    }

    /// The next news. Cancel safe.
    pub(super) async fn next(&mut self) -> News {
        match self.news.recv().await {
            Some(news) => news,
            None => std::future::pending().await, // the task ends with this
        }
    }

    /// Ends it. A node of its own has left the state folder to others then.
    pub(super) async fn close(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}

async fn by_inventory(inventory: Inventory, query: Query, news: mpsc::Sender<News>) {
    let mut changes = inventory.subscribe(None);
    let mut look = interval(LOOK_AGAIN);
    loop {
        tokio::select! {
            update = changes.next() => if news.send(News::Update(update)).await.is_err() { return },
            _ = look.tick() => inventory.look_at_all(&query),
        }
    }
}

/// Follows the node over each loss of it.
async fn by_node(node: Client, query: Query, news: mpsc::Sender<News>) {
    loop {
        let lost = match follow(&node, &query, &news).await {
            Ok(()) => "the node has stopped".to_owned(),
            Err(error) => error.to_string(),
        };
        if news.send(News::Lost(lost)).await.is_err() {
            return;
        }
        sleep(PAUSE).await;
    }
}

async fn follow(node: &Client, query: &Query, news: &mpsc::Sender<News>) -> Result<(), ControlError> {
    let mut changes = node.changes(None, query).await?;
    let mut look = interval(LOOK_AGAIN);
    loop {
        tokio::select! {
            update = changes.next() => match update? {
                Some(update) => if news.send(News::Update(update)).await.is_err() { return Ok(()) },
                None => return Ok(()),
            },
            _ = look.tick() => node.look(query).await?,
        }
    }
}
