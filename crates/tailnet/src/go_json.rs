//! Reading the JSON that the Go side writes.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::MalformedAnswer;

/// Reads an answer of the node's.
pub(crate) fn read<T: DeserializeOwned>(answer: &str) -> Result<T, MalformedAnswer> {
    serde_json::from_str(answer).map_err(MalformedAnswer::new)
}

/// An empty list or map is null.
pub(crate) fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// No text, and no address, is an empty text.
pub(crate) mod empty_is_none {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer, T: Display>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_str(""),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: FromStr>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(if text.is_empty() { None } else { text.parse().ok() })
    }
}
