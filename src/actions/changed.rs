//! What somebody else changed of a thing.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::ActionError;

/// A setting that differs between two states of a thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Changed {
    /// Where it is, such as `config.limits.cpu`.
    pub(crate) place: String,
    /// What it was; null where it was not there.
    pub(crate) before: Value,
    /// What it is; null where it is gone.
    pub(crate) now: Value,
}

/// The error for a thing that somebody else changed after it was read: it names the settings that are others now. Their
/// values may be secrets.
pub(crate) fn conflict(what: &str, before: &impl Serialize, now: &impl Serialize) -> ActionError {
    let names: Vec<String> = changes(before, now).into_iter().map(|changed| changed.place).collect();
    let names = if names.is_empty() { "something".to_owned() } else { names.join(", ") };
    ActionError::Conflict(format!(
        "{what} was changed by somebody else meanwhile: {names}; nothing was written"
    ))
}

/// The settings in which two states of a thing differ, by their places.
pub(crate) fn changes(before: &impl Serialize, now: &impl Serialize) -> Vec<Changed> {
    let value = |state: serde_json::Result<Value>| state.unwrap_or_default();
    let mut found = Vec::new();
    compare("", &value(serde_json::to_value(before)), &value(serde_json::to_value(now)), &mut found);
    found
}

fn compare(place: &str, before: &Value, now: &Value, found: &mut Vec<Changed>) {
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            let keys: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
            for key in keys {
                let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(&place, &of(before), &of(now), found);
            }
        }
        (before, now) if before != now => {
            found.push(Changed { place: place.to_owned(), before: before.clone(), now: now.clone() });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_places_of_changes_are_named_and_no_values() {
        let before = json!({"config": {"a.b": "1", "c": "hush"}, "profiles": ["default"], "devices": {}});
        let now = json!({"config": {"a.b": "1", "c": "secret"}, "profiles": [], "devices": {"eth0": {}}});
        let told = conflict("web", &before, &now).to_string();
        assert_eq!(
            told,
            "web was changed by somebody else meanwhile: config.c, devices.eth0, profiles; nothing was written"
        );
        assert!(changes(&before, &before).is_empty());
        let secret = Changed { place: "config.c".to_owned(), before: json!("hush"), now: json!("secret") };
        assert_eq!(changes(&before, &now)[0], secret);
    }
}
