//! Moves of instances: renames, the server's own moves, and copies whose source is deleted afterwards.

use lxd_client::{Action, InstanceHandle, StateChange};
use serde_json::json;

use super::plan::{self, Overrides, Profiles};
use super::{Copied, Place, Source, Wanted, make};
use crate::actions::{ActionError, Job};

/// What a move did.
#[derive(Clone, Debug)]
pub(crate) enum Moved {
    /// The server did it by itself: another name, pool, project or member.
    ByServer,
    /// By a copy.
    ByCopy(Copied),
}

/// Moves an instance, or gives an instance or a snapshot another name.
///
/// # Errors
/// As [`copy`](super::copy). The source is deleted only after the copy was found to be whole; when that fails, both are
/// there, and the error says so.
pub(crate) async fn move_instance(
    from: &Place,
    source: &Source,
    to: &Place,
    wanted: &Wanted,
    job: &Job,
) -> Result<Moved, ActionError> {
    let inside = from.cloud == to.cloud;
    let overrides = &wanted.overrides;
    let elsewhere = wanted.member.is_some() || overrides.pool.is_some() || from.project != to.project;
    if inside && !elsewhere {
        return rename(from, source, wanted, job).await.map(|()| Moved::ByServer);
    }
    if source.snapshot.is_some() {
        return Err(ActionError::Refused(
            "a snapshot cannot be moved: copy it, and delete it then".to_owned(),
        ));
    }
    if inside && !overrides.change_settings() {
        return relocate(from, source, to, wanted, job).await.map(|()| Moved::ByServer);
    }
    let handle = from.client.instance(&source.instance);
    let copied = make(from, source, to, wanted, true, job).await?;
    let (here, there) =
        (format!("{}:{}", from.cloud, source.instance), format!("{}:{}", to.cloud, wanted.name));
    let finish = async {
        // From here on nothing is given up: the copy is whole.
        let original = handle.get().await?.value;
        if original.status == "Running" && wanted.stateless {
            job.stage("starting it");
            to.client
                .instance(&wanted.name)
                .change_state(&StateChange::new(Action::Start))
                .await?
                .wait()
                .await?;
        }
        job.stage("deleting the source");
        delete(&handle, original.config.get("security.protection.delete").is_some_and(|v| v == "true")).await
    };
    match finish.await {
        Ok(()) => Ok(Moved::ByCopy(copied)),
        Err(error) => Err(ActionError::from(error)
            .leaving(format!("both {here} and {there}, which is whole: delete one of them"))),
    }
}

/// A move overrides the protection against deletion, as `lxc move` does.
async fn delete(handle: &InstanceHandle, protected: bool) -> Result<(), lxd_client::Error> {
    if protected {
        let mut instance = handle.get().await?;
        instance.value.config.remove("security.protection.delete");
        handle.update(&instance).await?.wait().await?;
    }
    handle.delete_forced().await
}

impl Overrides {
    /// Whether they change more than the place.
    fn change_settings(&self) -> bool {
        let same = matches!(&self.profiles, Profiles::Kept(renamed) if renamed.is_empty());
        !same || !self.config.is_empty() || !self.devices.is_empty() || self.ephemeral.is_some()
    }
}

async fn rename(from: &Place, source: &Source, wanted: &Wanted, job: &Job) -> Result<(), ActionError> {
    if wanted.overrides.change_settings() {
        return Err(ActionError::Refused(
            "a move to another name changes no settings or profiles".to_owned(),
        ));
    }
    job.stage("renaming");
    let handle = from.client.instance(&source.instance);
    let begun = match &source.snapshot {
        None => job.run(handle.rename(&wanted.name)).await,
        Some(snapshot) => {
            let new = wanted.name.strip_prefix(&format!("{}/", source.instance));
            let new = new.filter(|new| !new.is_empty() && !new.contains('/')).ok_or_else(|| {
                ActionError::Refused(format!(
                    "{} is not the new name of a snapshot: write {}/NAME",
                    wanted.name, source.instance
                ))
            })?;
            job.run(handle.snapshot(snapshot).rename(new)).await
        }
    };
    let operation = begun.map_err(|e| plan::named(e, || format!("{}:{}", from.cloud, source.text())))?;
    job.follow(operation).await.map(drop)
}

/// To another pool, project or member of the same server, which does it by itself.
async fn relocate(
    from: &Place,
    source: &Source,
    to: &Place,
    wanted: &Wanted,
    job: &Job,
) -> Result<(), ActionError> {
    job.stage("the server moves");
    let client = match &wanted.member {
        Some(member) => from.client.target(member),
        None => from.client.clone(),
    };
    let mut body = json!({
        "name": wanted.name, "migration": true, "live": !wanted.stateless,
        "instance_only": wanted.instance_only, "container_only": wanted.instance_only,
    });
    let mut request = client.post(["instances", &source.instance]);
    if let Some(pool) = &wanted.overrides.pool {
        body["pool"] = pool.as_str().into();
        request = request.needs("instance_pool_move");
    }
    if from.project != to.project {
        body["project"] = to.project.as_str().into();
        request = request.needs("instance_project_move");
    }
    let operation = request.json(&body).operation().await;
    let operation =
        operation.map_err(|e| plan::named(e.into(), || format!("{}:{}", from.cloud, source.text())))?;
    job.follow(operation).await.map(drop)
}
