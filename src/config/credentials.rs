//! The credentials that let the node in: an auth key, an OAuth client's secret, or a workload identity.

use std::path::PathBuf;

use super::file::File;
use super::key::{self, KeySource, Secret};
use super::keys::{AUTH_KEY, CLIENT_ID, CLIENT_SECRET, ID_TOKEN};
use super::layers::Layers;
use super::{ConfigError, Flags, Problem, Setting, Source, beside};

/// A value of one layer: what it is, where it is, and what errors call it.
struct Given<T> {
    value: T,
    source: Source,
    /// The variable, or the key of the file.
    name: String,
}

/// The credentials of one layer.
#[derive(Default)]
struct Layer {
    auth_key: Option<Given<Secret>>,
    client_secret: Option<Given<Secret>>,
    client_id: Option<Given<String>>,
    id_token: Option<Given<Secret>>,
}

impl Layer {
    fn is_empty(&self) -> bool {
        self.auth_key.is_none()
            && self.client_secret.is_none()
            && self.client_id.is_none()
            && self.id_token.is_none()
    }
}

impl Layers<'_> {
    /// The credentials of the highest layer that has some. A workload's two halves may come from two layers: the client is
    /// no secret, and fits into the file.
    pub(super) fn credentials(&mut self, flags: &Flags, file: &File) -> Result<KeySource, ConfigError> {
        if let Some(path) = &flags.auth_key_file {
            let secret = Secret::File { name: "--auth-key-file".to_owned(), path: path.clone() };
            let source = Source::Flag { name: "auth-key-file".to_owned() };
            self.show(AUTH_KEY, secret.to_string(), source);
            return Ok(KeySource::AuthKey(secret));
        }
        let environment = self.credentials_of_environment()?;
        let file = self.credentials_of_file(file);
        self.only_one(&environment);
        self.only_one(&file);
        let (top, below) =
            if environment.is_empty() { (file, Layer::default()) } else { (environment, file) };
        if let Some(Given { value, source, .. }) = top.auth_key {
            self.show(AUTH_KEY, value.to_string(), source);
            return Ok(KeySource::AuthKey(value));
        }
        // The client is a part of its secret; Tailscale's image lets it be given beside it all the same.
        if let Some(Given { value, source, .. }) = top.client_secret {
            self.show(CLIENT_SECRET, value.to_string(), source);
            return Ok(KeySource::ClientSecret(value));
        }
        match (top.client_id.or(below.client_id), top.id_token.or(below.id_token)) {
            (Some(client), Some(token)) => {
                self.show(CLIENT_ID, client.value.clone(), client.source);
                self.show(ID_TOKEN, token.value.to_string(), token.source);
                return Ok(KeySource::Workload { client_id: client.value, id_token: token.value });
            }
            (Some(client), None) => self.credentials_problem(
                &client.name,
                &client.source,
                "a client alone does not let the node in",
                "give the token of the workload's provider too, best as TS_ID_TOKEN=file:PATH or id_token_file: PATH, \
                 since it is renewed; or the client's secret instead, as TS_CLIENT_SECRET or client_secret_file",
            ),
            (None, Some(token)) => self.credentials_problem(
                &token.name,
                &token.source,
                "a workload's token needs the client that the tailnet has for the workload",
                "give the client's ID as TS_CLIENT_ID or client_id",
            ),
            (None, None) => self.show(AUTH_KEY, "none".to_owned(), Source::Default),
        }
        Ok(KeySource::None)
    }

    fn credentials_of_environment(&self) -> Result<Layer, ConfigError> {
        let secret = |name: &str| -> Result<Option<Given<Secret>>, ConfigError> {
            let Some(value) = Secret::of_variable(self.environment, name)? else { return Ok(None) };
            Ok(Some(Given { value, source: self.environment_source(name), name: name.to_owned() }))
        };
        let auth_key = key::NAMES.into_iter().find(|name| self.environment.get(name).is_some());
        let client_id = self.environment.get("TS_CLIENT_ID").map(|value| Given {
            value: value.trim().to_owned(),
            source: self.environment_source("TS_CLIENT_ID"),
            name: "TS_CLIENT_ID".to_owned(),
        });
        Ok(Layer {
            auth_key: auth_key.map(secret).transpose()?.flatten(),
            client_secret: secret("TS_CLIENT_SECRET")?,
            client_id,
            id_token: secret("TS_ID_TOKEN")?,
        })
    }

    fn credentials_of_file(&self, file: &File) -> Layer {
        let secret = |name: &'static str, path: &Option<PathBuf>| {
            let source = self.file_source(&[name.into()]);
            let secret =
                Secret::File { name: format!("{source}: {name}"), path: beside(self.path, path.as_deref()?) };
            Some(Given { value: secret, source, name: name.to_owned() })
        };
        Layer {
            auth_key: secret("auth_key_file", &file.auth_key_file),
            client_secret: secret("client_secret_file", &file.client_secret_file),
            client_id: file.client_id.clone().map(|value| Given {
                value,
                source: self.file_source(&[CLIENT_ID.into()]),
                name: CLIENT_ID.to_owned(),
            }),
            id_token: secret("id_token_file", &file.id_token_file),
        }
    }

    /// Two credentials in one layer are a mistake: one of them would be left out in silence.
    fn only_one(&mut self, layer: &Layer) {
        let Layer { auth_key, client_secret, client_id, id_token } = layer;
        let place = |given: &Given<Secret>| (given.name.clone(), given.source.clone());
        let client = client_id.as_ref().map(|given| (given.name.clone(), given.source.clone()));
        let token = id_token.as_ref().map(place);
        let secret = client_secret.as_ref().map(place);
        let (first, second) = match (auth_key, client_secret) {
            (Some(key), _) => (key, secret.or(token).or(client)),
            (None, Some(secret)) => (secret, token),
            (None, None) => return,
        };
        if let Some((name, source)) = second {
            let message = format!("{} lets the node in already, and only one of them can", first.name);
            self.credentials_problem(
                &name,
                &source,
                &message,
                &format!("leave {name} out, or {}", first.name),
            );
        }
    }

    /// An OAuth client and a workload let in nodes with tags alone.
    pub(super) fn tags_for(&mut self, key: &KeySource, tags: &[String]) {
        let needs = match key {
            KeySource::ClientSecret(_) | KeySource::Workload { .. } => true,
            KeySource::AuthKey(Secret::Value { value, .. }) => value.is_client_secret(),
            _ => false,
        };
        let of = |setting: &&Setting| [AUTH_KEY, CLIENT_SECRET, CLIENT_ID].contains(&setting.key.as_str());
        let Some(source) = self.settings.iter().find(of).map(|s| s.source.clone()) else { return };
        if needs && tags.is_empty() {
            let name = match (&source, key) {
                (Source::Environment { name, .. }, _) => name.clone(),
                (_, KeySource::ClientSecret(_)) => "client_secret_file".to_owned(),
                _ => CLIENT_ID.to_owned(),
            };
            self.credentials_problem(
                &name,
                &source,
                "an OAuth client or a workload identity lets in nodes with tags only, and none are given",
                "give the client's tags, as tags: [tag:name], --tag tag:name or KOLABOREE_TAGS",
            );
        }
    }

    fn credentials_problem(&mut self, name: &str, source: &Source, message: &str, remedy: &str) {
        let (message, remedy) = (message.to_owned(), remedy.to_owned());
        self.problems.push(match source {
            Source::File { path, .. } => {
                let place = self.document.place_of(&[name.into()]).map(|p| (p.line, p.column));
                Problem { file: path.clone(), place, path: name.to_owned(), message, remedy }
            }
            _ => Problem::of_variable(self.environment, name, message, remedy),
        });
    }
}
