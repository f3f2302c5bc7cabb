//! The node's clouds, each with the tasks that watch and serve it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{AskError, Node, NodeError, Serving, Shared};
use crate::cloud::Cloud;
use crate::cloud::report::{self, Health};
use crate::config::CloudConfig;

/// A cloud with the tasks that watch and serve it. Dropping it ends the tasks.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) cloud: Cloud,
    tasks: Mutex<JoinSet<()>>,
}

impl Running {
    /// Ends the tasks and frees the places where they listened. Open connections go on.
    pub(super) async fn end(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }
}

/// Follows which clouds a node has.
#[derive(Debug)]
pub(crate) struct CloudsWatch(watch::Receiver<Vec<Arc<Running>>>);

impl CloudsWatch {
    /// The clouds, the first time at once, and then each time when some came, went or were changed. `None` when there is no
    /// node any more. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Vec<Cloud>> {
        self.0.changed().await.ok()?;
        Some(clouds_of(&self.0.borrow_and_update()))
    }
}

fn clouds_of(running: &[Arc<Running>]) -> Vec<Cloud> {
    running.iter().map(|running| running.cloud.clone()).collect()
}

impl Node {
    /// The clouds.
    #[must_use]
    pub fn clouds(&self) -> Vec<Cloud> {
        clouds_of(&self.shared.clouds.borrow())
    }

    /// Follows which clouds there are, over each reload.
    pub(crate) fn watch_clouds(&self) -> CloudsWatch {
        let mut receiver = self.shared.clouds.subscribe();
        receiver.mark_changed();
        CloudsWatch(receiver)
    }

    /// The cloud of that name.
    #[must_use]
    pub fn cloud(&self, name: &str) -> Option<Cloud> {
        self.clouds().into_iter().find(|cloud| cloud.name() == name)
    }

    /// Looks at the cloud of that name now. Cancel safe.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) async fn check(&self, name: &str) -> Result<report::Cloud, AskError> {
        let cloud = self.cloud(name).ok_or_else(|| AskError::NoSuchCloud(name.to_owned()))?;
        cloud.check().await;
        Ok(cloud.report())
    }

    pub(super) fn make_cloud(&self, config: &CloudConfig) -> Result<Cloud, NodeError> {
        let shared = &self.shared;
        Ok(Cloud::new(config.clone(), &shared.tailnet, &shared.scope, &shared.identity)?)
    }

    /// Binds the sockets and ports where a cloud is served.
    pub(super) fn bind_cloud(&self, cloud: &Cloud) -> Result<Vec<Serving>, NodeError> {
        Ok(match self.shared.serve {
            Some(serve) => serve.bind_cloud(self, cloud)?,
            None => Vec::new(),
        })
    }

    /// Spawns the tasks that watch a cloud and serve it at the bound places.
    pub(super) fn run_cloud(&self, cloud: Cloud, places: Vec<Serving>) -> Arc<Running> {
        let mut tasks = JoinSet::new();
        let stop = &self.shared.stop;
        for serve in places {
            tasks.spawn(stop.clone().run_until_cancelled_owned(serve).map(drop));
        }
        if self.shared.watch {
            let watch = crate::cloud::watch(cloud.clone());
            tasks.spawn(stop.clone().run_until_cancelled_owned(watch).map(drop));
        }
        Arc::new(Running { cloud, tasks: Mutex::new(tasks) })
    }
}

impl Shared {
    /// Has those clouds probed now whose newest probe found that.
    pub(super) fn wake(&self, found: impl Fn(&Health) -> bool) {
        for running in self.clouds.borrow().iter().filter(|running| found(&running.cloud.health())) {
            running.cloud.wake();
        }
    }
}
