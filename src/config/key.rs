//! The key that lets the node in, and where it comes from.

use std::fmt;
use std::io;
use std::path::PathBuf;

use tailnet::{AuthKey, InvalidAuthKey};

use super::{Environment, names, text};

/// The names for an auth key: the guide's, then those of Tailscale's own container image.
pub(super) const NAMES: [&str; 3] = ["TAILSCALE_AUTH_KEY", "TS_AUTHKEY", "TS_AUTH_KEY"];

/// A key that lets the node in, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Key {
    /// An auth key.
    Auth(AuthKey),
    /// An OAuth client secret, with which the node makes itself an auth key. It needs tags.
    ClientSecret(AuthKey),
    /// A workload identity, with which the node makes itself an auth key. It needs tags.
    Workload {
        /// The client that the tailnet has for the workload.
        client_id: String,
        /// The token by which the workload's own provider vouches for it.
        id_token: AuthKey,
    },
}

/// Where the key comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// There is none: the node needs an identity in its state folder, or a person's login.
    #[default]
    None,
    /// An auth key; a text that is an OAuth client secret is taken as one.
    AuthKey(Secret),
    /// An OAuth client secret.
    ClientSecret(Secret),
    /// A workload identity.
    Workload {
        /// The client that the tailnet has for the workload.
        client_id: String,
        /// The token by which the workload's own provider vouches for it.
        id_token: Secret,
    },
}

/// A secret, or the file that holds it. A file is read again whenever the secret is needed, so that a new one can be put
/// there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// The secret itself.
    Value {
        /// The variable that holds it.
        name: String,
        /// The secret.
        value: AuthKey,
    },
    /// A file.
    File {
        /// The variable, flag or key of the configuration that names it.
        name: String,
        /// The file.
        path: PathBuf,
    },
}

/// Why a key cannot be used. It never repeats the key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The value is no secret.
    #[error("{name}: the value is empty, or has white space or control characters in it")]
    Invalid {
        /// The variable, or the file.
        name: String,
    },
    /// The value has quotes around it.
    #[error("{name}: the quotes are a part of the value")]
    Quoted {
        /// The variable, or the file.
        name: String,
    },
    /// The value has parameters that are for an OAuth client secret.
    #[error("{name}: what stands behind the ? is for OAuth client secrets only, and this is none")]
    Parameters {
        /// The variable, or the file.
        name: String,
    },
    /// The value is the example's.
    #[error("{name} still has the example's value: put your own key there (or remove it to use the sandbox)")]
    Example {
        /// The variable, or the file.
        name: String,
    },
    /// The value is no OAuth client secret.
    #[error("{name}: the value is no OAuth client secret, which begins with tskey-client-")]
    NoClientSecret {
        /// The variable, or the file.
        name: String,
    },
    /// The file cannot be read.
    #[error("{name} names the file {path}, which cannot be read: {source}")]
    File {
        /// The variable, flag or key of the configuration.
        name: String,
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl KeyError {
    /// The remedy.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            KeyError::Example { .. } => {
                "put your own key there; make one in Tailscale's admin console (Settings, Keys)"
            }
            KeyError::Invalid { .. } => {
                "copy the whole value; a reusable auth key is made in Tailscale's admin console (Settings, Keys)"
            }
            KeyError::Quoted { .. } => {
                "write it without quotes: where no shell reads the file, they are not taken off"
            }
            KeyError::Parameters { .. } => {
                "leave the ? and all behind it out: whether a node is ephemeral, an auth key says by itself; if nothing stands before the ?, the variable that should is not set"
            }
            KeyError::NoClientSecret { .. } => {
                "copy the client's secret, which is shown once, when the client is made (Settings, OAuth clients); an auth key belongs into TAILSCALE_AUTH_KEY or auth_key_file"
            }
            KeyError::File { .. } => {
                "put the value into that file, readable for this user, or name another file"
            }
        }
    }
}

