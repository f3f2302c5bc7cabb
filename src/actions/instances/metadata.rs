//! What an instance has from its image: metadata, and templates of files.

use lxd_client::{Client, Versioned};
use serde_json::{Map, Value};

use crate::actions::{ActionError, Job, conflict};

/// What an image says of an instance: its architecture, properties and templates.
pub(crate) type Metadata = Map<String, Value>;

/// Replaces the metadata of an instance: only where they still are as they were read before, if that is given.
pub(crate) async fn update_metadata(
    client: &Client,
    instance: &str,
    before: Option<&Versioned<Metadata>>,
    after: Metadata,
    job: &Job,
) -> Result<(), ActionError> {
    let handle = client.instance(instance);
    let mut changed = Versioned::unconditional(after);
    changed.etag = before.and_then(|before| before.etag.clone());
    match (job.run(handle.update_metadata(&changed)).await, before) {
        (Err(ActionError::Cloud(error)), Some(before)) if error.is_changed_meanwhile() => {
            let now = job.run(handle.metadata()).await?;
            Err(conflict(&format!("the metadata of {instance}"), &before.value, &now.value))
        }
        (outcome, _) => outcome,
    }
}

/// Makes a template, which is empty.
pub(crate) async fn create_template(
    client: &Client,
    instance: &str,
    template: &str,
    job: &Job,
) -> Result<(), ActionError> {
    let handle = client.instance(instance);
    // The server would empty one that is there.
    if job.run(handle.templates()).await?.iter().any(|name| name == template) {
        return Err(ActionError::Refused(format!("{instance} has a template {template} already")));
    }
    job.run(handle.write_template(template, "")).await
}

/// Writes a template.
pub(crate) async fn write_template(
    client: &Client,
    instance: &str,
    template: &str,
    text: String,
    job: &Job,
) -> Result<(), ActionError> {
    job.run(client.instance(instance).write_template(template, text)).await
}

/// Deletes a template.
pub(crate) async fn delete_template(
    client: &Client,
    instance: &str,
    template: &str,
    job: &Job,
) -> Result<(), ActionError> {
    job.run(client.instance(instance).delete_template(template)).await
}
