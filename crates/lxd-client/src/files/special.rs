//! Named pipes, sockets and devices in an instance. The files endpoint calls a named pipe a file, and reading it leaves a
//! process at the server that waits for ever. SFTP tells what it is.

use std::collections::HashMap;
use std::io;

use tokio::sync::OnceCell;

use super::Files;
use super::sftp::Sftp;
use crate::Error;

/// What is no file, folder or link, by its type in the permissions.
pub(super) fn special(permissions: u32) -> Option<&'static str> {
    match permissions & 0o170_000 {
        0o010_000 => Some("a named pipe"),
        0o020_000 | 0o060_000 => Some("a device"),
        0o140_000 => Some("a socket"),
        _ => None,
    }
}

/// The names of what is no file, folder or link, with what it is.
type Special = HashMap<String, &'static str>;

/// Finds what is neither file nor folder nor link, by one SFTP session that is opened when it is needed.
#[derive(Debug, Default)]
pub(super) struct SpecialFiles(OnceCell<Option<Sftp>>);

impl SpecialFiles {
    /// What is in a folder and neither file nor folder nor link. Nothing where the server has no SFTP.
    pub(super) async fn special_in(&self, files: &Files, folder: &str) -> Result<Special, Error> {
        match self.session(files).await {
            Some(sftp) => special_in(sftp, folder).await.map_err(|e| files.client.broken(e)),
            None => Ok(Special::new()),
        }
    }

    /// What is at a path, where it is neither file nor folder nor link.
    pub(super) async fn special(&self, files: &Files, path: &str) -> Result<Option<&'static str>, Error> {
        match self.session(files).await {
            Some(sftp) => {
                let found = sftp.attributes(path).await.map_err(|e| files.client.broken(e))?;
                Ok(found.and_then(|found| special(found.permissions)))
            }
            None => Ok(None),
        }
    }

    async fn session(&self, files: &Files) -> Option<&Sftp> {
        let open = async || {
            Sftp::open(files).await.inspect_err(|error| tracing::debug!(%error, "there is no SFTP")).ok()
        };
        self.0.get_or_init(open).await.as_ref()
    }
}

async fn special_in(sftp: &Sftp, folder: &str) -> io::Result<Special> {
    let mut found = Special::new();
    let entry = |name: &[u8], permissions| {
        if let Some(what) = special(permissions) {
            found.insert(String::from_utf8_lossy(name).into_owned(), what);
        }
    };
    sftp.read_dir(folder, entry).await?;
    Ok(found)
}
