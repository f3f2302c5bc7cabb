//! The configuration of a server.

use std::collections::BTreeMap;

use lxd_client::{Client, Versioned};
use serde_json::{Map, Value};

use super::instances::not_set;
use super::{ActionError, Job, conflict};

/// How often a change is tried on what somebody else has just changed.
const TRIES: usize = 5;

/// Sets keys of a server's configuration; those without a value are unset.
///
/// The whole configuration is written, as `lxc` does it: where a PATCH is refused for a key that it does not know, Incus 6.0
/// loses the address at which it listens.
pub(crate) async fn set(
    client: &Client,
    values: &BTreeMap<String, Option<String>>,
    job: &Job,
) -> Result<(), ActionError> {
    let mut tries = 1;
    loop {
        let mut config = job.run(client.server_config()).await?;
        for (key, value) in values {
            if value.is_none() && !config.value.contains_key(key) {
                return Err(not_set(key));
            }
            // A key that is set to nothing is unset.
            config.value.insert(key.clone(), value.clone().unwrap_or_default().into());
        }
        match job.run(client.update_server_config(&config)).await {
            Err(ActionError::Cloud(error)) if error.is_changed_meanwhile() && tries < TRIES => tries += 1,
            outcome => return outcome,
        }
    }
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
