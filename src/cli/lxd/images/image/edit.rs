//! `lxd image show`, `edit`, `get-property`, `set-property` and `unset-property`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use lxd_client::{Image, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::image;
use crate::actions::{ActionError, images};
use crate::cli::lxd::action;
use crate::cli::lxd::fleet::Fleet;
use crate::cli::lxd::objects::usual::get;
use crate::cli::output::Out;

/// What can be changed of an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Changeable {
    auto_update: bool,
    properties: BTreeMap<String, String>,
    public: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    #[serde(default)]
    profiles: Vec<String>,
}

impl Changeable {
    fn of(image: &Image) -> Changeable {
        Changeable {
            auto_update: image.auto_update,
            properties: image.properties.clone(),
            public: image.public,
            expires_at: image.rest.get("expires_at").and_then(Value::as_str).map(str::to_owned),
            profiles: image.profiles.clone(),
        }
    }

    fn put_into(self, image: &mut Image) {
        image.auto_update = self.auto_update;
        image.properties = self.properties;
        image.public = self.public;
        image.profiles = self.profiles;
        if let Some(expires_at) = self.expires_at {
            image.rest.insert("expires_at".to_owned(), expires_at.into());
        }
    }
}

const EXPLANATION: &str = "This is what can be changed of an image.
The properties are free; a newer image takes the place of one with auto_update.";

pub(super) async fn show(fleet: &Fleet, text: &str, out: &Out) -> anyhow::Result<ExitCode> {
    let (_, client, name) = image(fleet, text).await?;
    let found = action::run(text, async |job| images::get(&client, name, job).await).await?;
    let value = Changeable::of(&found);
    out.print(&value, || crate::config::to_text(&value))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn edit(fleet: &Fleet, text: &str) -> anyhow::Result<ExitCode> {
    let (_, client, name) = image(fleet, text).await?;
    let read = async || action::run(text, async |job| images::get(&client, name, job).await).await;
    let write = async |before: &Versioned<Image>, part: Changeable| {
        let mut after = before.value.clone();
        part.put_into(&mut after);
        action::run(text, async |job| images::update(&client, before, after, job).await).await
    };
    crate::cli::edit::edit("image", EXPLANATION, read, |image| Changeable::of(image), write).await?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn get_property(
    fleet: &Fleet,
    text: &str,
    key: &str,
    out: &Out,
) -> anyhow::Result<ExitCode> {
    let (_, client, name) = image(fleet, text).await?;
    let found = action::run(text, async |job| {
        let mut found = images::get(&client, name, job).await?;
        found.value.properties.remove(key).ok_or_else(not_there)
    });
    let found = found.await?;
    get(Some(&found.into()), out)
}

/// Sets a property, or removes it.
pub(super) async fn set_property(
    fleet: &Fleet,
    text: &str,
    key: &str,
    value: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let (_, client, name) = image(fleet, text).await?;
    let change = |image: &mut Image| match value {
        Some(value) => {
            image.properties.insert(key.to_owned(), value.to_owned());
            Ok(())
        }
        None => image.properties.remove(key).map(drop).ok_or_else(not_there),
    };
    action::run(text, async |job| images::change(&client, name, change, job).await).await?;
    Ok(ExitCode::SUCCESS)
}

fn not_there() -> ActionError {
    ActionError::NotFound("Property not found".to_owned())
}
