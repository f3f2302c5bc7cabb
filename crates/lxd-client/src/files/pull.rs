use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::AsyncWriteExt;

use super::push::{Counter, local};
use super::{AT_ONCE, Entry, Files, Progress};
use crate::{Download, Error};

impl Files {
    /// Fetches a file or folder with all that is in it, to the path `to` on this machine, where nothing or
    /// a folder is: permissions are kept, owners are not. A link that leads to something in the folder
    /// leads to its copy; another one leads where it did. Nothing is ever written through a link or outside
    /// of `to`, whatever the server says. `progress` is called often.
    ///
    /// Not cancel safe: a part of it may be there then.
    ///
    /// # Errors
    /// [`Error::Local`] when something cannot be written, or a file is there already; see [`Error`].
    pub async fn pull(
        &self,
        from: &str,
        to: &Path,
        progress: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Result<Progress, Error> {
        let counter = Counter::new(Progress::default(), progress);
        let from = match from.trim_end_matches('/') {
            "" => "/",
            other => other,
        };
        let mut waiting = vec![(from.to_owned(), to.to_owned())];
        let mut folders = Vec::new();
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some((remote, path)) = waiting.pop()
            {
                under_way.push(self.fetch(from, remote, path, Arc::clone(&counter)));
            }
            let Some(done) = under_way.next().await else { break };
            if let Some(folder) = done? {
                waiting.extend(folder.inside);
                folders.push((folder.path, folder.mode));
            }
        }
        // Last, since nothing can be put into a folder that is for reading only.
        for (path, mode) in folders.into_iter().rev() {
            set_mode(&path, mode).await?;
        }
        Ok(counter.now())
    }

    async fn fetch(
        &self,
        root: &str,
        remote: String,
        path: PathBuf,
        counter: Arc<Counter>,
    ) -> Result<Option<Folder>, Error> {
        let folder = match self.read(&remote).await? {
            Entry::File(info, download) => {
                counter.add(|p| p.total += info.size.unwrap_or_default());
                save(download, &path, info.mode, &counter).await.map_err(|e| local(&path, e))?;
                None
            }
            Entry::Symlink(_, target) => {
                let target = kept(root, &remote, &target);
                tokio::fs::symlink(target, &path).await.map_err(|e| local(&path, e))?;
                None
            }
            Entry::Directory(info, names) => {
                make_folder(&path).await.map_err(|e| local(&path, e))?;
                let mut inside = Vec::new();
                for name in names {
                    if !is_name(&name) {
                        return Err(self
                            .client
                            .protocol(format!("{name:?} in {remote} is not a name of a file")));
                    }
                    inside.push((format!("{}/{name}", remote.trim_end_matches('/')), path.join(name)));
                }
                Some(Folder { path, mode: info.mode, inside })
            }
        };
        counter.add(|p| p.entries += 1);
        Ok(folder)
    }
}

struct Folder {
    path: PathBuf,
    mode: u32,
    inside: Vec<(String, PathBuf)>,
}

/// Whether joining it to a folder's path leads to something in that folder.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

/// A folder that is there is taken; a link to one is not.
async fn make_folder(path: &Path) -> io::Result<()> {
    match tokio::fs::create_dir(path).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if tokio::fs::symlink_metadata(path).await?.is_dir() { Ok(()) } else { Err(error) }
        }
        other => other,
    }
}

async fn save(mut download: Download, path: &Path, mode: u32, counter: &Counter) -> io::Result<()> {
    // A new one, so that nothing is written through a link that was there.
    let mut file = tokio::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).await?;
    while let Some(piece) = download.next().await {
        let piece = piece?;
        file.write_all(&piece).await?;
        counter.add(|p| p.bytes += piece.len() as u64);
    }
    file.flush().await?;
    file.set_permissions(std::fs::Permissions::from_mode(mode & 0o777)).await
}

async fn set_mode(path: &Path, mode: u32) -> Result<(), Error> {
    let permissions = std::fs::Permissions::from_mode(mode & 0o777);
    tokio::fs::set_permissions(path, permissions).await.map_err(|e| local(path, e))
}

/// Where a link's copy leads. The server tells an absolute path; in the folder that is fetched it becomes a
/// relative one.
fn kept(root: &str, link: &str, target: &str) -> String {
    let root = root.trim_end_matches('/');
    let Some(inside) = target.strip_prefix(root).filter(|rest| rest.starts_with('/')) else {
        return target.to_owned();
    };
    let depth = link.strip_prefix(root).map_or(0, |rest| rest.matches('/').count().saturating_sub(1));
    format!("{}{}", "../".repeat(depth), inside.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_out_of_a_folder_is_no_name() {
        for name in ["", ".", "..", "a/b", "/etc/passwd", "../x", "a\0"] {
            assert!(!is_name(name), "{name:?}");
        }
        assert!(is_name("..a") && is_name("a b"));
    }

    #[test]
    fn a_link_into_the_folder_leads_to_its_copy_and_another_where_it_did() {
        assert_eq!(kept("/srv", "/srv/a/link", "/srv/b/file"), "../b/file");
        assert_eq!(kept("/srv", "/srv/link", "/srv/file"), "file");
        assert_eq!(kept("/srv", "/srv/link", "/etc/passwd"), "/etc/passwd");
        assert_eq!(kept("/srv", "/srv/link", "/srvother/x"), "/srvother/x");
    }
}
