//! A server that `lxc` has a name for, and a client of it.

use std::path::Path;
use std::time::Duration;

use http::Uri;
use serde::{Deserialize, Serialize};

use super::file::{file_error, first_of, read};
use super::tool::environment;
use super::{LxcConfig, LxcConfigError};
use crate::{Authorities, Client, Connect, Identity, KnownServers, ServerTrust};

/// A server that `lxc` has a name for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Remote {
    /// `https://host:port`, or `unix:` with or without a path. Without a port it is 443, as for `lxc`.
    pub addr: String,
    /// `lxd`, `incus`, `oci` or `simplestreams`; nothing is `lxd`.
    pub protocol: String,
    /// `tls`, `oidc` or `candid`; nothing is `tls`.
    pub auth_type: String,
    /// Whether it is used without a certificate.
    pub public: bool,
    /// The project to use there.
    pub project: String,
    /// How many seconds `incus` keeps a connection in the background; a client here keeps its own.
    pub keepalive: u64,
    /// Whether it comes from the folder of the machine.
    #[serde(skip)]
    pub global: bool,
}

impl LxcConfig {
    /// A client of a remote, in its project, with the certificate or the login that `lxc` has for it, to the
    /// certificate that `lxc` knows it by, or else to one for which the authority of `client.ca` vouches, or those of
    /// the system where there is no such file. This waits for the disk.
    ///
    /// # Errors
    /// When there is no such remote, or a file is not what it should be.
    pub fn client(
        &self,
        name: &str,
        connector: impl Connect,
        timeout: Duration,
    ) -> Result<Client, LxcConfigError> {
        let refuse = |reason: String| LxcConfigError::Remote { name: name.to_owned(), reason };
        let remote = self.remotes.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.remotes.keys().map(String::as_str).collect();
            refuse(format!("there is none of that name; there are {}", known.join(", ")))
        })?;
        match remote.protocol.as_str() {
            "" | "lxd" | "incus" => {}
            images @ ("simplestreams" | "oci") => {
                return Err(refuse(format!("it is a server of images ({images}), which has no instances")));
            }
            other => return Err(refuse(format!("it speaks {other}, which is no API of LXD"))),
        }
        let client = if let Some(path) = remote.addr.strip_prefix("unix:") {
            match path.strip_prefix("//").unwrap_or(path) {
                "" => self.tool.local(timeout, &environment)?,
                path => Client::unix(Path::new(path), timeout)?,
            }
        } else {
            let uri: Uri = remote.addr.parse().map_err(|_| refuse("its address is not a URL".to_owned()))?;
            let mut builder =
                Client::builder(uri, connector).trust(self.trust(name, remote)?).timeout(timeout);
            match remote.auth_type.as_str() {
                "oidc" => {
                    if let Some(token) = self.oidc_token(name)? {
                        builder = builder.bearer(&token);
                    }
                }
                "candid" => {
                    let reason = "it wants a login by Candid, which is not done here: use a certificate";
                    return Err(refuse(reason.to_owned()));
                }
                _ if remote.public => {}
                _ => {
                    if let Some(identity) = self.identity(name, remote)? {
                        builder = builder.identity(identity);
                    }
                }
            }
            builder.build()?
        };
        let project = self.project.as_deref().unwrap_or(&remote.project);
        Ok(if project.is_empty() { client } else { client.project(project) })
    }

    /// The folder that has what belongs to a remote.
    fn home(&self, remote: &Remote) -> &Path {
        if remote.global { &self.global_folder } else { &self.folder }
    }

    pub(super) fn trust(&self, name: &str, remote: &Remote) -> Result<ServerTrust, LxcConfigError> {
        if let Some(pin) = KnownServers::new(&self.home(remote).join("servercerts")).get(name)? {
            return Ok(ServerTrust::Fingerprint(pin));
        }
        let own = self.home(remote).join("clientcerts").join(format!("{name}.ca"));
        let Some((path, authority)) = first_of([own, self.folder.join("client.ca")])? else {
            return Ok(ServerTrust::SystemRoots);
        };
        let revoked = read(&self.folder.join("client.crl"))?;
        let authorities = Authorities::from_pem(&authority, revoked.as_deref());
        let authorities = authorities.map_err(|e| LxcConfigError::Malformed {
            path: path.display().to_string(),
            message: e.to_string(),
            source: Some(e.into()),
        })?;
        Ok(ServerTrust::Authorities(authorities))
    }

    /// The certificate for a remote, where there is one.
    pub(super) fn identity(&self, name: &str, remote: &Remote) -> Result<Option<Identity>, LxcConfigError> {
        let own = self.home(remote).join("clientcerts").join(format!("{name}.crt"));
        let Some((path, certificate)) = first_of([own, self.folder.join("client.crt")])? else {
            return Ok(None);
        };
        let key = path.with_extension("key");
        let key = std::fs::read_to_string(&key).map_err(file_error(&key))?;
        let failed = |source| LxcConfigError::Identity { path: path.display().to_string(), source };
        Identity::from_pem(&certificate, &zeroize::Zeroizing::new(key)).map(Some).map_err(failed)
    }

    /// The token of the last login, which may have expired.
    pub(super) fn oidc_token(&self, name: &str) -> Result<Option<String>, LxcConfigError> {
        #[derive(Deserialize)]
        struct Tokens {
            #[serde(default)]
            access_token: String,
        }

        let path = self.folder.join("oidctokens").join(format!("{name}.json"));
        let Some(json) = read(&path)? else { return Ok(None) };
        // The file's text is secret, and serde's error would repeat some of it.
        let malformed = |_| LxcConfigError::Malformed {
            path: path.display().to_string(),
            message: "it is not the JSON of a login: log in again".to_owned(),
            source: None,
        };
        let tokens: Tokens = serde_json::from_str(&json).map_err(malformed)?;
        Ok(Some(tokens.access_token).filter(|token| !token.is_empty()))
    }
}
