//! Images of instances.

use lxd_client::{Action, Alias, Client, Error, ImageOptions, ImageSource, Instance, StateChange, Versioned};

use super::{NewAlias, Wanted, copy, delete, give_aliases, made, undo};
use crate::actions::copy::Place;
use crate::actions::{ActionError, Job};

/// The image to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    /// The instance, which has to be stopped.
    pub(crate) instance: String,
    /// A snapshot of it.
    pub(crate) snapshot: Option<String>,
    /// What the image is to be.
    pub(crate) options: ImageOptions,
    /// Whether strangers may have it.
    pub(crate) public: bool,
    pub(crate) aliases: Vec<NewAlias>,
    /// Take over the aliases that are there, and delete the images that had them.
    pub(crate) reuse: bool,
    /// Stop an instance that runs, and start it again.
    pub(crate) force: bool,
}

/// Makes an image of an instance or a snapshot, and gives its fingerprint. With a place `to` the image is copied there, and
/// is not left at the instance's server. A cancel leaves nothing, and the instance as it was.
pub(crate) async fn publish(
    from: &Place,
    to: Option<&Place>,
    wanted: &Published,
    job: &Job,
) -> Result<String, ActionError> {
    let client = &from.client;
    let target = to.map_or(client, |to| &to.client);
    let instance = client.instance(&wanted.instance);
    let snapshot = wanted.snapshot.as_deref();
    let (taken, instance) = tokio::join!(job.run(taken(target, &wanted.aliases)), async {
        if snapshot.is_some() { Ok(None) } else { job.run(instance.get()).await.map(Some) }
    });
    let (taken, instance) = (taken?, instance?);
    if !taken.is_empty() && !wanted.reuse {
        let names: Vec<&str> = taken.iter().map(|alias| alias.name.as_str()).collect();
        let message = format!("Aliases already exists: {}; --reuse takes them over", names.join(", "));
        return Err(ActionError::Refused(message));
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
            let made = match stop(client, &instance, job).await {
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
    if let Some(to) = to {
        let copying = Wanted { image: fingerprint.clone(), public: wanted.public, ..Wanted::default() };
        let copied = copy(from, to, &copying, job).await;
        let removed = client.image(&fingerprint).delete().await;
        let removed = match removed {
            Ok(mut operation) => operation.wait().await.map(drop),
            Err(error) => Err(error),
        };
        match (copied, removed) {
            (Ok(_), Ok(())) => {}
            (Err(error), Ok(())) => return Err(error),
            (copied, Err(error)) => {
                let error = copied.err().unwrap_or(error.into());
                return Err(error.leaving(format!("the image {fingerprint} at {}", from.cloud)));
            }
        }
    }
    let named = async {
        give_aliases(target, &fingerprint, &wanted.aliases, job).await?;
        let mut before: Vec<&str> = taken.iter().map(|alias| alias.target.as_str()).collect();
        before.sort_unstable();
        before.dedup();
        for old in before.into_iter().filter(|old| *old != fingerprint) {
            delete(target, old, job).await.map_err(|error| error.leaving(format!("the old image {old}")))?;
        }
        Ok(())
    };
    match named.await {
        Err(error @ ActionError::Cancelled(_)) => Err(undo(target, &fingerprint, error).await),
        other => other.map(|()| fingerprint.clone()),
    }
}

/// Those of the names that some image has.
async fn taken(client: &Client, names: &[NewAlias]) -> Result<Vec<Alias>, Error> {
    let mut asked = Vec::new();
    for name in names {
        asked.push(known(client, &name.name));
    }
    let found = futures_util::future::try_join_all(asked).await?;
    Ok(found.into_iter().flatten().collect())
}

/// The alias of that name, if there is one.
async fn known(client: &Client, name: &str) -> Result<Option<Alias>, Error> {
    match client.image_alias(name).get().await {
        Ok(alias) => Ok(Some(alias.value)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn make(
    client: &Client,
    source: &ImageSource,
    wanted: &Published,
    job: &Job,
) -> Result<String, ActionError> {
    job.stage("the server makes the image");
    let options = wanted.options.clone();
    let options = if wanted.public { options.public() } else { options };
    // Not to be cancelled: the server may have begun.
    let operation = client.create_image(source, &options).await?;
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
