//! Profiles, which instances share their configuration by: `/1.0/profiles`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::at;
use crate::redacted;
use crate::{Client, Error, List};

/// A profile, from [`Client::profiles`] or [`ProfileHandle::get`].
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Profile {
    /// Its name, unique in its project.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings, such as `limits.cpu`.
    pub config: BTreeMap<String, String>,
    /// Devices by name, each with its `type` and settings.
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    /// The URLs of what uses it. The server fills it in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Profile { name, description, used_by } hides { config, devices, rest });

impl Profile {
    /// A profile to create.
    #[must_use]
    pub fn new(name: &str) -> Profile {
        Profile { name: name.to_owned(), ..Profile::default() }
    }
}

handle! {
    /// One profile, which may or may not exist; from [`Client::profile`].
    ProfileHandle of Profile as "/1.0/profiles/{name}": get, update, patch, rename, delete
}

impl Client {
    /// `GET /1.0/profiles`: the profiles of the project.
    pub fn profiles(&self) -> List<Profile> {
        List::new(self.get(["profiles"]))
    }

    /// `POST /1.0/profiles`: creates a profile.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_profile(&self, profile: &Profile) -> Result<(), Error> {
        self.post(["profiles"]).json(profile).done().await
    }

    /// A handle of a profile. Nothing is sent.
    #[must_use]
    pub fn profile(&self, name: &str) -> ProfileHandle {
        ProfileHandle::new(self, at(["profiles", name]))
    }
}
