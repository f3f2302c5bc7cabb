//! The configuration of a server.

use std::collections::BTreeMap;

use lxd_client::{Client, Versioned};
use serde_json::{Map, Value};

use super::instances::not_set;
use super::{ActionError, Job, conflict};

/// Sets keys of a server's configuration; those without a value are unset.
pub(crate) async fn set(
    client: &Client,
    values: &BTreeMap<String, Option<String>>,
    job: &Job,
) -> Result<(), ActionError> {
    if values.values().any(Option::is_none) {
        let now = job.run(client.server_config()).await?;
        let unset = values.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| key);
        if let Some(missing) = unset.into_iter().find(|key| !now.contains_key(*key)) {
            return Err(not_set(missing));
        }
    }
    // A key that is set to nothing is unset.
    let text = |value: &Option<String>| Value::String(value.clone().unwrap_or_default());
    let values: Map<String, Value> = values.iter().map(|(key, value)| (key.clone(), text(value))).collect();
    job.run(client.patch_server_config(&values)).await
}

/// Replaces the configuration of a server: only where it still is as it was read before, if that is given.
pub(crate) async fn update(
    client: &Client,
    before: Option<&Versioned<Map<String, Value>>>,
    after: Map<String, Value>,
    job: &Job,
) -> Result<(), ActionError> {
    let mut changed = Versioned::unconditional(after);
    changed.etag = before.and_then(|before| before.etag.clone());
    match (job.run(client.update_server_config(&changed)).await, before) {
        (Err(ActionError::Cloud(error)), Some(before)) if error.is_changed_meanwhile() => {
            let now = job.run(client.server_config()).await?;
            Err(conflict("the server's configuration", &before.value, &now.value))
        }
        (outcome, _) => outcome,
    }
}
