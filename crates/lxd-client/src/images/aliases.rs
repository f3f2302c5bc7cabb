use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Client, Error, List, Versioned};

/// A name of an image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Alias {
    /// The name, which may have slashes in it.
    pub name: String,
    /// What it is, for people.
    pub description: String,
    /// The image's fingerprint.
    pub target: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Alias {
    /// A name for an image.
    #[must_use]
    pub fn new(name: &str, fingerprint: &str) -> Alias {
        Alias { name: name.to_owned(), target: fingerprint.to_owned(), ..Alias::default() }
    }
}

/// One alias, which may or may not exist; from [`Client::image_alias`].
#[derive(Clone, Debug)]
pub struct AliasHandle {
    client: Client,
    name: String,
}

impl Client {
    /// `GET /1.0/images/aliases`.
    pub fn image_aliases(&self) -> List<Alias> {
        List::new(self.get(["images", "aliases"]))
    }

    /// `POST /1.0/images/aliases`: gives an image a name.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the name is taken.
    pub async fn create_image_alias(&self, alias: &Alias) -> Result<(), Error> {
        self.post(["images", "aliases"]).json(alias).done().await
    }

    /// A handle of an alias. Nothing is sent.
    #[must_use]
    pub fn image_alias(&self, name: &str) -> AliasHandle {
        AliasHandle { client: self.clone(), name: name.to_owned() }
    }
}

impl AliasHandle {
    fn path(&self) -> [&str; 3] {
        ["images", "aliases", &self.name]
    }

    /// `GET /1.0/images/aliases/{name}`. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn get(&self) -> Result<Versioned<Alias>, Error> {
        self.client.get(self.path()).versioned().await
    }

    /// `PUT /1.0/images/aliases/{name}`: gives the name to another image.
    ///
    /// # Errors
    /// [`Error::is_changed_meanwhile`] when somebody else changed it since it was read.
    pub async fn update(&self, alias: &Versioned<Alias>) -> Result<(), Error> {
        self.client.put(self.path()).if_match(alias).json(&alias.value).done().await
    }

    /// `PATCH /1.0/images/aliases/{name}`. LXD 5.0.2 waits for itself here, and answers with an error after
    /// ten seconds: [`update`](AliasHandle::update) works.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn patch(&self, changes: &impl Serialize) -> Result<(), Error> {
        self.client.patch(self.path()).json(changes).done().await
    }

    /// `POST /1.0/images/aliases/{name}`: another name instead of it.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when the new name is taken.
    pub async fn rename(&self, name: &str) -> Result<(), Error> {
        self.client.post(self.path()).json(&json!({"name": name})).done().await
    }

    /// `DELETE /1.0/images/aliases/{name}`: takes the name from its image.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn delete(&self) -> Result<(), Error> {
        self.client.delete(self.path()).done().await
    }
}
