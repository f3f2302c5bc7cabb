//! The configuration of the command-line client `lxc` (and `incus`): `config.yml` with its certificates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Uri;
use serde::Deserialize;

use crate::{Client, Connect, Error, Identity, IdentityError, KnownServers, ServerTrust};

/// What `lxc` knows: its remotes, its certificate and those of the servers.
///
/// ```no_run
/// # async fn example(connector: impl lxd_client::Connect) -> Result<(), Box<dyn std::error::Error>> {
/// use lxd_client::LxcConfig;
///
/// let config = LxcConfig::load(&LxcConfig::usual_folder().ok_or("no home")?)?;
/// let client = config.client("berlin", connector, std::time::Duration::from_secs(30))?;
/// println!("{}", client.instances().await?.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LxcConfig {
    folder: PathBuf,
    parsed: Parsed,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Parsed {
    default_remote: String,
    remotes: BTreeMap<String, Remote>,
}

/// A server that `lxc` has a name for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Remote {
    /// `https://host:port`, or `unix:` with or without a path.
    pub addr: String,
    /// `lxd`, `incus`, `oci` or `simplestreams`; nothing is `lxd`.
    pub protocol: String,
    /// Whether it is used without a certificate.
    pub public: bool,
    /// The project to use there.
    pub project: String,
}

/// Why a configuration of `lxc` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LxcConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// `config.yml` is not what `lxc` writes.
    #[error("{path}: {message}")]
    Malformed {
        /// Which file.
        path: String,
        /// What is wrong, and where.
        message: String,
    },
    /// There is no remote of that name, or it is none that this client can talk to.
    #[error("the remote {name:?}: {reason}")]
    Remote {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The client's certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// A client could not be made.
    #[error(transparent)]
    Client(#[from] Error),
}

impl LxcConfig {
    /// Where `lxc` keeps it: `$LXD_CONF`, the snap's folder when there is one, or `~/.config/lxc`.
    #[must_use]
    pub fn usual_folder() -> Option<PathBuf> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(folder) = set("LXD_CONF") {
            return Some(folder);
        }
        let home = set("HOME")?;
        let snap = home.join("snap/lxd/common/config");
        Some(if snap.join("config.yml").exists() { snap } else { home.join(".config/lxc") })
    }

    /// Reads the configuration in a folder. This waits for the disk.
    ///
    /// # Errors
    /// When `config.yml` cannot be read, or is not what `lxc` writes.
    pub fn load(folder: &Path) -> Result<LxcConfig, LxcConfigError> {
        let path = folder.join("config.yml");
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path)
            .map_err(|source| LxcConfigError::File { path: name.clone(), source })?;
        let parsed = serde_yaml::from_str(&text)
            .map_err(|e| LxcConfigError::Malformed { path: name, message: e.to_string() })?;
        Ok(LxcConfig { folder: folder.to_owned(), parsed })
    }

    /// The remotes by name.
    #[must_use]
    pub fn remotes(&self) -> &BTreeMap<String, Remote> {
        &self.parsed.remotes
    }

    /// The remote that `lxc` uses when none is named.
    #[must_use]
    pub fn default_remote(&self) -> &str {
        &self.parsed.default_remote
    }

    /// A client of a remote, in its project, with `lxc`'s certificate, to the certificate that `lxc` knows
    /// it by, or else to one that the system's authorities vouch for. This waits for the disk.
    ///
    /// # Errors
    /// When there is no such remote, or a file is not what it should be.
    pub fn client(
        &self,
        name: &str,
        connector: impl Connect,
        timeout: Duration,
    ) -> Result<Client, LxcConfigError> {
        let refuse =
            |reason: &str| LxcConfigError::Remote { name: name.to_owned(), reason: reason.to_owned() };
        let remote = self.parsed.remotes.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.parsed.remotes.keys().map(String::as_str).collect();
            refuse(&format!("there is none of that name; there are {}", known.join(", ")))
        })?;
        if !matches!(remote.protocol.as_str(), "" | "lxd" | "incus") {
            return Err(refuse(&format!("it speaks {}, which is no API of LXD", remote.protocol)));
        }
        let client = if let Some(path) = remote.addr.strip_prefix("unix:") {
            match path.trim_start_matches("//") {
                "" => Client::local(timeout)?,
                path => Client::unix(Path::new(path), timeout)?,
            }
        } else {
            let uri: Uri = remote.addr.parse().map_err(|_| refuse("its address is not a URL"))?;
            let known = KnownServers::new(&self.folder.join("servercerts")).get(name)?;
            let trust = known.map_or(ServerTrust::SystemRoots, ServerTrust::Fingerprint);
            let mut builder = Client::builder(uri, connector).trust(trust).timeout(timeout);
            if let Some(identity) = self.identity().filter(|_| !remote.public) {
                builder = builder.identity(identity?);
            }
            builder.build()?
        };
        Ok(if remote.project.is_empty() { client } else { client.project(&remote.project) })
    }

    /// `lxc`'s certificate, where it has made one.
    fn identity(&self) -> Option<Result<Identity, LxcConfigError>> {
        let (certificate, key) = (self.folder.join("client.crt"), self.folder.join("client.key"));
        if !certificate.exists() {
            return None;
        }
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map_err(|source| LxcConfigError::File { path: path.display().to_string(), source })
        };
        let identity = || Ok(Identity::from_pem(&read(&certificate)?, &read(&key)?)?);
        Some(identity())
    }
}
