//! Profiles, which instances share their configuration by: `/1.0/profiles`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::request::null_is_default;
use crate::{Client, Error, List, Versioned};

/// A profile, from [`Client::profiles`] or [`ProfileHandle::get`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Profile {
    /// Its name, unique in its project.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings, such as `limits.cpu`.
    #[serde(deserialize_with = "null_is_default")]
    pub config: BTreeMap<String, String>,
    /// Devices by name, each with its `type` and settings.
    #[serde(deserialize_with = "null_is_default")]
    pub devices: BTreeMap<String, BTreeMap<String, String>>,
    /// The URLs of what uses it. The server fills it in.
    #[serde(deserialize_with = "null_is_default", skip_serializing_if = "Vec::is_empty")]
    pub used_by: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Profile {
    /// A profile to create.
    #[must_use]
    pub fn new(name: &str) -> Profile {
        Profile { name: name.to_owned(), ..Profile::default() }
    }
}

/// One profile, which may or may not exist; from [`Client::profile`].
#[derive(Clone, Debug)]
pub struct ProfileHandle {
    client: Client,
    name: String,
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
        ProfileHandle { client: self.clone(), name: name.to_owned() }
    }
}

impl ProfileHandle {
    fn path(&self) -> [&str; 2] {
        ["profiles", &self.name]
    }

    /// `GET /1.0/profiles/{name}`. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn get(&self) -> Result<Versioned<Profile>, Error> {
        self.client.get(self.path()).versioned().await
    }

    /// `PUT /1.0/profiles/{name}`: replaces what it is made of.
    ///
    /// # Errors
    /// [`Error::is_changed_meanwhile`] when somebody else changed it since it was read.
    pub async fn update(&self, profile: &Versioned<Profile>) -> Result<(), Error> {
        self.client.put(self.path()).if_match(profile).json(&profile.value).done().await
    }

    /// `PATCH /1.0/profiles/{name}`: sets what is in `changes` and leaves the rest.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn patch(&self, changes: &impl Serialize) -> Result<(), Error> {
        self.client.patch(self.path()).json(changes).done().await
    }

    /// `POST /1.0/profiles/{name}`: gives it another name.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the new name is taken.
    pub async fn rename(&self, name: &str) -> Result<(), Error> {
        self.client.post(self.path()).json(&json!({"name": name})).done().await
    }

    /// `DELETE /1.0/profiles/{name}`.
    ///
    /// # Errors
    /// When something uses it, or there is none of that name.
    pub async fn delete(&self) -> Result<(), Error> {
        self.client.delete(self.path()).done().await
    }
}
