//! Which profiles an instance has.

use lxd_client::Client;

use super::edit::change;
use crate::actions::{ActionError, Job};

/// Gives an instance these profiles, in this order, in place of those that it has.
pub(crate) async fn assign(
    client: &Client,
    instance: &str,
    profiles: &[String],
    job: &Job,
) -> Result<(), ActionError> {
    change(client, instance, job, |instance| {
        instance.profiles = profiles.to_vec();
        Ok(())
    })
    .await
}

/// Adds a profile to an instance, behind those that it has.
pub(crate) async fn add(
    client: &Client,
    instance: &str,
    profile: &str,
    job: &Job,
) -> Result<(), ActionError> {
    change(client, instance, job, |instance| {
        instance.profiles.push(profile.to_owned());
        Ok(())
    })
    .await
}

/// Takes a profile off an instance.
pub(crate) async fn remove(
    client: &Client,
    instance: &str,
    profile: &str,
    job: &Job,
) -> Result<(), ActionError> {
    change(client, instance, job, |instance| {
        let before = instance.profiles.len();
        instance.profiles.retain(|name| name != profile);
        if instance.profiles.len() == before {
            return Err(ActionError::Refused(format!(
                "Profile {profile} isn't currently applied to {}",
                instance.name
            )));
        }
        Ok(())
    })
    .await
}
