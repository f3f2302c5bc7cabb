//! What a server warns its administrator of: `/1.0/warnings`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::handle::handle;
use crate::path::at;
use crate::{Client, Error, List};

/// A warning, from [`Client::warnings`] or [`WarningHandle::get`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Warning {
    /// By what it is known.
    pub uuid: String,
    /// `new`, `acknowledged` or `resolved`.
    pub status: String,
    /// `low`, `moderate` or `high`.
    pub severity: String,
    /// Of what, for people.
    #[serde(rename = "type")]
    pub kind: String,
    /// How often it came.
    pub count: u64,
    /// When first, RFC 3339.
    pub first_seen_at: String,
    /// When last.
    pub last_seen_at: String,
    /// What was said then.
    pub last_message: String,
    /// The project of what it is about.
    pub project: String,
    /// The URL of what it is about.
    pub entity_url: String,
    /// The cluster's member that it comes from.
    pub location: String,
    /// All else.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

handle! {
    /// One warning, which may or may not exist; from [`Client::warning`].
    WarningHandle of Warning as "/1.0/warnings/{id}": get, update, patch, delete
}

impl Client {
    /// `GET /1.0/warnings`: the warnings, which can be narrowed by a filter.
    pub fn warnings(&self) -> List<Warning> {
        List::new(self.get(["warnings"]))
    }

    /// A handle of a warning, by its UUID. Nothing is sent.
    #[must_use]
    pub fn warning(&self, uuid: &str) -> WarningHandle {
        WarningHandle::new(self, at(["warnings", uuid]))
    }
}

impl WarningHandle {
    /// Says that somebody has seen it: [`patch`](WarningHandle::patch) with `acknowledged`.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is none of that UUID.
    pub async fn acknowledge(&self) -> Result<(), Error> {
        self.patch(&json!({"status": "acknowledged"})).await
    }
}
