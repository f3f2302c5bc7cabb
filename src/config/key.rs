//! The key that lets the node in, and where it comes from.

use std::fmt;
use std::fs;
use std::io;
use std::path::PathBuf;

use tailnet::{AuthKey, InvalidAuthKey};

use super::Environment;

/// The names for the key: the guide's, then those of Tailscale's own container image.
pub(super) const NAMES: [&str; 4] = ["TAILSCALE_AUTH_KEY", "TS_AUTHKEY", "TS_AUTH_KEY", "TS_CLIENT_SECRET"];

/// What an OAuth client secret begins with.
const CLIENT_SECRET: &str = "tskey-client-";

/// A key, by its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Key {
    /// An auth key.
    Auth(AuthKey),
    /// An OAuth client secret, with which the node makes itself an auth key. It needs tags.
    ClientSecret(AuthKey),
}

/// Where the key comes from. A file is read again whenever a key is needed, so that a new one can be put there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// There is none: the node needs an identity in its state folder, or a person's login.
    #[default]
    None,
    /// The key itself.
    Value {
        /// The variable that holds it.
        name: String,
        /// The key.
        key: Key,
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
    /// The value is no key.
    #[error("{name}: {source}; make a key in Tailscale's admin console (Settings, Keys)")]
    Invalid {
        /// The variable, or the file.
        name: String,
        /// Why.
        source: InvalidAuthKey,
    },
    /// The value is the example's.
    #[error("{name} still has the example's value: put your own key there (or remove it to use the sandbox)")]
    Example {
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

impl KeySource {
    /// The first of the environment's variables that is set: its value is the key, or `file:` and the path of a file that
    /// holds it.
    ///
    /// # Errors
    /// When the value is no key.
    pub fn from_environment(environment: &Environment) -> Result<KeySource, KeyError> {
        let Some((name, value)) = NAMES.into_iter().find_map(|name| Some((name, environment.get(name)?)))
        else {
            return Ok(KeySource::None);
        };
        let name = name.to_owned();
        match value.trim().strip_prefix("file:") {
            Some(path) => Ok(KeySource::File { name, path: path.into() }),
            None => Ok(KeySource::Value { key: parse(&name, value)?, name }),
        }
    }

    /// The key of this moment. This waits for the disk.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no key.
    pub fn read(&self) -> Result<Option<Key>, KeyError> {
        match self {
            KeySource::None => Ok(None),
            KeySource::Value { key, .. } => Ok(Some(key.clone())),
            KeySource::File { name, path } => {
                let text = fs::read_to_string(path).map_err(|source| KeyError::File {
                    name: name.clone(),
                    path: path.display().to_string(),
                    source,
                })?;
                parse(&path.display().to_string(), &text).map(Some)
            }
        }
    }
}

/// Without the key.
impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::None => f.write_str("none"),
            KeySource::Value { .. } => f.write_str("[redacted]"),
            KeySource::File { path, .. } => write!(f, "file:{}", path.display()),
        }
    }
}

fn parse(name: &str, text: &str) -> Result<Key, KeyError> {
    let name = name.to_owned();
    if text.contains("xxxxxxxx") {
        return Err(KeyError::Example { name });
    }
    let key: AuthKey = text.parse().map_err(|source| KeyError::Invalid { name, source })?;
    Ok(if text.trim().starts_with(CLIENT_SECRET) { Key::ClientSecret(key) } else { Key::Auth(key) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(pairs: &[(&str, &str)]) -> Result<Option<Key>, KeyError> {
        KeySource::from_environment(&pairs.iter().copied().collect())?.read()
    }

    fn auth(text: &str) -> Option<Key> {
        Some(Key::Auth(text.parse().unwrap()))
    }

    #[test]
    fn the_key_is_found_under_each_name_the_guides_first() {
        for name in NAMES {
            assert_eq!(key_of(&[(name, "tskey-auth-a")]).unwrap(), auth("tskey-auth-a"));
        }
        let both = [("TS_AUTHKEY", "tskey-auth-b"), ("TAILSCALE_AUTH_KEY", "tskey-auth-a")];
        assert_eq!(key_of(&both).unwrap(), auth("tskey-auth-a"));
        assert_eq!(key_of(&[("TAILSCALE_AUTH_KEY", ""), ("TS_AUTHKEY", "k")]).unwrap(), auth("k"));
        assert_eq!(key_of(&[]).unwrap(), None);
        let secret = key_of(&[("TS_AUTHKEY", "tskey-client-a?ephemeral=true")]).unwrap();
        assert!(matches!(secret, Some(Key::ClientSecret(_))));
    }

    #[test]
    fn a_key_in_a_file_is_read_anew_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "tskey-auth-file\n").unwrap();
        let value = format!("file:{}", file.path().display());
        let source = KeySource::from_environment(&[("TS_AUTHKEY", &value)].into_iter().collect()).unwrap();
        assert_eq!(source.read().unwrap(), auth("tskey-auth-file"));
        fs::write(file.path(), "tskey-auth-new\n").unwrap();
        assert_eq!(source.read().unwrap(), auth("tskey-auth-new"));
        let error = key_of(&[("TS_AUTHKEY", "file:/nonexistent")]).unwrap_err();
        assert!(error.to_string().contains("/nonexistent"), "{error}");
    }

    #[test]
    fn a_bad_key_is_told_and_not_repeated() {
        let error = key_of(&[("TS_AUTHKEY", "tskey-auth-hush two")]).unwrap_err();
        assert!(error.to_string().starts_with("TS_AUTHKEY"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"));
        let example =
            include_str!("../../.env.example").lines().find_map(|l| l.strip_prefix("TAILSCALE_AUTH_KEY="));
        assert!(matches!(key_of(&[("TS_AUTHKEY", example.unwrap())]), Err(KeyError::Example { .. })));
        let shown =
            KeySource::from_environment(&[("TS_AUTHKEY", "tskey-hush")].into_iter().collect()).unwrap();
        assert!(!format!("{shown} {shown:?}").contains("hush"));
    }
}
