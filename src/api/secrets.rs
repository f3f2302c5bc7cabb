//! What leaves this node only for those who may edit: keys, tokens and the data that a new instance is set up with.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::inventory::InstanceRow;

/// Settings whose values are free text of their owners', in which people keep passwords and keys.
const FREE: [&str; 5] = ["user.", "cloud-init.", "environment.", "raw.", "volatile."];

/// Of them the ones that hold no secret.
const PLAIN: [&str; 1] = ["volatile.base_image"];

/// What is in the names of settings that log in somewhere.
const LOGINS: [&str; 4] = ["password", "secret", "token", "keyring"];

fn is_plain(key: &str) -> bool {
    let is_free = FREE.iter().any(|free| key.starts_with(free));
    PLAIN.contains(&key) || !(is_free || is_login(key))
}

/// A row of the inventory without what may be a secret.
pub(in crate::api) fn without_of_row(row: &InstanceRow) -> InstanceRow {
    let plain = row.config.iter().filter(|(key, _)| is_plain(key));
    let config: BTreeMap<String, String> = plain.map(|(key, value)| (key.clone(), value.clone())).collect();
    InstanceRow { config: Arc::new(config), ..row.clone() }
}

/// An instance or a profile, as its server gives it, without what may be a secret, at any depth: a snapshot has settings too.
pub(in crate::api) fn without(thing: &mut Value) {
    match thing {
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match (name.as_str(), value) {
                    ("config" | "expanded_config", Value::Object(config)) => {
                        config.retain(|key, _| is_plain(key))
                    }
                    ("devices" | "expanded_devices", Value::Object(devices)) => {
                        devices.values_mut().filter_map(Value::as_object_mut).for_each(of_device);
                    }
                    (_, value) => without(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without),
        _ => {}
    }
}

fn of_device(device: &mut Map<String, Value>) {
    device.retain(|key, _| !is_login(key));
}

/// Whether the name of a setting says that it logs in somewhere.
fn is_login(key: &str) -> bool {
    LOGINS.iter().any(|secret| key.contains(secret))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_may_be_a_secret_stays_here_at_any_depth() {
        let config = json!({
            "limits.cpu": "2", "user.user-data": "hush", "cloud-init.vendor-data": "hush",
            "environment.TOKEN": "hush", "raw.qemu": "hush", "volatile.eth0.hwaddr": "hush",
            "volatile.base_image": "abc", "image.os": "Debian",
        });
        let mut thing = json!({
            "name": "web", "config": config, "expanded_config": config,
            "devices": {"data": {"type": "disk", "ceph.user_name": "u", "secret_token": "hush"}},
            "snapshots": [{"name": "s0", "config": config, "expanded_config": config}],
        });
        without(&mut thing);
        let left = thing.to_string();
        assert!(!left.contains("hush"), "{left}");
        let plain = json!({"limits.cpu": "2", "volatile.base_image": "abc", "image.os": "Debian"});
        assert_eq!((&thing["config"], &thing["snapshots"][0]["config"]), (&plain, &plain));
        assert_eq!(thing["devices"]["data"], json!({"type": "disk", "ceph.user_name": "u"}));
    }
}
