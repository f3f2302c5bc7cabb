//! Copies and moves of custom volumes.

use lxd_client::{Copying, Error, Route, StoragePoolHandle, VolumeHandle, VolumeMigration};
use serde_json::json;
use tokio::time::Instant;

use super::between::transfer;
use super::failure::explain;
use super::plan::named;
use super::undo::{refreshed, until_removed};
use super::verify::without;
use super::ways::{Mode, Way};
use super::{Copied, Place};
use crate::actions::{ActionError, Job};

/// The copy of a volume to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct VolumeWanted {
    /// The pool at the target.
    pub(crate) pool: String,
    /// Its name.
    pub(crate) name: String,
    /// How its bytes are to travel between clouds.
    pub(crate) mode: Mode,
    /// Without the snapshots.
    pub(crate) volume_only: bool,
    /// Brings a volume that is there up to date.
    pub(crate) refresh: bool,
    /// The member of the target's cluster.
    pub(crate) member: Option<String>,
}

/// Copies a custom volume, with its snapshots.
///
/// # Errors
/// As [`copy`](super::copy).
pub(crate) async fn copy_volume(
    from: &Place,
    pool: &str,
    volume: &str,
    to: &Place,
    wanted: &VolumeWanted,
    job: &Job,
) -> Result<Copied, ActionError> {
    job.stage("looking at both sides");
    let source = from.client.storage_pool(pool).custom_volume(volume);
    let what = || format!("{}: volume {volume} of the pool {pool}", from.cloud);
    let snapshots = job.run(source.snapshots().names()).await.map_err(|e| named(e, what))?;
    let snapshots = if wanted.volume_only { Vec::new() } else { snapshots };
    let existed = look(to, wanted, job).await?;
    let copy = Volumes { from, to, wanted, existed, source: &source };
    let mut copied = if from.cloud == to.cloud {
        copy.within(pool, volume, job).await?
    } else {
        copy.between(job).await?
    };
    job.stage("comparing");
    match job.run(copy.target().snapshots().names()).await {
        Ok(there) => {
            let missing = without(&snapshots, &there);
            if missing.is_empty() {
                copied.snapshots = there;
                return Ok(copied);
            }
            let missing = missing.join(", ");
            let text = format!("the copy at {} is not whole: it lacks the snapshots {missing}", to.cloud);
            Err(copy.undo(ActionError::Unverified(text), true).await)
        }
        Err(error) => Err(copy.undo(error, true).await),
    }
}

/// Moves a custom volume: inside a cloud and a project by the server itself, else by a copy whose source is deleted once
/// the copy was found to be whole.
///
/// # Errors
/// As [`copy`](super::copy). When the source cannot be deleted, both are there, and the error says so.
pub(crate) async fn move_volume(
    from: &Place,
    pool: &str,
    volume: &str,
    to: &Place,
    wanted: &VolumeWanted,
    job: &Job,
) -> Result<Option<Copied>, ActionError> {
    let source = from.client.storage_pool(pool).custom_volume(volume);
    if from.cloud == to.cloud && wanted.member.is_none() {
        job.stage("the server moves");
        let mut body = json!({"name": wanted.name, "pool": wanted.pool});
        let mut request = from.client.post(["storage-pools", pool, "volumes", "custom", volume]);
        if from.project != to.project {
            body["project"] = to.project.as_str().into();
            request = request.needs("storage_volume_project_move");
        }
        let what = || format!("{}: volume {volume} of the pool {pool}", from.cloud);
        let operation = request.json(&body).operation().await.map_err(|e| named(e.into(), what))?;
        return job.follow(operation).await.map(|_| None);
    }
    let copied = copy_volume(from, pool, volume, to, wanted, job).await?;
    job.stage("deleting the source");
    match source.delete().await {
        Ok(()) => Ok(Some(copied)),
        Err(error) => Err(ActionError::from(error).leaving(format!(
            "the volume {volume} both at {} and at {}, where it is whole: delete one of them",
            from.cloud, to.cloud
        ))),
    }
}

