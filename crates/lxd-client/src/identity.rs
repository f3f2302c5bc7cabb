use std::fmt;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use zeroize::{Zeroize, Zeroizing};

use crate::{Fingerprint, pem};

/// The certificate and key by which a server knows this client. `Debug` shows the fingerprint only, and the key's
/// bytes are overwritten when it is dropped.
#[derive(PartialEq, Eq)]
pub struct Identity {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why there is no usable [`Identity`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The certificate or the key is not what it should be.
    #[error("client {what}: {reason}")]
    Invalid {
        /// `certificate` or `key`.
        what: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A file of the pair cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The key could not be generated.
    #[error("cannot generate a client certificate")]
    Generate(#[from] rcgen::Error),
}

impl Identity {
    /// Reads a certificate (with those that vouch for it behind it) and its key, both PEM.
    ///
    /// # Errors
    /// When one of them is missing or malformed.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Identity, IdentityError> {
        let invalid = |what| move |reason| IdentityError::Invalid { what, reason };
        Ok(Identity {
            certificates: pem::certificates(certificate).map_err(invalid("certificate"))?,
            key: pem::private_key(key).map_err(invalid("key"))?,
        })
    }

    /// Makes a new self-signed certificate over a P-384 key, as `lxc` does, named `name`, and returns
    /// both as PEM: first the certificate, then the key, which is a secret.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate_pem(name: &str) -> Result<(String, String), IdentityError> {
        let key = new_key()?;
        Ok((Use::Client.certificate_pem(name, &key)?, key.serialize_pem()))
    }

    /// Reads `client.crt` and `client.key` from a folder, as `lxc` names them, and makes them first when
    /// neither is there. The key's file is for its owner only, and is written first: a key without a certificate is
    /// what a process left that was killed between the two, and gets its certificate then. This waits for the disk.
    ///
    /// # Errors
    /// When there is a certificate without its key, or they cannot be read or written.
    pub fn load_or_generate(folder: &Path, name: &str) -> Result<Identity, IdentityError> {
        load_or_generate(folder, name, Use::Client)
    }

    /// The same for a server on this machine, such as a [`Facade`](crate::Facade): `server.crt` and
    /// `server.key`, for `localhost` and its addresses.
    ///
    /// # Errors
    /// When there is a certificate without its key, or they cannot be read or written.
    pub fn load_or_generate_server(folder: &Path, name: &str) -> Result<Identity, IdentityError> {
        load_or_generate(folder, name, Use::Server)
    }

    /// The fingerprint under which servers store the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.certificate())
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificates[0] // from_pem refuses an empty list
    }

    /// For a handshake.
    pub(crate) fn certified_key(&self) -> Result<Arc<SingleCertAndKey>, rustls::Error> {
        // By reference, so that no other copy of the key's bytes is left behind.
        let key = rustls::crypto::ring::sign::any_supported_type(&self.key)?;
        let certified = CertifiedKey::new(self.certificates.clone(), key);
        certified.keys_match()?;
        Ok(Arc::new(certified.into()))
    }
}

impl Clone for Identity {
    fn clone(&self) -> Identity {
        Identity { certificates: self.certificates.clone(), key: self.key.clone_key() }
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

/// Who shows a certificate.
#[derive(Clone, Copy)]
enum Use {
    Client,
    Server,
}

impl Use {
    /// A self-signed certificate over the key.
    fn certificate_pem(self, name: &str, key: &rcgen::KeyPair) -> Result<String, rcgen::Error> {
        let (other_names, purpose) = match self {
            Use::Client => (Vec::new(), rcgen::ExtendedKeyUsagePurpose::ClientAuth),
            Use::Server => (
                ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec(),
                rcgen::ExtendedKeyUsagePurpose::ServerAuth,
            ),
        };
        let mut params = rcgen::CertificateParams::new(other_names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.key_usages =
            vec![rcgen::KeyUsagePurpose::DigitalSignature, rcgen::KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![purpose];
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2120, 1, 1);
        Ok(params.self_signed(key)?.pem())
    }
}

fn new_key() -> Result<rcgen::KeyPair, rcgen::Error> {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384)
}

/// Reads a pair of files, and makes what is not there, the key first. Of several that do so at once, the first to write a
/// file has written it for all.
fn load_or_generate(folder: &Path, name: &str, usage: Use) -> Result<Identity, IdentityError> {
    let stem = match usage {
        Use::Client => "client",
        Use::Server => "server",
    };
    let (certificate, key) = (folder.join(format!("{stem}.crt")), folder.join(format!("{stem}.key")));
    let read = |path: &Path| fs::read_to_string(path).map(Zeroizing::new).map_err(file_error(path));
    if !certificate.exists() {
        if !key.exists() {
            fs::create_dir_all(folder).map_err(file_error(folder))?;
            write_once(&key, &Zeroizing::new(new_key()?.serialize_pem()), 0o600)?;
        }
        let pair = rcgen::KeyPair::from_pem(&read(&key)?)?;
        write_once(&certificate, &usage.certificate_pem(name, &pair)?, 0o644)?;
        remove_temporaries(folder, stem);
    }
    Identity::from_pem(&read(&certificate)?, &read(&key)?)
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> IdentityError {
    let path = path.display().to_string();
    move |source| IdentityError::File { path: path.clone(), source }
}

/// Writes a file so that it is there whole or not at all, and leaves one that is there already as it is.
fn write_once(path: &Path, text: &str, mode: u32) -> Result<(), IdentityError> {
    let temporary = path.with_extension(format!("tmp{:016x}", RandomState::new().build_hasher().finish()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&temporary, path) {
            Err(_) if !path.exists() => fs::rename(&temporary, path), // a file system without links
            _ => Ok(()),
        }
    };
    let written = write();
    let _ = fs::remove_file(&temporary);
    written.map_err(file_error(path))
}

/// Removes what a killed process left. The pair is complete: whoever is writing at this moment does without, too.
fn remove_temporaries(folder: &Path, stem: &str) {
    let begin = format!("{stem}.tmp");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&begin) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn several_that_start_at_once_have_one_identity() {
        for _ in 0..30 {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("client.tmp0"), "of a killed process").unwrap();
            let together = Barrier::new(6);
            let start = || {
                together.wait();
                Identity::load_or_generate(folder.path(), "test").unwrap()
            };
            let all: Vec<Identity> = thread::scope(|scope| {
                let threads = [(); 6].map(|()| scope.spawn(start));
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            all[0].certified_key().expect("the key is the certificate's");
            assert!(all.iter().all(|one| *one == all[0]));
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
    }
}
