//! Buckets of objects and their keys: `/1.0/storage-pools/{pool}/buckets`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StoragePoolHandle;
use crate::handle::handle;
use crate::path::below;
use crate::redacted;
use crate::{Error, List};

/// The API extension that has buckets: LXD 5.5 and Incus.
const EXTENSION: &str = "storage_buckets";

/// A bucket of objects, which is reached by S3.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Bucket {
    /// Its name, unique in the pool and project.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// Settings, such as `size`.
    pub config: BTreeMap<String, String>,
    /// Where it is reached.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub s3_url: String,
    /// The cluster's member that it is on.
    #[serde(skip_serializing_if = "crate::sending::filled_in")]
    pub location: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

redacted::debug!(Bucket { name, description, s3_url, location } hides { config, rest });

/// A key to a [`Bucket`]. `Debug` does not show the secret one.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BucketKey {
    /// Its name, unique in the bucket.
    pub name: String,
    /// What it is for, for people.
    pub description: String,
    /// `admin` or `read-only`.
    pub role: String,
    /// By what S3 knows it; without one the server chooses.
    #[serde(rename = "access-key", skip_serializing_if = "String::is_empty")]
    pub access_key: String,
    /// Its secret; without one the server chooses.
    #[serde(rename = "secret-key", skip_serializing_if = "String::is_empty")]
    pub secret_key: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Bucket {
    /// A bucket to create.
    #[must_use]
    pub fn new(name: &str) -> Bucket {
        Bucket { name: name.to_owned(), ..Bucket::default() }
    }
}

impl BucketKey {
    /// A key to create, with a role.
    #[must_use]
    pub fn new(name: &str, role: &str) -> BucketKey {
        BucketKey { name: name.to_owned(), role: role.to_owned(), ..BucketKey::default() }
    }
}

impl fmt::Debug for BucketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = f.debug_struct("BucketKey");
        key.field("name", &self.name).field("role", &self.role).field("access_key", &self.access_key);
        key.finish_non_exhaustive()
    }
}

handle! {
    /// One bucket, which may or may not exist; from [`StoragePoolHandle::bucket`].
    BucketHandle of Bucket as "/1.0/storage-pools/{pool}/buckets/{bucket}" needs "storage_buckets":
    get, update, patch, delete
}

handle! {
    /// One key to a bucket, which may or may not exist; from [`BucketHandle::key`].
    BucketKeyHandle of BucketKey as "/1.0/storage-pools/{pool}/buckets/{bucket}/keys/{key}"
    needs "storage_buckets": get, update, delete
}

impl StoragePoolHandle {
    /// `GET /1.0/storage-pools/{pool}/buckets`; [`Error::Unsupported`] before LXD 5.5.
    pub fn buckets(&self) -> List<Bucket> {
        List::new(self.client.get(below(&self.path, ["buckets"])).needs(EXTENSION))
    }

    /// `POST /1.0/storage-pools/{pool}/buckets`: creates a bucket, and gives the key that the server made for
    /// it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] before LXD 5.5.
    pub async fn create_bucket(&self, bucket: &Bucket) -> Result<Option<BucketKey>, Error> {
        self.client.post(below(&self.path, ["buckets"])).needs(EXTENSION).json(bucket).fetch().await
    }

    /// A handle of a bucket. Nothing is sent.
    #[must_use]
    pub fn bucket(&self, name: &str) -> BucketHandle {
        BucketHandle::new(&self.client, below(&self.path, ["buckets", name]))
    }
}

impl BucketHandle {
    /// `GET /1.0/storage-pools/{pool}/buckets/{bucket}/keys`.
    pub fn keys(&self) -> List<BucketKey> {
        List::new(self.client.get(below(&self.path, ["keys"])).needs(EXTENSION))
    }

    /// `POST /1.0/storage-pools/{pool}/buckets/{bucket}/keys`: makes a key, and gives it with its secret.
    ///
    /// # Errors
    /// [`Error::is_conflict`] when there is one of that name.
    pub async fn create_key(&self, key: &BucketKey) -> Result<BucketKey, Error> {
        self.client.post(below(&self.path, ["keys"])).needs(EXTENSION).json(key).fetch().await
    }

    /// A handle of a key. Nothing is sent.
    #[must_use]
    pub fn key(&self, name: &str) -> BucketKeyHandle {
        BucketKeyHandle::new(&self.client, below(&self.path, ["keys", name]))
    }
}
