//! From an instance to this machine: a file, or a folder with all that is in it.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::counter::{Counter, local};
use super::folder::{Folder, PartialFile, file_at};
use super::special::SpecialFiles;
use super::{AT_ONCE, Entry, Files, MOST_LINKS, Progress, about, resolved};
use crate::{Download, Error};

/// No path in an instance is longer. This ends folders that contain themselves.
const LONGEST: usize = 4096;

/// One call of [`Files::pull`].
struct Pull {
    root: String,
    special_files: SpecialFiles,
    counter: Arc<Counter>,
}

/// One thing to fetch, into a folder that is open.
struct Job {
    remote: String,
    folder: Arc<Folder>,
    name: String,
}

impl Files {
    /// Fetches a file, or a folder with everything in it, to the path `to` on this machine. Existing files and links are
    /// replaced, and existing folders are added to. A new file or folder gets the permissions that it has in the
    /// instance, limited by the umask; an existing one keeps its own; owners are not kept. A file gets its name once it
    /// is whole.
    ///
    /// When `from` is a link, its target is fetched. A link in a folder stays a link: when its target is in the folder
    /// that is fetched, it leads to the copy, otherwise to the same target. Nothing is ever written through a link in
    /// `to`, or outside of it, whatever the server says. Named pipes, sockets and devices are
    /// [left out](Progress::left_out). `progress` is called often.
    ///
    /// Not cancel safe: a part of it may be there then.
    ///
    /// # Errors
    /// [`Error::Local`] when something cannot be written, or a folder is where a file is to be, or the other way
    /// round; [`Error::Config`] when `from` is no file, folder or link; see [`Error`].
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
        let special_files = SpecialFiles::default();
        let (root, entry) = self.behind(from, &special_files).await?;
        let pull = Pull { root, special_files, counter };
        let (wanted, here) = (to.to_owned(), |e| local(to, e));
        match entry {
            Entry::File(info, download) => {
                let opened = blocking(move || file_at(&wanted, info.mode)).await;
                let (partial, file) = opened.map_err(here)?;
                save(download, partial, file, &pull.counter).await.map_err(here)?;
                pull.counter.add(|p| p.entries += 1);
            }
            Entry::Directory(info, names) => {
                let folder = blocking(move || Folder::at(&wanted, info.mode)).await.map_err(here)?;
                let inside = self.inside(&pull, &pull.root, folder, names).await?;
                pull.counter.add(|p| p.entries += 1);
                self.fetch_all(&pull, inside).await?;
            }
            Entry::Symlink(..) => return Err(self.client.protocol("a link that was followed")),
        }
        Ok(pull.counter.end())
    }

    /// Writes a file to a stream, and follows links to it.
    ///
    /// Not cancel safe: a part of it may be written then.
    ///
    /// # Errors
    /// [`Error::Config`] when `from` is no file; [`Error::Local`] when the stream takes no more; see [`Error`].
    pub async fn pull_to(
        &self,
        from: &str,
        to: &mut (impl AsyncWrite + Unpin + Send),
        progress: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Result<Progress, Error> {
        let (path, entry) = self.behind(from, &SpecialFiles::default()).await?;
        let Entry::File(info, download) = entry else {
            return Err(Error::config(format!("{path} is a folder, and no file")));
        };
        let total = info.size.unwrap_or_default();
        let counter = Counter::new(Progress { total, ..Progress::default() }, progress);
        copy(download, to, &counter).await.map_err(|e| local(path.as_ref(), e))?;
        counter.add(|p| p.entries += 1);
        Ok(counter.end())
    }

    /// What is at a path, after links are followed.
    async fn behind(&self, from: &str, special_files: &SpecialFiles) -> Result<(String, Entry), Error> {
        let mut path = from.to_owned();
        for _ in 0..MOST_LINKS {
            match self.read_unless_special(&path, special_files).await.map_err(|e| about(&path, e))? {
                Entry::Symlink(_, target) => path = resolved(&path, &target),
                entry => return Ok((path, entry)),
            }
        }
        Err(Error::config(format!("{from} is a link that leads to links without end")))
    }

    async fn read_unless_special(&self, path: &str, special_files: &SpecialFiles) -> Result<Entry, Error> {
        match special_files.special(self, path).await? {
            Some(what) => Err(Error::config(format!("{path} is {what}, and no file"))),
            None => self.read(path).await,
        }
    }

    async fn fetch_all(&self, pull: &Pull, mut waiting: Vec<Job>) -> Result<(), Error> {
        let mut under_way = FuturesUnordered::new();
        loop {
            while under_way.len() < AT_ONCE
                && let Some(job) = waiting.pop()
            {
                under_way.push(self.fetch(pull, job));
            }
            let Some(inside) = under_way.next().await else { return Ok(()) };
            waiting.extend(inside?);
        }
    }

    async fn fetch(&self, pull: &Pull, Job { remote, folder, name }: Job) -> Result<Vec<Job>, Error> {
        let path = folder.path(&name);
        let here = |e| local(&path, e);
        let within = Arc::clone(&folder);
        let mut inside = Vec::new();
        match self.read(&remote).await {
            Ok(Entry::File(info, download)) => {
                pull.counter.add(|p| p.total += info.size.unwrap_or_default());
                let opened = blocking(move || within.file(name, info.mode)).await;
                let (partial, file) = opened.map_err(here)?;
                save(download, Some(partial), file, &pull.counter).await.map_err(here)?;
            }
            Ok(Entry::Symlink(_, target)) => {
                let target = rebased_link(&pull.root, &remote, &target);
                blocking(move || within.link(name, &target)).await.map_err(here)?;
            }
            Ok(Entry::Directory(info, names)) => {
                let made = blocking(move || within.folder(name, info.mode)).await.map_err(here)?;
                inside = self.inside(pull, &remote, made, names).await?;
            }
            // It was deleted after its folder was read.
            Err(error) if error.is_not_found() => {
                drop(within);
                pull.counter.leave_out(&remote, "the server does not find it");
            }
            Err(error) => return Err(about(&remote, error)),
        }
        pull.counter.add(|p| p.entries += 1);
        close(folder).await?;
        Ok(inside)
    }

    /// The jobs for everything in a folder.
    async fn inside(
        &self,
        pull: &Pull,
        remote: &str,
        folder: Folder,
        names: Vec<String>,
    ) -> Result<Vec<Job>, Error> {
        let special = match names.len() {
            0 => Default::default(),
            _ => pull.special_files.special_in(self, remote).await?,
        };
        let folder = Arc::new(folder);
        let (mut inside, mut seen) = (Vec::new(), HashSet::new());
        for name in names {
            let path = format!("{}/{name}", remote.trim_end_matches('/'));
            if !is_name(&name) || !seen.insert(name.clone()) {
                return Err(self.client.protocol(format!("{name:?} in {remote} is not a name of its own")));
            }
            if path.len() > LONGEST {
                return Err(self.client.protocol(format!("a path of more than {LONGEST} bytes in {remote}")));
            }
            match special.get(&name) {
                Some(what) => pull.counter.leave_out(&path, &format!("it is {what}")),
                None => inside.push(Job { remote: path, folder: Arc::clone(&folder), name }),
            }
        }
        close(folder).await?;
        Ok(inside)
    }
}

