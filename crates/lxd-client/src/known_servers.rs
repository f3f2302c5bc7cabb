//! Servers that were trusted before, as `lxc` keeps them: `servercerts/NAME.crt`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use rustls::pki_types::CertificateDer;

use crate::client::fetch_certificate;
use crate::{Connect, Error, Fingerprint, ServerTrust, pem, private};

/// A folder with the certificates of the servers that were trusted, one file each, in `lxc`'s format.
#[derive(Clone, Debug)]
pub struct KnownServers {
    folder: PathBuf,
}

impl KnownServers {
    /// The store in this folder, which is made with the first server.
    #[must_use]
    pub fn new(folder: &Path) -> KnownServers {
        KnownServers { folder: folder.to_owned() }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
            return Err(Error::config(format!("{name:?} is not a name of a server")));
        }
        Ok(self.folder.join(format!("{name}.crt")))
    }

    /// The fingerprint of a server that is known, or `None`.
    ///
    /// # Errors
    /// When its file cannot be read, or is no certificate.
    pub fn get(&self, name: &str) -> Result<Option<Fingerprint>, Error> {
        let path = self.path(name)?;
        let local = |source| Error::Local { message: path.display().to_string(), source };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(local(error)),
        };
        let certificates = pem::certificates(&text).map_err(|e| local(std::io::Error::other(e)))?;
        Ok(Some(Fingerprint::of(&certificates[0])))
    }

    /// Forgets a server: the next [`trust`](KnownServers::trust) asks about it again.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub fn forget(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Local { message: path.display().to_string(), source: error })
            }
            _ => Ok(()),
        }
    }

    /// How to verify a server. A server that is known is verified by its stored certificate. For another one, the
    /// certificate that it shows now is stored, if `accept` agrees to its fingerprint.
    ///
    /// When a known server shows another certificate, the client fails with [`Error::WrongFingerprint`], until the
    /// server is [forgotten](KnownServers::forget).
    ///
    /// # Errors
    /// [`Error::NotTrusted`] when `accept` says no; when there is no connection, or the store cannot be used.
    pub async fn trust(
        &self,
        name: &str,
        server: Uri,
        connector: impl Connect,
        timeout: Duration,
        accept: impl AsyncFnOnce(Fingerprint) -> bool,
    ) -> Result<ServerTrust, Error> {
        if let Some(known) = self.get(name)? {
            return Ok(ServerTrust::Fingerprint(known));
        }
        let certificate = fetch_certificate(server, connector, timeout).await?;
        let fingerprint = Fingerprint::of(&certificate);
        if !accept(fingerprint).await {
            let message = format!("the fingerprint {fingerprint} of {name} was not accepted");
            return Err(Error::NotTrusted { message });
        }
        self.store(name, &certificate)?;
        Ok(ServerTrust::Fingerprint(fingerprint))
    }

    fn store(&self, name: &str, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let path = self.path(name)?;
        let written = private::make_folder(&self.folder)
            .and_then(|()| private::replace(&path, &to_pem(certificate), 0o644));
        written.map_err(|source| Error::Local { message: path.display().to_string(), source })
    }
}

fn to_pem(certificate: &CertificateDer<'_>) -> String {
    let base64 = STANDARD.encode(certificate);
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for line in base64.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}