impl KeySource {
    /// The environment's way into the tailnet, for a program that reads no configuration: an auth key before a client's
    /// secret before a workload identity.
    ///
    /// # Errors
    /// When a value is no secret.
    pub fn from_environment(environment: &Environment) -> Result<KeySource, KeyError> {
        let secret = |name| Secret::of_variable(environment, name);
        for name in NAMES {
            if let Some(key) = secret(name)? {
                return Ok(KeySource::AuthKey(key));
            }
        }
        if let Some(key) = secret("TS_CLIENT_SECRET")? {
            return Ok(KeySource::ClientSecret(key));
        }
        Ok(match (environment.get("TS_CLIENT_ID"), secret("TS_ID_TOKEN")?) {
            (Some(client), Some(id_token)) => {
                KeySource::Workload { client_id: client.trim().to_owned(), id_token }
            }
            _ => KeySource::None,
        })
    }

    /// The key of this moment. This waits for the disk.
    ///
    /// # Errors
    /// When a file cannot be read, or holds no key.
    pub fn read(&self) -> Result<Option<Key>, KeyError> {
        Ok(Some(match self {
            KeySource::None => return Ok(None),
            KeySource::AuthKey(secret) => match secret.read()? {
                key if key.is_client_secret() => Key::ClientSecret(key),
                key => Key::Auth(key),
            },
            KeySource::ClientSecret(secret) => match secret.read()? {
                key if key.is_client_secret() => Key::ClientSecret(key),
                _ => return Err(KeyError::NoClientSecret { name: secret.place() }),
            },
            KeySource::Workload { client_id, id_token } => {
                Key::Workload { client_id: client_id.clone(), id_token: id_token.read()? }
            }
        }))
    }

    /// The secret of it.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            KeySource::None => None,
            KeySource::AuthKey(secret) | KeySource::ClientSecret(secret) => Some(secret),
            KeySource::Workload { id_token, .. } => Some(id_token),
        }
    }
}

impl Secret {
    /// The secret in a variable: its value, or `file:` and the path of a file that holds it.
    ///
    /// # Errors
    /// When the value is no secret.
    pub(super) fn of_variable(environment: &Environment, name: &str) -> Result<Option<Secret>, KeyError> {
        let Some(value) = environment.get(name) else { return Ok(None) };
        let named = environment.written(name);
        Ok(Some(match value.trim().strip_prefix("file:") {
            Some(path) => Secret::File { name: named, path: path.into() },
            None => Secret::Value { name: named, value: parse(&environment.told(name), value)? },
        }))
    }

    /// The secret of this moment. This waits for the disk.
    fn read(&self) -> Result<AuthKey, KeyError> {
        match self {
            Secret::Value { value, .. } => Ok(value.clone()),
            Secret::File { name, path } => {
                let text = text::read(path).map_err(|source| KeyError::File {
                    name: name.clone(),
                    path: path.display().to_string(),
                    source,
                })?;
                parse(&path.display().to_string(), &text)
            }
        }
    }

    /// The variable or file that holds it.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Secret::Value { name, .. } => name.clone(),
            Secret::File { path, .. } => path.display().to_string(),
        }
    }
}

/// Without the secret.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Value { .. } => f.write_str("[redacted]"),
            Secret::File { path, .. } => write!(f, "file:{}", path.display()),
        }
    }
}

