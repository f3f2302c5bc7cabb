use std::fs;
use std::io;

use tailnet::{AuthKey, InvalidAuthKey};

use crate::Environment;

/// The names for the auth key: the guide's, then those of Tailscale's own container image.
const NAMES: [&str; 3] = ["TAILSCALE_AUTH_KEY", "TS_AUTHKEY", "TS_AUTH_KEY"];

/// Why the environment's auth key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The value is no key.
    #[error("{name}: {source}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Why.
        source: InvalidAuthKey,
    },
    /// The value is the example's.
    #[error("{name} still has the example's value: put your own key there (or remove it to use the sandbox)")]
    Example {
        /// The variable.
        name: &'static str,
    },
    /// The file that the value names cannot be read.
    #[error("{name} names the file {path}, which cannot be read")]
    File {
        /// The variable.
        name: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
}

/// The auth key in the environment: `TAILSCALE_AUTH_KEY`, `TS_AUTHKEY` or `TS_AUTH_KEY`, whose value is the
/// key or `file:` and the path of a file that holds it. `None` when none is set.
///
/// # Errors
/// When the value is no key or its file cannot be read. The value is never repeated.
pub fn auth_key(environment: &Environment) -> Result<Option<AuthKey>, KeyError> {
    let Some((name, value)) = NAMES.into_iter().find_map(|name| Some((name, environment.get(name)?))) else {
        return Ok(None);
    };
    let text = match value.trim().strip_prefix("file:") {
        None => value.to_owned(),
        Some(path) => fs::read_to_string(path).map_err(|source| KeyError::File {
            name,
            path: path.to_owned(),
            source,
        })?,
    };
    if text.contains("xxxxxxxx") {
        return Err(KeyError::Example { name });
    }
    text.parse().map(Some).map_err(|source| KeyError::Invalid { name, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(pairs: &[(&str, &str)]) -> Result<Option<AuthKey>, KeyError> {
        auth_key(&pairs.iter().copied().collect())
    }

    #[test]
    fn the_key_is_found_under_each_name_the_guides_first() {
        let key = |text: &str| Some(text.parse::<AuthKey>().unwrap());
        for name in NAMES {
            assert_eq!(key_of(&[(name, "tskey-auth-a")]).unwrap(), key("tskey-auth-a"));
        }
        let both = [("TS_AUTHKEY", "tskey-auth-b"), ("TAILSCALE_AUTH_KEY", "tskey-auth-a")];
        assert_eq!(key_of(&both).unwrap(), key("tskey-auth-a"));
        assert_eq!(key_of(&[("TAILSCALE_AUTH_KEY", ""), ("TS_AUTHKEY", "k")]).unwrap(), key("k"));
        assert_eq!(key_of(&[]).unwrap(), None);
    }

    #[test]
    fn the_key_may_be_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "tskey-auth-file\n").unwrap();
        let value = format!("file:{}", file.path().display());
        assert_eq!(key_of(&[("TS_AUTHKEY", &value)]).unwrap(), Some("tskey-auth-file".parse().unwrap()));
        let error = key_of(&[("TS_AUTHKEY", "file:/nonexistent")]).unwrap_err();
        assert!(error.to_string().contains("/nonexistent"), "{error}");
    }

    #[test]
    fn a_bad_key_is_told_and_not_repeated() {
        let error = key_of(&[("TS_AUTHKEY", "tskey-auth-hush two")]).unwrap_err();
        assert!(error.to_string().starts_with("TS_AUTHKEY"), "{error}");
        assert!(!format!("{error} {error:?}").contains("hush"));
        let example =
            include_str!("../.env.example").lines().find_map(|l| l.strip_prefix("TAILSCALE_AUTH_KEY="));
        assert!(matches!(key_of(&[("TS_AUTHKEY", example.unwrap())]), Err(KeyError::Example { .. })));
    }
}
