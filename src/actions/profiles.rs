//! Profiles: copies of them, and which of them an instance has.

use lxd_client::Client;
use serde_json::Value;

use super::objects::{Object, PROFILE};
use super::{ActionError, Job};

/// Copies a profile, into another server or project too.
pub(crate) async fn copy(
    from: &Client,
    name: &str,
    to: &Client,
    copy: &str,
    job: &Job,
) -> Result<(), ActionError> {
    let mut fields = Object::new(from, &PROFILE, &[name]).get(job).await?.value;
    for own in ["used_by", "project"] {
        fields.remove(own);
    }
    Object::new(to, &PROFILE, &[copy]).create(fields, job).await
}

/// Gives an instance these profiles, in this order, in place of those that it has.
pub(crate) async fn assign(instance: &Object, profiles: &[String], job: &Job) -> Result<(), ActionError> {
    change(instance, job, |has| {
        *has = profiles.to_vec();
        Ok(())
    })
    .await
}

/// Adds a profile to an instance, behind those that it has.
pub(crate) async fn add(instance: &Object, profile: &str, job: &Job) -> Result<(), ActionError> {
    change(instance, job, |has| {
        has.push(profile.to_owned());
        Ok(())
    })
    .await
}

/// Takes a profile off an instance.
pub(crate) async fn remove(instance: &Object, profile: &str, job: &Job) -> Result<(), ActionError> {
    change(instance, job, |has| {
        if !has.iter().any(|name| name == profile) {
            let message = format!("the instance {} does not have the profile {profile}", instance.name());
            return Err(ActionError::Refused(message));
        }
        has.retain(|name| name != profile);
        Ok(())
    })
    .await
}

async fn change(
    instance: &Object,
    job: &Job,
    change: impl Fn(&mut Vec<String>) -> Result<(), ActionError>,
) -> Result<(), ActionError> {
    instance
        .change(job, |fields| {
            let listed = fields.get("profiles").and_then(Value::as_array);
            let mut profiles: Vec<String> =
                listed.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect();
            change(&mut profiles)?;
            fields.insert("profiles".to_owned(), profiles.into());
            Ok(())
        })
        .await
}
