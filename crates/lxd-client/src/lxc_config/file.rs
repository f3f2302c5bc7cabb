//! Reads the files of a configuration. The only use of serde_yaml, which is no longer maintained: `deny.toml` names its
//! successors, and a change to one touches this file alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{LxcConfigError, Remote};

/// A `config.yml`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct ConfigFile {
    pub(super) default_remote: Option<String>,
    pub(super) remotes: Option<BTreeMap<String, Remote>>,
    pub(super) aliases: Option<BTreeMap<String, String>>,
}

/// The `config.yml` of a folder, where there is one.
pub(super) fn config(folder: &Path) -> Result<Option<ConfigFile>, LxcConfigError> {
    let path = folder.join("config.yml");
    let Some(text) = read(&path)? else { return Ok(None) };
    let config: Option<ConfigFile> = serde_yaml::from_str(&text).map_err(|e| LxcConfigError::Malformed {
        path: path.display().to_string(),
        message: e.to_string(),
        source: Some(e.into()),
    })?;
    Ok(Some(config.unwrap_or_default()))
}

/// A file's text, where there is one.
pub(super) fn read(path: &Path) -> Result<Option<String>, LxcConfigError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(file_error(path)(error)),
    }
}

/// The first of several files that is there.
pub(super) fn first_of<const N: usize>(
    paths: [PathBuf; N],
) -> Result<Option<(PathBuf, String)>, LxcConfigError> {
    for path in paths {
        if let Some(text) = read(&path)? {
            return Ok(Some((path, text)));
        }
    }
    Ok(None)
}

pub(super) fn file_error(path: &Path) -> impl Fn(std::io::Error) -> LxcConfigError {
    let path = path.display().to_string();
    move |source| LxcConfigError::File { path: path.clone(), source }
}
