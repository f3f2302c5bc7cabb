//! A certificate and its key as two files in a folder, which are made where they are not there.

use std::fs;
use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use super::generate::{Use, certificate_for, new_key};
use super::{Identity, IdentityError};
use crate::{pem, private};

impl Identity {
    /// Reads `client.crt` and `client.key`, as `lxc` names them, from a folder. It makes both when neither is there; only
    /// its owner can read the key's file. A key without a certificate gets one: a process was killed after it wrote the
    /// key. This blocks on the disk.
    ///
    /// # Errors
    /// When there is a certificate without its key, or they cannot be read or written.
    pub fn load_or_generate(folder: &Path, name: &str) -> Result<Identity, IdentityError> {
        load_or_generate(folder, name, Use::Client)
    }

    /// The same for a server on this machine, such as a `Facade`: `server.crt` and `server.key`, for `localhost` and its
    /// addresses.
    ///
    /// # Errors
    /// When there is a certificate without its key, or they cannot be read or written.
    pub fn load_or_generate_server(folder: &Path, name: &str) -> Result<Identity, IdentityError> {
        load_or_generate(folder, name, Use::Server)
    }
}

/// Reads the two files, and makes the missing ones, the key first. Where several processes do so at once, the first to
/// write a file has written it for all.
fn load_or_generate(folder: &Path, name: &str, usage: Use) -> Result<Identity, IdentityError> {
    let stem = match usage {
        Use::Client => "client",
        Use::Server => "server",
    };
    let (certificate, key) = (folder.join(format!("{stem}.crt")), folder.join(format!("{stem}.key")));
    let read = |path: &Path| fs::read_to_string(path).map(Zeroizing::new).map_err(file_error(path));
    if !certificate.exists() {
        if !key.exists() {
            private::make_folder(folder).map_err(file_error(folder))?;
            private::write_once(&key, &new_key()?, 0o600).map_err(file_error(&key))?;
        }
        let text = read(&key)?;
        pem::private_key(&text).map_err(|reason| IdentityError::Invalid { part: "key", reason })?;
        let text = certificate_for(usage, name, &text)?;
        private::write_once(&certificate, &text, 0o644).map_err(file_error(&certificate))?;
        remove_temporaries(folder, stem);
    }
    Identity::from_pem(&read(&certificate)?, &read(&key)?)
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> IdentityError {
    let path = path.display().to_string();
    move |source| IdentityError::File { path: path.clone(), source }
}

/// Removes what a killed process left. The pair is complete, so another process that writes now needs its file no more.
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
