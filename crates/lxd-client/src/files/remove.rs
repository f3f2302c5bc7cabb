//! Deletes a folder in an instance with all that is in it.

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Files, about};
use crate::Error;

/// How many files are deleted at once, on one connection.
const AT_ONCE: usize = 32;

impl Files {
    /// Deletes what is at a path; a folder with everything in it. No link is followed.
    ///
    /// Not cancel safe: a part of it may be deleted then.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when nothing is there; [`Error::Config`] for the root; when the server has no SFTP.
    pub async fn delete_all(&self, path: &str) -> Result<(), Error> {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            return Err(Error::config("the whole instance is not deleted by its files"));
        }
        let broken = |error| self.client.broken(error);
        let not_there = || Error::Api { code: 404, message: format!("{path} is not there") };
        let sftp = self.session().await.ok_or_else(|| self.client.protocol("the server has no SFTP"))?;
        let found = sftp.attributes(path).await.map_err(broken)?.ok_or_else(not_there)?;
        if !is_folder(found.permissions) {
            return self.delete(path).await;
        }
        let (mut waiting, mut folders) = (vec![path.to_owned()], Vec::new());
        while let Some(folder) = waiting.pop() {
            let (mut files, mut below) = (Vec::new(), Vec::new());
            let entry = |name: &[u8], permissions| {
                if name == b"." || name == b".." {
                    return;
                }
                let path = format!("{folder}/{}", String::from_utf8_lossy(name));
                if is_folder(permissions) { below.push(path) } else { files.push(path) }
            };
            sftp.read_dir(&folder, entry).await.map_err(broken)?;
            let sftp = &sftp;
            let removals =
                files.into_iter().map(|file| async move { self.gone(&file, sftp.remove(&file).await) });
            stream::iter(removals).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
            waiting.extend(below);
            folders.push(folder);
        }
        for folder in folders.iter().rev() {
            self.gone(folder, sftp.remove_dir(folder).await)?;
        }
        Ok(())
    }

    /// What was deleted meanwhile is gone, too.
    fn gone(&self, path: &str, removed: std::io::Result<()>) -> Result<(), Error> {
        match removed {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::Other => {
                Err(about(path, Error::Api { code: 500, message: error.to_string() }))
            }
            other => other.map_err(|error| self.client.broken(error)),
        }
    }
}

fn is_folder(permissions: u32) -> bool {
    permissions & 0o170_000 == 0o040_000
}
