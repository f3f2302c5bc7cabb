use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{AT_ONCE, FileOptions, Files, Progress};
use crate::{Error, with_progress};

/// How [`Files::push`] goes about it.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing until it is given to a method"]
pub struct PushOptions {
    owner: Option<(u32, u32)>,
}

impl PushOptions {
    /// Whose all of it is to be; default: root's.
    pub fn owner(mut self, uid: u32, gid: u32) -> PushOptions {
        self.owner = Some((uid, gid));
        self
    }
}

/// One thing to send.
struct Item {
    local: PathBuf,
    remote: String,
    mode: u32,
    kind: Kind,
}

enum Kind {
    Directory,
    File,
    Symlink(String),
}

impl Files {
    /// Sends a file or folder with all that is in it, to the path `to`: permissions are kept, links stay
    /// links. What is there already is overwritten, and nothing is deleted. `progress` is called often.
    ///
    /// Not cancel safe: a part of it may be there then.
    ///
    /// # Errors
    /// [`Error::Local`] when something cannot be read, or is neither file nor folder nor link; see [`Error`].
    pub async fn push(
        &self,
        from: &Path,
        to: &str,
        options: &PushOptions,
        progress: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Result<Progress, Error> {
        let root = from.to_owned();
        let to = to.trim_end_matches('/').to_owned();
        let found = tokio::task::spawn_blocking(move || survey(&root, &to)).await;
        let (levels, rest, total) = found.map_err(|e| local(from, io::Error::other(e)))??;
        let counter = Counter::new(Progress { total, ..Progress::default() }, progress);
        for level in levels.into_iter().chain([rest]) {
            let sends = level.into_iter().map(|item| self.send(item, options, &counter));
            stream::iter(sends).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        }
        Ok(counter.now())
    }

    async fn send(&self, item: Item, options: &PushOptions, counter: &Arc<Counter>) -> Result<(), Error> {
        let mut file_options = FileOptions::default().mode(item.mode);
        let (uid, gid) = options.owner.unwrap_or_default();
        file_options = file_options.owner(uid, gid);
        match &item.kind {
            Kind::Directory => match self.create_dir(&item.remote, &file_options).await {
                Err(error) if error.is_conflict() => {}
                other => other?,
            },
            Kind::Symlink(target) => self.symlink(target, &item.remote, &file_options).await?,
            Kind::File => {
                let file = tokio::fs::File::open(&item.local).await.map_err(|e| local(&item.local, e))?;
                let (counter, mut before) = (Arc::clone(counter), 0);
                let counted = with_progress(file, move |read| {
                    counter.add(|p| p.bytes += read - before);
                    before = read;
                });
                self.write(&item.remote, counted, &file_options).await?;
            }
        }
        counter.add(|p| p.entries += 1);
        Ok(())
    }
}

/// All there is to send: folders by their depth, since one must be there before what is in it; then the
/// rest; and how many bytes that is.
type Survey = (Vec<Vec<Item>>, Vec<Item>, u64);

fn survey(root: &Path, to: &str) -> Result<Survey, Error> {
    let (mut levels, mut rest, mut total): Survey = (Vec::new(), Vec::new(), 0);
    let mut pending = vec![(root.to_owned(), to.to_owned(), 0)];
    while let Some((path, remote, depth)) = pending.pop() {
        let metadata = std::fs::symlink_metadata(&path).map_err(|e| local(&path, e))?;
        let mode = metadata.permissions().mode() & 0o7777;
        let kind = metadata.file_type();
        if kind.is_dir() {
            for entry in std::fs::read_dir(&path).map_err(|e| local(&path, e))? {
                let entry = entry.map_err(|e| local(&path, e))?;
                let name = entry.file_name();
                let name = name.to_str().ok_or_else(|| {
                    local(&entry.path(), io::Error::new(io::ErrorKind::InvalidData, "its name is not UTF-8"))
                })?;
                pending.push((entry.path(), format!("{remote}/{name}"), depth + 1));
            }
            if !remote.is_empty() {
                if levels.len() <= depth {
                    levels.resize_with(depth + 1, Vec::new);
                }
                levels[depth].push(Item { local: path, remote, mode, kind: Kind::Directory });
            }
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&path).map_err(|e| local(&path, e))?;
            let target = target.to_str().map(str::to_owned).ok_or_else(|| {
                local(&path, io::Error::new(io::ErrorKind::InvalidData, "its target is not UTF-8"))
            })?;
            rest.push(Item { local: path, remote, mode: 0o777, kind: Kind::Symlink(target) });
        } else if kind.is_file() {
            total += metadata.size();
            rest.push(Item { local: path, remote, mode, kind: Kind::File });
        } else {
            let message = "it is neither a file nor a folder nor a link";
            return Err(local(&path, io::Error::new(io::ErrorKind::InvalidInput, message)));
        }
    }
    Ok((levels, rest, total))
}

pub(super) fn local(path: &Path, source: io::Error) -> Error {
    Error::Local { what: path.display().to_string(), source }
}

/// Keeps count, and tells.
pub(super) struct Counter {
    progress: Mutex<Progress>,
    tell: Box<dyn Fn(&Progress) + Send + Sync>,
}

impl Counter {
    pub(super) fn new(begin: Progress, tell: impl Fn(&Progress) + Send + Sync + 'static) -> Arc<Counter> {
        Arc::new(Counter { progress: Mutex::new(begin), tell: Box::new(tell) })
    }

    pub(super) fn add(&self, change: impl FnOnce(&mut Progress)) {
        let now = {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut progress);
            progress.clone()
        };
        (self.tell)(&now);
    }

    pub(super) fn now(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
