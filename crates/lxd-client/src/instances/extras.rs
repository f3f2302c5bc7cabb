//! What an instance has beside it: metadata, templates and logs.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

use super::InstanceHandle;
use crate::path::name_in;
use crate::transfer::Download;
use crate::{Error, Versioned};

impl InstanceHandle {
    /// `GET /1.0/instances/{name}/metadata`: what its image said of it. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn metadata(&self) -> Result<Versioned<Map<String, Value>>, Error> {
        self.client.get(&self.path(["metadata"])[..]).versioned().await
    }

    /// `PUT /1.0/instances/{name}/metadata`: replaces it.
    ///
    /// # Errors
    /// [`Error::is_changed_meanwhile`] when somebody else changed it since it was read.
    pub async fn update_metadata(&self, metadata: &Versioned<Map<String, Value>>) -> Result<(), Error> {
        let request = self.client.put(&self.path(["metadata"])[..]).if_match(metadata);
        request.json(&metadata.value).done().await
    }

    /// `PATCH /1.0/instances/{name}/metadata`: sets some of it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn patch_metadata(&self, changes: &impl Serialize) -> Result<(), Error> {
        self.client.patch(&self.path(["metadata"])[..]).json(changes).done().await
    }

    /// `GET /1.0/instances/{name}/metadata/templates`: the names of its templates. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn templates(&self) -> Result<Vec<String>, Error> {
        self.client.get(&self.path(["metadata", "templates"])[..]).list().await
    }

    /// `GET /1.0/instances/{name}/metadata/templates?path=`: a template's text. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn template(&self, name: &str) -> Result<Bytes, Error> {
        self.client.get(&self.path(["metadata", "templates"])[..]).query("path", name).bytes().await
    }

    /// `POST /1.0/instances/{name}/metadata/templates?path=`: writes a template.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn write_template(&self, name: &str, text: impl Into<Bytes>) -> Result<(), Error> {
        let request = self.client.post(&self.path(["metadata", "templates"])[..]).query("path", name);
        request.stream(crate::transport::full(text.into())).done().await
    }

    /// `DELETE /1.0/instances/{name}/metadata/templates?path=`.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn delete_template(&self, name: &str) -> Result<(), Error> {
        self.client.delete(&self.path(["metadata", "templates"])[..]).query("path", name).done().await
    }

    /// `GET /1.0/instances/{name}/logs`: the names of its logs. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn logs(&self) -> Result<Vec<String>, Error> {
        let urls: Vec<String> = self.client.get(&self.path(["logs"])[..]).list().await?;
        Ok(urls.iter().map(|url| name_in(url)).collect())
    }

    /// `GET /1.0/instances/{name}/logs/{file}`: a log, as a stream.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that name.
    pub async fn log(&self, file: &str) -> Result<Download, Error> {
        self.client.get(&self.path(["logs", file])[..]).download().await
    }

    /// The same from a byte on, of a log that grows.
    ///
    /// # Errors
    /// [`Error::Api`] with the code 416 when the log has no such byte: it is shorter.
    pub async fn log_from(&self, file: &str, first: u64) -> Result<Download, Error> {
        self.client.get(&self.path(["logs", file])[..]).download_from(first).await
    }

    /// `DELETE /1.0/instances/{name}/logs/{file}`. LXD 6 has this no longer.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn delete_log(&self, file: &str) -> Result<(), Error> {
        self.client.delete(&self.path(["logs", file])[..]).done().await
    }
}
