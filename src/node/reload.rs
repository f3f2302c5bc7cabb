//! Puts another configuration into force while the node runs.

use std::fmt;
use std::sync::Arc;

use tracing::{info, warn};

use super::clouds::Running;
use super::report::Reloaded;
use super::{Node, NodeError, blocking, exit_node, places};
use crate::config::{CloudConfig, Config, ConfigError};

/// How to read the configuration again.
#[derive(Clone)]
pub(super) struct ConfigReader(Arc<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>);

impl ConfigReader {
    pub(super) fn new(
        read: impl Fn() -> Result<Config, ConfigError> + Send + Sync + 'static,
    ) -> ConfigReader {
        ConfigReader(Arc::new(read))
    }
}

impl fmt::Debug for ConfigReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfigReader")
    }
}

/// Why another configuration was not put into force. The old one stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// One of its clouds cannot be watched or served.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node was started with a configuration that has no file.
    #[error("the node was not started from a file")]
    NoFile,
}

impl Node {
    /// Reads the configuration again and puts it into force. Clouds are added, removed and changed without touching the
    /// others; the result names the settings that need a restart. Cancel safe, as [`reconfigure`](Node::reconfigure).
    ///
    /// # Errors
    /// When it is wrong; then nothing changes.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        let read = self.shared.reload.clone().ok_or(ReloadError::NoFile)?;
        let new = blocking(move || (read.0)()).await?;
        self.reconfigure(new).await
    }

    /// Puts another configuration into force, as [`reload`](Node::reload) does. Cancel safe: a change that has
    /// started runs to its end even if the future is dropped.
    ///
    /// # Errors
    /// When a cloud of it cannot be watched or served; then nothing changes.
    pub async fn reconfigure(&self, new: Config) -> Result<Reloaded, ReloadError> {
        let turn = Arc::clone(&self.shared.reloading).lock_owned().await;
        let node = self.clone();
        let change = async move {
            let outcome = node.put_into_force(new).await;
            drop(turn);
            outcome
        };
        match tokio::spawn(change).await {
            Ok(outcome) => Ok(outcome?),
            Err(error) => std::panic::resume_unwind(error.into_panic()), // it is never cancelled
        }
    }

    async fn put_into_force(&self, mut new: Config) -> Result<Reloaded, NodeError> {
        let old = self.config();
        let mut reloaded = Reloaded { needs_restart: old.needs_restart(&new), ..Reloaded::default() };
        let before = self.shared.clouds.borrow().clone();
        let stays = |running: &Arc<Running>| new.clouds.contains(running.cloud.config());
        let (mut running, gone): (Vec<_>, Vec<_>) = before.into_iter().partition(stays);
        let comes = |cloud: &&CloudConfig| !running.iter().any(|running| running.cloud.config() == *cloud);
        // What can fail comes first: clients, and the places that no departing cloud holds.
        let mut coming = Vec::new();
        for config in new.clouds.iter().filter(comes) {
            let cloud = self.make_cloud(config)?;
            let waits = gone.iter().any(|gone| places::conflict(gone.cloud.config(), config));
            let places = if waits { None } else { Some(self.bind_cloud(&cloud)?) };
            coming.push((cloud, places));
        }
        for gone in &gone {
            gone.end().await;
        }
        let mut came = Vec::new();
        for (cloud, places) in coming {
            match places.map_or_else(|| self.bind_cloud(&cloud), Ok) {
                Ok(places) => came.push(self.run_cloud(cloud, places)),
                Err(error) => {
                    for new in &came {
                        new.end().await;
                    }
                    self.bring_back(&gone);
                    return Err(error);
                }
            }
        }
        if old.accept_routes != new.accept_routes {
            let edit = tailnet::PrefsEdit::new().accept_routes(new.accept_routes);
            if self.tailnet().edit_prefs(&edit).await.is_err() {
                new.accept_routes = old.accept_routes; // the next reload tries it again
                reloaded.needs_restart.push("accept_routes".to_owned());
            }
        }
        if old.exit_node != new.exit_node
            && exit_node::choose(self.tailnet(), new.exit_node.as_ref()).await.is_err()
        {
            new.exit_node.clone_from(&old.exit_node);
            reloaded.needs_restart.push("exit_node".to_owned());
        }
        let names = |list: &[Arc<Running>]| -> Vec<String> {
            list.iter().map(|running| running.cloud.name().to_owned()).collect()
        };
        let (gone, new_names) = (names(&gone), names(&came));
        reloaded.changed = new_names.iter().filter(|name| gone.contains(name)).cloned().collect();
        reloaded.added = new_names.into_iter().filter(|name| !gone.contains(name)).collect();
        reloaded.removed = gone.into_iter().filter(|name| !reloaded.changed.contains(name)).collect();
        running.extend(came);
        running.sort_by_key(|running| new.clouds.iter().position(|c| c.name == running.cloud.name()));
        self.shared.clouds.send_replace(running);
        self.shared.config.send_replace(Arc::new(new));
        info!(
            added = ?reloaded.added, removed = ?reloaded.removed, changed = ?reloaded.changed,
            needs_restart = ?reloaded.needs_restart, "the configuration was read again"
        );
        Ok(reloaded)
    }

    /// Runs clouds again that were ended. Each gets its watcher back, even if another process has taken its place
    /// meanwhile.
    fn bring_back(&self, ended: &[Arc<Running>]) {
        for ended in ended {
            let cloud = ended.cloud.clone();
            let places = self.bind_cloud(&cloud).unwrap_or_else(|error| {
                warn!("{error}; {} is watched, but not served", cloud.name());
                Vec::new()
            });
            let again = self.run_cloud(cloud, places);
            self.shared.clouds.send_modify(|clouds| {
                if let Some(place) = clouds.iter_mut().find(|running| Arc::ptr_eq(running, ended)) {
                    *place = again;
                }
            });
        }
    }
}