fn parse(name: &str, text: &str) -> Result<AuthKey, KeyError> {
    let name = name.to_owned();
    if text.contains("xxxxxxxx") {
        return Err(KeyError::Example { name });
    }
    if names::in_quotes(text) {
        return Err(KeyError::Quoted { name });
    }
    if let Some((before, _)) = text.trim().split_once('?')
        && (before.is_empty() || before.starts_with("tskey-auth-"))
    {
        return Err(KeyError::Parameters { name });
    }
    text.parse().map_err(|_: InvalidAuthKey| KeyError::Invalid { name })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(name: &str, value: &str) -> Result<Secret, KeyError> {
        Secret::of_variable(&[(name, value)].into_iter().collect(), name).map(Option::unwrap)
    }

    fn auth_key(value: &str) -> Result<KeySource, KeyError> {
        of("TS_AUTHKEY", value).map(KeySource::AuthKey)
    }

    #[test]
    fn the_environment_alone_gives_the_first_of_its_keys() {
        let key = |pairs: &[(&str, &str)]| {
            KeySource::from_environment(&pairs.iter().copied().collect()).unwrap().read().unwrap()
        };
        for name in NAMES {
            assert_eq!(
                key(&[(name, "tskey-auth-a"), ("TS_CLIENT_SECRET", "tskey-client-a")]),
                auth("tskey-auth-a")
            );
        }
        assert_eq!(key(&[("TAILSCALE_AUTH_KEY", ""), ("TS_AUTHKEY", "k")]), auth("k"));
        assert!(matches!(key(&[("TS_CLIENT_SECRET", "tskey-client-a")]), Some(Key::ClientSecret(_))));
        let workload = key(&[("TS_CLIENT_ID", "c"), ("TS_ID_TOKEN", "t")]);
        assert!(matches!(workload, Some(Key::Workload { client_id, .. }) if client_id == "c"));
        assert_eq!(key(&[]), None);
    }

    fn auth(text: &str) -> Option<Key> {
        Some(Key::Auth(text.parse().unwrap()))
    }

    #[test]
    fn a_key_in_a_file_is_read_anew_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "tskey-auth-file\n").unwrap();
        let source = auth_key(&format!("file:{}", file.path().display())).unwrap();
        assert_eq!(source.read().unwrap(), auth("tskey-auth-file"));
        fs::write(file.path(), "tskey-auth-new\n").unwrap();
        assert_eq!(source.read().unwrap(), auth("tskey-auth-new"));
        let error = auth_key("file:/nonexistent").unwrap().read().unwrap_err();
        assert!(error.to_string().contains("/nonexistent"), "{error}");
    }

    #[test]
    fn what_people_leave_around_a_key_is_taken_off_or_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let source = auth_key(&format!("file:{}", file.path().display())).unwrap();
        fs::write(file.path(), "\u{feff}tskey-auth-file\r\n").unwrap();
        assert_eq!(source.read().unwrap(), auth("tskey-auth-file"));
        for (text, expected) in [
            ("\"tskey-auth-hush\"\n", "the quotes are a part of the value"),
            ("'tskey-auth-hush'", "the quotes are a part of the value"),
            ("tskey-auth-hush?ephemeral=false", "for OAuth client secrets only"),
            ("?ephemeral=false", "for OAuth client secrets only"),
        ] {
            fs::write(file.path(), text).unwrap();
            let error = source.read().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error} {error:?} {}", error.remedy()).contains("hush"));
            assert_eq!(
                auth_key(text).unwrap_err().to_string(),
                format!("TS_AUTHKEY: {}", error.to_string().split(": ").nth(1).unwrap())
            );
        }
    }

    #[test]
    fn a_clients_secret_is_known_by_its_shape_and_needed_where_one_is_named() {
        let secret = "tskey-client-a?ephemeral=true";
        let key = Some(Key::ClientSecret(secret.parse().unwrap()));
        assert_eq!(auth_key(secret).unwrap().read().unwrap(), key);
        let named = |value| of("TS_CLIENT_SECRET", value).map(KeySource::ClientSecret).unwrap();
        assert_eq!(named(secret).read().unwrap(), key);
        let error = named("tskey-auth-hush").read().unwrap_err().to_string();
        assert!(error.starts_with("TS_CLIENT_SECRET: ") && !error.contains("hush"), "{error}");
    }

    #[test]
    fn a_bad_key_is_told_and_not_repeated() {
        let error = auth_key("tskey-auth-hush two").unwrap_err();
        assert!(error.to_string().starts_with("TS_AUTHKEY"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"));
        let example =
            include_str!("../../.env.example").lines().find_map(|l| l.strip_prefix("TAILSCALE_AUTH_KEY="));
        assert!(matches!(auth_key(example.unwrap()), Err(KeyError::Example { .. })));
        let shown = auth_key("tskey-hush").unwrap();
        assert!(!format!("{} {shown:?}", shown.secret().unwrap()).contains("hush"));
    }
}
