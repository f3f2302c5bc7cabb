//! What a thing has a list of: ports, rules, entries.

use serde_json::Value;

use super::{Fields, Object};
use crate::actions::{ActionError, Job};

/// Adds an item behind those that are there.
pub(crate) async fn add_item(
    object: &Object,
    list: &str,
    item: Fields,
    job: &Job,
) -> Result<(), ActionError> {
    object
        .change(job, |fields| {
            items(fields, list).push(item.clone().into());
            Ok(())
        })
        .await
}

/// Removes the item that fits. Where several fit, `force` removes them all. `many` is what they are, such as `ports`.
pub(crate) async fn remove_items(
    object: &Object,
    list: &str,
    many: &str,
    force: bool,
    fits: impl Fn(&Value) -> bool,
    job: &Job,
) -> Result<(), ActionError> {
    object
        .change(job, |fields| {
            let items = items(fields, list);
            match items.iter().filter(|item| fits(item)).count() {
                0 => return Err(ActionError::NotFound(format!("no {many} match"))),
                1 => {}
                _ if force => {}
                count => {
                    let message = format!("{count} {many} match: --force removes them all");
                    return Err(ActionError::Refused(message));
                }
            }
            items.retain(|item| !fits(item));
            Ok(())
        })
        .await
}

fn items<'a>(fields: &'a mut Fields, list: &str) -> &'a mut Vec<Value> {
    let value = fields.entry(list).or_insert(Value::Null);
    if !value.is_array() {
        *value = Vec::<Value>::new().into();
    }
    match value {
        Value::Array(items) => items,
        _ => unreachable!("it was made an array"),
    }
}
