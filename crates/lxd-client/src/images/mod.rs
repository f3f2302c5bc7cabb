//! Images, which instances are made of: `/1.0/images`.

mod aliases;
mod export;
mod file;
mod import;
mod multipart;
mod saving;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{Client, Error, List, Operation, Versioned};

pub use aliases::{Alias, AliasHandle};
pub use export::{ExportedNames, ImageFiles};
pub use file::{ImageFile, ImagePart};
pub use import::{ImageOptions, ImageSource};

/// An image, from [`Client::images`] or [`ImageHandle::get`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Image {
    /// The SHA-256 of its files, in hexadecimal.
    pub fingerprint: String,
    /// Its names.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub aliases: Vec<Alias>,
    /// Such as `x86_64`.
    pub architecture: String,
    /// `container` or `virtual-machine`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its length in bytes.
    pub size: u64,
    /// Whether strangers may have it.
    pub public: bool,
    /// Whether the server looks for a newer one.
    pub auto_update: bool,
    /// What it says of itself, such as `os`.
    pub properties: BTreeMap<String, String>,
    /// The profiles that instances of it get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<String>,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One image, by its fingerprint or the beginning of it; from [`Client::image`].
#[derive(Clone, Debug)]
pub struct ImageHandle {
    client: Client,
    fingerprint: String,
}

impl Client {
    /// `GET /1.0/images`: the images of the project; to a stranger, the public ones.
    pub fn images(&self) -> List<Image> {
        List::new(self.get(["images"]))
    }

    /// A handle of an image. Nothing is sent.
    #[must_use]
    pub fn image(&self, fingerprint: &str) -> ImageHandle {
        ImageHandle { client: self.clone(), fingerprint: fingerprint.to_owned() }
    }
}

impl ImageHandle {
    fn path(&self) -> [&str; 2] {
        ["images", &self.fingerprint]
    }

    /// `GET /1.0/images/{fingerprint}`. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is no such image.
    pub async fn get(&self) -> Result<Versioned<Image>, Error> {
        self.client.get(self.path()).versioned().await
    }

    /// `GET /1.0/images/{fingerprint}?secret=`: an image that is not public, with a secret that the server
    /// gave out.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is no such image, or the secret is another.
    pub async fn get_with_secret(&self, secret: &str) -> Result<Image, Error> {
        self.client.get(self.path()).query("secret", secret).fetch().await
    }

    /// `PUT /1.0/images/{fingerprint}`: replaces what can be changed: properties, who may have it, whether
    /// it is kept new.
    ///
    /// # Errors
    /// [`Error::is_changed_meanwhile`] when somebody else changed it since it was read.
    pub async fn update(&self, image: &Versioned<Image>) -> Result<(), Error> {
        self.client.put(self.path()).if_match(image).json(&image.value).done().await
    }

    /// `PATCH /1.0/images/{fingerprint}`: sets what is in `changes` and leaves the rest.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn patch(&self, changes: &impl Serialize) -> Result<(), Error> {
        self.client.patch(self.path()).json(changes).done().await
    }

    /// `DELETE /1.0/images/{fingerprint}`.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is no such image.
    pub async fn delete(&self) -> Result<Operation, Error> {
        self.client.delete(self.path()).operation().await
    }

    /// `POST /1.0/images/{fingerprint}/refresh`: has the server look for a newer one now.
    ///
    /// # Errors
    /// When it did not come from an image server.
    pub async fn refresh(&self) -> Result<Operation, Error> {
        self.client.post(["images", &self.fingerprint, "refresh"]).operation().await
    }

    /// `POST /1.0/images/{fingerprint}/secret`: a secret with which another server or a stranger can have
    /// the image. It lasts until about five seconds after it is used.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is no such image.
    pub async fn secret(&self) -> Result<String, Error> {
        Ok(self.revocable_secret().await?.0)
    }

    /// The same with the operation as which the server keeps the secret: [`Operation::cancel`] revokes one that was not used,
    /// which would last as long as the server runs.
    ///
    /// # Errors
    /// As for [`secret`](ImageHandle::secret).
    pub async fn revocable_secret(&self) -> Result<(String, Operation), Error> {
        let begun = self.client.post(["images", &self.fingerprint, "secret"]).operation().await?;
        let secret = begun.begun_as().metadata.get("secret").and_then(Value::as_str).map(str::to_owned);
        let secret = secret.ok_or_else(|| self.client.protocol("an image's secret without one"))?;
        Ok((secret, begun))
    }

    /// `POST /1.0/images/{fingerprint}/export`: has the server send the image to another one, whose secret
    /// is given, into this project there.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn push_to(
        &self,
        target: &str,
        secret: &str,
        certificate: &str,
        project: Option<&str>,
    ) -> Result<Operation, Error> {
        let mut body = json!({"target": target, "secret": secret, "certificate": certificate});
        if let Some(project) = project {
            body["project"] = project.into();
        }
        self.client.post(["images", &self.fingerprint, "export"]).json(&body).operation().await
    }
}
