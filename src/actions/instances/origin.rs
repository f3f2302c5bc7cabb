//! What an instance is made of.

use lxd_client::Client;
use serde_json::{Map, Value};

use crate::actions::ActionError;

/// What an instance is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An image of the cloud, by an alias or the beginning of a fingerprint.
    Image(String),
    /// An image of an image server, which the cloud fetches by its own network. The protocol is `simplestreams`, `lxd` or
    /// `incus`.
    Server { url: String, protocol: String, image: String },
    /// Nothing.
    Nothing,
}

/// The same as the API has it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) source: Map<String, Value>,
    /// Whether the image is one of a virtual machine, where that is known.
    pub(crate) virtual_machine: Option<bool>,
}

impl Source {
    fn new<'a>(
        source: impl IntoIterator<Item = (&'a str, &'a str)>,
        virtual_machine: Option<bool>,
    ) -> Source {
        let source = source.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
        Source { source, virtual_machine }
    }
}

impl Origin {
    /// Looks for the image.
    ///
    /// # Errors
    /// [`ActionError::NotFound`] where the cloud has no such image.
    pub(crate) async fn find(&self, client: &Client) -> Result<Source, ActionError> {
        Ok(match self {
            Origin::Nothing => Source::new([("type", "none")], None),
            Origin::Server { url, protocol, image } => Source::new(
                [
                    ("type", "image"),
                    ("mode", "pull"),
                    ("server", url),
                    ("protocol", protocol),
                    ("alias", image),
                ],
                None,
            ),
            Origin::Image(name) => {
                let (fingerprint, kind) = image(client, name).await?;
                let source = [("type", "image"), ("fingerprint", fingerprint.as_str())];
                Source::new(source, Some(kind == "virtual-machine"))
            }
        })
    }
}

/// The fingerprint and the type of an image of the cloud.
async fn image(client: &Client, name: &str) -> Result<(String, String), ActionError> {
    match client.image_alias(name).get().await {
        Ok(alias) => {
            let kind = alias.rest.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            Ok((alias.value.target, kind))
        }
        Err(error) if error.is_not_found() => match client.image(name).get().await {
            Ok(image) => Ok((image.value.fingerprint, image.value.kind)),
            Err(error) if error.is_not_found() => {
                Err(ActionError::NotFound(format!("no image has the alias or the fingerprint {name}")))
            }
            Err(error) => Err(error.into()),
        },
        Err(error) => Err(error.into()),
    }
}
