//! Settings and devices of a thing, by their keys.

use serde_json::Value;

use super::{Fields, Object, Settings};
use crate::actions::{ActionError, Job};

/// Sets settings. An empty value removes one, as servers have it.
pub(crate) async fn set_config(object: &Object, settings: &Settings, job: &Job) -> Result<(), ActionError> {
    object
        .change(job, |fields| {
            put(map(fields, "config"), settings);
            Ok(())
        })
        .await
}

/// Removes a setting.
pub(crate) async fn unset_config(object: &Object, key: &str, job: &Job) -> Result<(), ActionError> {
    set_config(object, &Settings::from([(key.to_owned(), String::new())]), job).await
}

/// Sets fields of the thing itself, such as its description. Their types stay.
pub(crate) async fn set_fields(object: &Object, settings: &Settings, job: &Job) -> Result<(), ActionError> {
    object
        .change(job, |fields| {
            for (key, value) in settings {
                let Some(field) = fields.get_mut(key) else {
                    return Err(unknown(object, key));
                };
                *field = match field {
                    Value::String(_) => value.as_str().into(),
                    Value::Bool(_) if value.is_empty() => false.into(),
                    Value::Bool(_) | Value::Number(_) => {
                        serde_json::from_str(value).map_err(|_| wrong(key, value))?
                    }
                    Value::Array(_) if value.is_empty() => Vec::<Value>::new().into(),
                    Value::Array(_) => value.split(',').map(Value::from).collect(),
                    Value::Null | Value::Object(_) => return Err(unknown(object, key)),
                };
            }
            Ok(())
        })
        .await
}

fn unknown(object: &Object, key: &str) -> ActionError {
    ActionError::Refused(format!("a {} has no property {key:?} with one value", object.kind.one))
}

fn wrong(key: &str, value: &str) -> ActionError {
    ActionError::Refused(format!("the property {key:?} cannot be {value:?}"))
}

/// Adds a device to a profile or an instance.
pub(crate) async fn add_device(
    object: &Object,
    name: &str,
    device: &Settings,
    job: &Job,
) -> Result<(), ActionError> {
    object
        .change(job, |fields| {
            let devices = map(fields, "devices");
            if devices.contains_key(name) {
                return Err(ActionError::Refused(format!("the device {name} is there already")));
            }
            put(map(devices, name), device);
            Ok(())
        })
        .await
}

/// Removes devices.
pub(crate) async fn remove_devices(object: &Object, names: &[String], job: &Job) -> Result<(), ActionError> {
    object
        .change(job, |fields| {
            let devices = map(fields, "devices");
            names.iter().try_for_each(|name| devices.remove(name).map(drop).ok_or_else(|| no_device(name)))
        })
        .await
}

/// Sets settings of a device; an empty value removes one.
pub(crate) async fn set_device(
    object: &Object,
    name: &str,
    settings: &Settings,
    job: &Job,
) -> Result<(), ActionError> {
    object
        .change(job, |fields| {
            let devices = map(fields, "devices");
            if !devices.contains_key(name) {
                return Err(no_device(name));
            }
            put(map(devices, name), settings);
            Ok(())
        })
        .await
}

/// Removes a setting of a device.
pub(crate) async fn unset_device(
    object: &Object,
    name: &str,
    key: &str,
    job: &Job,
) -> Result<(), ActionError> {
    set_device(object, name, &Settings::from([(key.to_owned(), String::new())]), job).await
}

fn no_device(name: &str) -> ActionError {
    ActionError::NotFound(format!("there is no device {name}"))
}

fn put(into: &mut Fields, settings: &Settings) {
    for (key, value) in settings {
        match value.as_str() {
            "" => drop(into.remove(key)),
            value => drop(into.insert(key.clone(), value.into())),
        }
    }
}

/// The map in a field, which is made where it is absent or null.
fn map<'a>(fields: &'a mut Fields, key: &str) -> &'a mut Fields {
    let value = fields.entry(key).or_insert(Value::Null);
    if !value.is_object() {
        *value = Fields::new().into();
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object"),
    }
}
