//! What is in a folder of an instance, with all that SFTP tells of it.

use super::sftp::Attributes;
use super::special::special;
use super::{FileInfo, FileKind, Files, MOST_LINKS, resolved};
use crate::Error;

/// The longest target of a link that is shown.
const LONGEST: usize = 4096;

/// Something in a folder, from [`Files::list`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listed {
    /// Its name. What is no UTF-8 in it is a `�`, and the file cannot be asked for by such a name.
    pub name: String,
    /// What it is; of a link itself.
    pub info: FileInfo,
}

impl Files {
    /// What is in a folder, by SFTP, in no order. Unlike [`read`](Files::read) it tells of each what it is. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when no folder is there; those of [`InstanceHandle::sftp`](crate::InstanceHandle::sftp).
    pub async fn list(&self, folder: &str) -> Result<Vec<Listed>, Error> {
        let sftp = self.needed_session().await?;
        let mut all = Vec::new();
        let is_folder = sftp.list(folder.as_bytes(), |name, found| {
            if name != b"." && name != b".." {
                all.push(Listed { name: String::from_utf8_lossy(name).into_owned(), info: of(found) });
            }
        });
        match is_folder.await.map_err(|error| self.client.broken(error))? {
            true => Ok(all),
            false => Err(not_there(folder)),
        }
    }

    /// What is at a path, by SFTP; of a link itself. Unlike [`info`](Files::info) it tells special files from others. Cancel
    /// safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when nothing is there; those of [`InstanceHandle::sftp`](crate::InstanceHandle::sftp).
    pub async fn look(&self, path: &str) -> Result<FileInfo, Error> {
        let found = self.needed_session().await?.attributes(path).await;
        found.map_err(|error| self.client.broken(error))?.map(of).ok_or_else(|| not_there(path))
    }

    /// The path and what is there, after links are followed. Cancel safe.
    ///
    /// # Errors
    /// Those of [`look`](Files::look); [`Error::Config`] when links lead to links without end.
    pub async fn follow(&self, path: &str) -> Result<(String, FileInfo), Error> {
        let mut place = path.to_owned();
        for _ in 0..MOST_LINKS {
            let info = self.look(&place).await?;
            if info.kind != FileKind::Symlink {
                return Ok((place, info));
            }
            let target = self.link(&place).await?;
            place = resolved(&place, &target);
        }
        Err(Error::config(format!("{path} is a link that leads to links without end")))
    }

    /// Where a link leads, as it is written in the link. What is no UTF-8 in it is a `�`. Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when no link is there; those of [`InstanceHandle::sftp`](crate::InstanceHandle::sftp).
    pub async fn link(&self, path: &str) -> Result<String, Error> {
        let target = self.needed_session().await?.link(path).await;
        let target = target.map_err(|error| self.client.broken(error))?.ok_or_else(|| not_there(path))?;
        match target.len() {
            0..=LONGEST => Ok(String::from_utf8_lossy(&target).into_owned()),
            _ => Err(self.client.protocol(format!("{path} is a link that is too long"))),
        }
    }
}

fn of(found: Attributes) -> FileInfo {
    let kind = match found.permissions & 0o170_000 {
        0o040_000 => FileKind::Directory,
        0o120_000 => FileKind::Symlink,
        _ if special(found.permissions).is_some() => FileKind::Special,
        _ => FileKind::File,
    };
    FileInfo {
        kind,
        uid: found.uid,
        gid: found.gid,
        mode: found.permissions & 0o7777,
        size: (kind == FileKind::File).then_some(found.size),
        modified: Some(found.modified.into()),
    }
}

fn not_there(path: &str) -> Error {
    Error::Api { code: 404, message: format!("{path} is not there") }
}
