//! Images of instances.

use lxd_client::{Action, Client, ImageOptions, ImageSource, Instance, StateChange, Versioned};

use super::{NewAlias, delete, give_aliases, made, undo};
use crate::actions::{ActionError, Job};

/// The image to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    /// The instance, which has to be stopped.
    pub(crate) instance: String,
    /// A snapshot of it.
    pub(crate) snapshot: Option<String>,
    pub(crate) options: ImageOptions,
    pub(crate) aliases: Vec<NewAlias>,
    /// Take over the aliases that are there, and delete the images that had them.
    pub(crate) reuse: bool,
    /// Stop an instance that runs, and start it again.
    pub(crate) force: bool,
}

/// Makes an image of an instance or a snapshot, and gives its fingerprint. A cancel leaves nothing, and the instance as it
/// was.
pub(crate) async fn publish(client: &Client, wanted: &Published, job: &Job) -> Result<String, ActionError> {
    let taken = async {
        let all = wanted.aliases.iter().map(|alias| client.image_alias(&alias.name));
        let asked = all.map(async |alias| match alias.get().await {
            Ok(alias) => Ok(Some(alias.value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        });
        let found = futures_util::future::try_join_all(asked).await?;
        Ok::<_, lxd_client::Error>(found.into_iter().flatten().collect::<Vec<_>>())
    };
    let instance = client.instance(&wanted.instance);
    let snapshot = wanted.snapshot.as_ref();
    let (taken, instance) = tokio::join!(job.run(taken), async {
        if snapshot.is_some() { Ok(None) } else { job.run(instance.get()).await.map(Some) }
    });
    let (taken, instance) = (taken?, instance?);
    if !taken.is_empty() && !wanted.reuse {
        let names: Vec<&str> = taken.iter().map(|alias| alias.name.as_str()).collect();
        return Err(ActionError::Refused(format!(
            "Aliases already exists: {}; see --reuse",
            names.join(", ")
        )));
    }
    let source = match snapshot {
        Some(snapshot) => ImageSource::snapshot(&wanted.instance, snapshot),
        None => ImageSource::instance(&wanted.instance),
    };
    let running = instance.filter(|instance| instance.value.status != "Stopped");
    let fingerprint = match running {
        Some(_) if !wanted.force => {
            let message = "The instance is currently running. Use --force to have it stopped and restarted";
            return Err(ActionError::Refused(message.to_owned()));
        }
        Some(instance) => {
            let stopped = stop(client, &instance, job).await;
            let made = match stopped {
                Ok(()) => make(client, &source, wanted, job).await,
                Err(error) => Err(error),
            };
            // Also after a failure and a cancel.
            match start(client, &instance).await {
                Ok(()) => made?,
                Err(error) => {
                    let error = made.err().unwrap_or(error.into());
                    return Err(error.leaving(format!("the instance {} stopped", wanted.instance)));
                }
            }
        }
        None => make(client, &source, wanted, job).await?,
    };
    let named = async {
        give_aliases(client, &fingerprint, &wanted.aliases, job).await?;
        let mut before: Vec<&str> = taken.iter().map(|alias| alias.target.as_str()).collect();
        before.sort_unstable();
        before.dedup();
        for old in before.into_iter().filter(|old| *old != fingerprint) {
            delete(client, old, job).await.map_err(|error| error.leaving(format!("the old image {old}")))?;
        }
        Ok(())
    };
    match named.await {
        Err(error @ ActionError::Cancelled(_)) => Err(undo(client, &fingerprint, error).await),
        other => other.map(|()| fingerprint.clone()),
    }
}

async fn make(
    client: &Client,
    source: &ImageSource,
    wanted: &Published,
    job: &Job,
) -> Result<String, ActionError> {
    job.stage("the server makes the image");
    // Not to be cancelled: the server may have begun.
    let operation = client.create_image(source, &wanted.options).await?;
    let ended = job.follow(operation).await?;
    let none = || ActionError::Refused("the server does not tell the fingerprint of the image".to_owned());
    let fingerprint = made(&ended).ok_or_else(none)?;
    match job.run(async { Ok::<_, ActionError>(()) }).await {
        Ok(()) => Ok(fingerprint),
        Err(cancelled) => Err(undo(client, &fingerprint, cancelled).await),
    }
}

/// Stops it at once. An ephemeral one must not be so meanwhile, or it would be deleted.
async fn stop(client: &Client, instance: &Versioned<Instance>, job: &Job) -> Result<(), ActionError> {
    let handle = client.instance(&instance.value.name);
    if instance.value.ephemeral {
        let mut lasting = instance.clone();
        lasting.value.ephemeral = false;
        let operation = job.run(handle.update(&lasting)).await?;
        job.follow(operation).await?;
    }
    job.stage("stopping the instance");
    let operation = job.run(handle.change_state(&StateChange::new(Action::Stop).force())).await?;
    job.follow(operation).await.map(drop)
}

/// Starts it again, and makes it as ephemeral as it was.
async fn start(client: &Client, instance: &Versioned<Instance>) -> Result<(), lxd_client::Error> {
    let handle = client.instance(&instance.value.name);
    if handle.get().await?.value.status != "Running" {
        handle.change_state(&StateChange::new(Action::Start)).await?.wait().await?;
    }
    if instance.value.ephemeral {
        let mut now = handle.get().await?;
        now.value.ephemeral = true;
        handle.update(&now).await?.wait().await?;
    }
    Ok(())
}