/// Finishes a folder, when this is its last user.
async fn close(folder: Arc<Folder>) -> Result<(), Error> {
    let Some(folder) = Arc::into_inner(folder) else { return Ok(()) };
    let path = folder.path("");
    blocking(move || folder.finish()).await.map_err(|e| local(&path, e))
}

async fn save(
    download: Download,
    partial: Option<PartialFile>,
    file: std::fs::File,
    counter: &Counter,
) -> io::Result<()> {
    let mut file = tokio::fs::File::from_std(file);
    copy(download, &mut file, counter).await?;
    let file = file.into_std().await;
    match partial {
        Some(partial) => blocking(move || partial.commit(&file)).await,
        None => Ok(()),
    }
}

async fn copy(
    mut download: Download,
    to: &mut (impl AsyncWrite + Unpin),
    counter: &Counter,
) -> io::Result<()> {
    while let Some(chunk) = download.next().await {
        let chunk = chunk?;
        to.write_all(&chunk).await?;
        counter.add(|p| p.bytes += chunk.len() as u64);
    }
    to.flush().await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Whether it is the name of something directly in a folder.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0'])
}

/// The target of a link's copy. The server gives an absolute path. When that is in the folder that is fetched, it becomes
/// a relative one.
fn rebased_link(root: &str, link: &str, target: &str) -> String {
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
        assert_eq!(rebased_link("/srv", "/srv/a/link", "/srv/b/file"), "../b/file");
        assert_eq!(rebased_link("/srv", "/srv/link", "/srv/file"), "file");
        assert_eq!(rebased_link("/srv", "/srv/link", "/etc/passwd"), "/etc/passwd");
        assert_eq!(rebased_link("/srv", "/srv/link", "/srvother/x"), "/srvother/x");
    }
}
