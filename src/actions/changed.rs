//! What somebody else changed of a thing.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::ActionError;

/// The error for a thing that somebody else changed after it was read: it names the settings that are others now. Their
/// values may be secrets.
pub(crate) fn conflict(what: &str, before: &impl Serialize, now: &impl Serialize) -> ActionError {
    let names: Vec<String> = changed(&value(before), &value(now)).into_iter().collect();
    let names = if names.is_empty() { "something".to_owned() } else { names.join(", ") };
    ActionError::Conflict(format!(
        "{what} was changed by somebody else meanwhile: {names}; nothing was written"
    ))
}

fn value(thing: &impl Serialize) -> Value {
    serde_json::to_value(thing).unwrap_or_default()
}

/// The places where two values differ, such as `config.limits.cpu`.
fn changed(before: &Value, now: &Value) -> BTreeSet<String> {
    fn walk(place: &str, before: &Value, now: &Value, found: &mut BTreeSet<String>) {
        match (before, now) {
            (Value::Object(before), Value::Object(now)) => {
                for key in before.keys().chain(now.keys()) {
                    let place = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                    let of = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                    walk(&place, &of(before), &of(now), found);
                }
            }
            (before, now) if before != now => drop(found.insert(place.to_owned())),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk("", before, now, &mut found);
    found
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
        assert!(changed(&before, &before).is_empty());
    }
}
