//! Reading the configuration again while the node runs.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use tracing::{info, warn};

use super::clouds::Running;
use super::{Node, NodeError, blocking, exit_node};
use crate::config::{CloudConfig, Config, ConfigError};
use crate::control::protocol::Reloaded;

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

/// Why the configuration was not read again. What was in force stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// It cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A cloud of it cannot be watched or served.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node was started with a configuration that has no file.
    #[error("the node was not started from a file")]
    NoFile,
}

impl Node {
    /// Reads the configuration again. Clouds are added, removed and changed without touching the others; what else has
    /// changed and can only change with a restart is named. Cancel safe, as [`reconfigure`](Node::reconfigure).
    ///
    /// # Errors
    /// When it cannot be used; then nothing changes.
    pub async fn reload(&self) -> Result<Reloaded, ReloadError> {
        let read = self.shared.reload.clone().ok_or(ReloadError::NoFile)?;
        let new = blocking(move || (read.0)()).await?;
        self.reconfigure(new).await
    }

    /// Puts another configuration into force, as [`reload`](Node::reload) does. Cancel safe: a change that has begun is
    /// brought to its end when the future is dropped.
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
        let before = self.shared.clouds.read().unwrap_or_else(PoisonError::into_inner).clone();
        let stays = |running: &Arc<Running>| new.clouds.contains(running.cloud.config());
        let (mut running, gone): (Vec<_>, Vec<_>) = before.into_iter().partition(stays);
        let comes = |cloud: &&CloudConfig| !running.iter().any(|running| running.cloud.config() == *cloud);
        // All that can fail comes first, as far as it does not need a place that a cloud has which goes.
        let mut coming = Vec::new();
        for config in new.clouds.iter().filter(comes) {
            let cloud = self.make_cloud(config)?;
            let waits = gone.iter().any(|gone| share_a_place(gone.cloud.config(), config));
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
        *self.shared.clouds.write().unwrap_or_else(PoisonError::into_inner) = running;
        *self.shared.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        info!(
            added = ?reloaded.added, removed = ?reloaded.removed, changed = ?reloaded.changed,
            needs_restart = ?reloaded.needs_restart, "the configuration was read again"
        );
        Ok(reloaded)
    }

    /// Runs clouds again that were ended: each with its watcher, even if somebody has taken its place meanwhile.
    fn bring_back(&self, ended: &[Arc<Running>]) {
        for ended in ended {
            let cloud = ended.cloud.clone();
            let places = self.bind_cloud(&cloud).unwrap_or_else(|error| {
                warn!("{error}; {} is watched, but not served", cloud.name());
                Vec::new()
            });
            let again = self.run_cloud(cloud, places);
            let mut clouds = self.shared.clouds.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = clouds.iter_mut().find(|running| Arc::ptr_eq(running, ended)) {
                *place = again;
            }
        }
    }
}

/// Whether both are served at the same place, or at places that exclude each other.
fn share_a_place(one: &CloudConfig, other: &CloudConfig) -> bool {
    let unix = match (&one.proxy_unix, &other.proxy_unix) {
        (Some(one), Some(other)) => is_same_file(one, other),
        _ => false,
    };
    let tcp = match (one.proxy_listen, other.proxy_listen) {
        (Some(one), Some(other)) => {
            let all = one.ip().is_unspecified() || other.ip().is_unspecified();
            one.port() == other.port() && (all || one.ip() == other.ip())
        }
        _ => false,
    };
    unix || tcp
}

/// Whether two paths name one file in one folder, however they are written.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let folder = |path: &Path| path.parent().and_then(|folder| folder.canonicalize().ok());
    one == other
        || (one.file_name() == other.file_name() && folder(one).is_some_and(|f| Some(f) == folder(other)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_exclude_each_other_are_known_however_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let cloud = |unix: Option<&str>, listen: Option<&str>| {
            let mut cloud = CloudConfig::new("a", crate::config::CloudKind::Lxd, "a:1".parse().unwrap());
            cloud.proxy_unix = unix.map(|path| folder.path().join(path));
            cloud.proxy_listen = listen.map(|address| address.parse().unwrap());
            cloud
        };
        let unix = |path| cloud(Some(path), None);
        let tcp = |address| cloud(None, Some(address));
        std::fs::create_dir(folder.path().join("b")).unwrap();
        std::os::unix::fs::symlink("b", folder.path().join("c")).unwrap();
        for (one, other, shares) in [
            (unix("b/s"), unix("b/s"), true),
            (unix("b/s"), unix("b/../b/s"), true),
            (unix("b/s"), unix("c/s"), true),
            (unix("b/s"), unix("b/t"), false),
            (unix("b/s"), unix("s"), false),
            (tcp("127.0.0.1:1"), tcp("127.0.0.1:1"), true),
            (tcp("127.0.0.1:1"), tcp("[::]:1"), true),
            (tcp("0.0.0.0:1"), tcp("127.0.0.1:1"), true),
            (tcp("127.0.0.1:1"), tcp("127.0.0.2:1"), false),
            (tcp("127.0.0.1:1"), tcp("[::]:2"), false),
            (unix("b/s"), tcp("[::]:2"), false),
        ] {
            assert_eq!(share_a_place(&one, &other), shares, "{one:?} {other:?}");
        }
    }
}
