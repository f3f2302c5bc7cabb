//! How much is in a folder of an instance.

use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::Files;
use super::sftp::Sftp;
use crate::Error;

/// How many folders are listed at once: with a server far away, each spends most of its time waiting.
const AT_ONCE: usize = 64;

/// How much is in a folder and below it, from [`Files::count`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct FileCount {
    /// Files, folders, links and all else that has a name; without the folder itself.
    pub entries: u64,
    /// The lengths of the files, in bytes. A file that has several names counts with each.
    pub bytes: u64,
}

impl Files {
    /// Counts what is in a folder and below it, by an SFTP session of its own. No link is followed. Cancel safe.
    ///
    /// # Errors
    /// When a folder cannot be listed, so that no count is ever short. Those of [`InstanceHandle::sftp`].
    ///
    /// [`InstanceHandle::sftp`]: crate::InstanceHandle::sftp
    pub async fn count(&self, folder: &str) -> Result<FileCount, Error> {
        let sftp = Arc::new(Sftp::open(self).await?);
        let mut count = FileCount::default();
        let mut folders = vec![folder.as_bytes().to_vec()];
        let mut listing = FuturesUnordered::new();
        loop {
            while listing.len() < AT_ONCE
                && let Some(folder) = folders.pop()
            {
                listing.push(list(Arc::clone(&sftp), folder));
            }
            let Some(listed) = listing.next().await else { return Ok(count) };
            let (here, below) = listed.map_err(|error| self.client.broken(error))?;
            count.entries += here.entries;
            count.bytes += here.bytes;
            folders.extend(below);
        }
    }
}

/// What is in one folder, and the folders in it.
async fn list(sftp: Arc<Sftp>, folder: Vec<u8>) -> std::io::Result<(FileCount, Vec<Vec<u8>>)> {
    let (mut count, mut below) = (FileCount::default(), Vec::new());
    let is_folder = sftp.list(&folder, |name, found| {
        if name == b"." || name == b".." {
            return;
        }
        count.entries += 1;
        match found.permissions & 0o170_000 {
            0o040_000 => below.push([&folder[..], name].join(&b'/')),
            0o100_000 => count.bytes += found.size,
            _ => {}
        }
    });
    match is_folder.await? {
        true => Ok((count, below)),
        false => {
            let text = format!("{} cannot be listed", String::from_utf8_lossy(&folder));
            Err(std::io::Error::other(text))
        }
    }
}
