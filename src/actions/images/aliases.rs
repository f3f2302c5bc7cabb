//! The names of images.

use futures_util::future::join_all;
use lxd_client::{Alias, Client, Error};

use super::super::{ActionError, Job};

/// A name to give.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewAlias {
    pub(crate) name: String,
    pub(crate) description: String,
}

impl NewAlias {
    pub(crate) fn new(name: &str) -> NewAlias {
        NewAlias { name: name.to_owned(), description: String::new() }
    }
}

/// Gives an image names, all at once. One that another image has goes over to this one, as with `lxc`.
pub(crate) async fn give_aliases(
    client: &Client,
    fingerprint: &str,
    names: &[NewAlias],
    job: &Job,
) -> Result<(), ActionError> {
    let mut given = Vec::new();
    for name in names {
        given.push(give(client, fingerprint, name));
    }
    let outcomes = job.run(async { Ok::<_, Error>(join_all(given).await) }).await?;
    let mut failed =
        outcomes.into_iter().zip(names).filter_map(|(outcome, name)| Some((outcome.err()?, name)));
    let Some((error, name)) = failed.next() else { return Ok(()) };
    let all: Vec<&str> =
        std::iter::once(name).chain(failed.map(|(_, name)| name)).map(|n| &*n.name).collect();
    Err(ActionError::from(error)
        .leaving(format!("the image {fingerprint} without the alias {}", all.join(", "))))
}

async fn give(client: &Client, fingerprint: &str, name: &NewAlias) -> Result<(), Error> {
    let mut alias = Alias::new(&name.name, fingerprint);
    alias.description.clone_from(&name.description);
    match client.create_image_alias(&alias).await {
        Err(error) if error.is_conflict() => {}
        other => return other,
    }
    let handle = client.image_alias(&name.name);
    let mut there = handle.get().await?;
    if there.value.target == fingerprint {
        return Ok(());
    }
    there.value.target = fingerprint.to_owned();
    handle.update(&there).await
}