/// Refuses a copy that the target cannot take, and gives whether there is a volume of its name.
async fn look(to: &Place, wanted: &VolumeWanted, job: &Job) -> Result<bool, ActionError> {
    let pool = to.client.storage_pool(&wanted.pool);
    if let Err(error) = job.run(pool.get()).await {
        return Err(match error {
            ActionError::Cloud(error) if error.is_not_found() => {
                ActionError::Refused(format!("{} has no storage pool {}", to.cloud, wanted.pool))
            }
            error => error,
        });
    }
    match job.run(pool.custom_volume(&wanted.name).get()).await {
        Ok(_) if wanted.refresh => Ok(true),
        Ok(_) => Err(taken(to, wanted)),
        Err(ActionError::Cloud(error)) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

fn taken(to: &Place, wanted: &VolumeWanted) -> ActionError {
    let VolumeWanted { name, pool, .. } = wanted;
    ActionError::Refused(format!("{} has a volume {name} in the pool {pool} already", to.cloud))
}

struct Volumes<'a> {
    from: &'a Place,
    to: &'a Place,
    wanted: &'a VolumeWanted,
    existed: bool,
    source: &'a VolumeHandle,
}

impl Volumes<'_> {
    fn pool(&self) -> StoragePoolHandle {
        let client = match &self.wanted.member {
            Some(member) => self.to.client.target(member),
            None => self.to.client.clone(),
        };
        client.storage_pool(&self.wanted.pool)
    }

    fn target(&self) -> VolumeHandle {
        self.pool().custom_volume(&self.wanted.name)
    }

    async fn begin(&self, pool: &StoragePoolHandle, route: Route) -> Result<Copying, Error> {
        let mut migration = VolumeMigration::new(&self.wanted.name).route(route);
        if self.wanted.volume_only {
            migration = migration.volume_only();
        }
        if self.wanted.refresh {
            migration = migration.refresh();
        }
        self.source.begin_copy_to(pool, &migration).await
    }

    async fn between(&self, job: &Job) -> Result<Copied, ActionError> {
        let pool = self.pool();
        let begin = |route| self.begin(&pool, route);
        let undo = |error, ended| self.undo(error, ended);
        let copied = transfer(self.from, self.to, self.wanted.mode, begin, None, job, undo).await;
        match copied {
            Err(error) => {
                let nobody_knows = std::future::ready(None);
                Err(explain(error, self.from, self.to, Some(&self.wanted.pool), nobody_knows).await)
            }
            copied => copied,
        }
    }

    async fn within(&self, pool: &str, volume: &str, job: &Job) -> Result<Copied, ActionError> {
        let began = Instant::now();
        let client = match &self.wanted.member {
            Some(member) => self.to.client.target(member),
            None => self.to.client.clone(),
        };
        let original = job.run(self.source.get()).await?.value;
        let mut config = original.config;
        config.retain(|key, _| !key.starts_with("volatile."));
        let mut source = json!({
            "type": "copy", "pool": pool, "name": volume, "volume_only": self.wanted.volume_only,
        });
        let mut request = client.post(["storage-pools", &self.wanted.pool, "volumes", "custom"]);
        if self.from.project != self.to.project {
            source["project"] = self.from.project.as_str().into();
        }
        if self.wanted.refresh {
            source["refresh"] = true.into();
            request = request.needs("custom_volume_refresh");
        }
        let body = json!({
            "name": self.wanted.name, "type": "custom", "config": config, "description": original.description,
            "content_type": original.content_type, "source": source,
        });
        job.stage("the server copies");
        let made = async {
            let operation = request.json(&body).operation().await?;
            job.follow(operation).await
        };
        match made.await {
            Ok(_) => Ok(Copied {
                way: Way::Server,
                not_by: Vec::new(),
                bytes: None,
                seconds: began.elapsed().as_secs_f64(),
                snapshots: Vec::new(),
                counted: None,
            }),
            Err(error) => Err(self.undo(error, true).await),
        }
    }

    /// The error, after the removal of what was made at the target.
    async fn undo(&self, error: ActionError, ended: bool) -> ActionError {
        let VolumeWanted { name, pool, .. } = self.wanted;
        let what = format!("the volume {name} in the pool {pool} of {}", self.to.cloud);
        if self.existed {
            return refreshed(error, &what);
        }
        if let ActionError::Cloud(error) = &error
            && error.is_conflict()
        {
            return taken(self.to, self.wanted);
        }
        let target = self.target();
        match until_removed(|| target.delete()).await {
            Ok(()) if ended => error,
            Ok(()) => error.leaving(format!("the servers may still be at work on {what}")),
            Err(why) => error.leaving(format!(
                "{what} may be there in part ({}): delete it once {} can be reached",
                lxd_client::one_line(&why),
                self.to.cloud
            )),
        }
    }
}
