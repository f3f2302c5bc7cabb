//! The names of images: `/1.0/images/aliases`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::handle::handle;
use crate::path::at;
use crate::{Client, Error, List};

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

handle! {
    /// One alias, which may or may not exist; from [`Client::image_alias`].
    ///
    /// LXD 5.0.2 waits for itself in `patch`, and answers with an error after ten seconds: `update` works.
    AliasHandle of Alias as "/1.0/images/aliases/{name}": get, update, patch, rename, delete
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
        AliasHandle::new(self, at(["images", "aliases", name]))
    }
}
