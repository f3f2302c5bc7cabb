//! From this machine into an instance: a file, or a folder with all that is in it.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use rustix::fs::OFlags;

use super::arrival::Wanted;
use super::counter::{Counter, local};
use super::{FileKind, FileOptions, Files, Progress, about};
use crate::{Error, with_progress};

/// Options of [`Files::push`].
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing until it is given to a method"]
pub struct PushOptions {
    uid: Option<u32>,
    gid: Option<u32>,
    mode: Option<u32>,
    keep_owner: bool,
}

impl PushOptions {
    /// Sets the owner of everything that is sent. Default: root, and that of a file that is replaced.
    pub fn owner(self, uid: u32, gid: u32) -> PushOptions {
        self.uid(uid).gid(gid)
    }

    /// Sets the user of the owner alone.
    pub fn uid(mut self, uid: u32) -> PushOptions {
        self.uid = Some(uid);
        self
    }

    /// Sets the group of the owner alone.
    pub fn gid(mut self, gid: u32) -> PushOptions {
        self.gid = Some(gid);
        self
    }

    /// Sets the permissions of files, such as `0o644`. Default: those of the file here, or of one that is replaced.
    pub fn mode(mut self, mode: u32) -> PushOptions {
        self.mode = Some(mode & 0o7777);
        self
    }

    /// What is new gets the owner that it has here, as far as none is set.
    pub fn keep_owner(mut self) -> PushOptions {
        self.keep_owner = true;
        self
    }

    fn new_item(&self, item: &Item) -> FileOptions {
        let (uid, gid) = if self.keep_owner { item.owner } else { (0, 0) };
        let mode = self.mode.filter(|_| matches!(item.kind, Kind::File)).unwrap_or(item.mode);
        FileOptions::default().owner(self.uid.unwrap_or(uid), self.gid.unwrap_or(gid)).mode(mode)
    }
}

/// How many files are sent at once: each takes two round trips to the server, and small ones hardly anything else.
const AT_ONCE: usize = 16;

/// Why something in a folder is not sent.
const SPECIAL: &str = "it is a named pipe, a socket or a device";

/// One thing to send.
struct Item {
    local: PathBuf,
    remote: String,
    mode: u32,
    owner: (u32, u32),
    /// It is the path that was asked for, and not something in it.
    is_root: bool,
    kind: Kind,
}

enum Kind {
    Directory,
    File,
    Symlink(String),
}

impl Files {
    /// Sends a file, or a folder with everything in it, to the path `to` in the instance. Permissions are kept, and links
    /// in a folder stay links. When `from` is a link, its target is sent. Existing files and links are replaced, each when the
    /// new one is [whole](Files::replace), and existing folders are added to. Named pipes, sockets and devices in a folder are [left out](Progress::left_out);
    /// `from` itself may be one, and is read to its end. `progress` is called often.
    ///
    /// Not cancel safe: a part of it may be there then. [`clean_up`](Files::clean_up) removes files that are not whole.
    ///
    /// # Errors
    /// [`Error::Local`] when something cannot be read; [`Error::Config`] when a file is where a folder is to be; see
    /// [`Error`].
    pub async fn push(
        &self,
        from: &Path,
        to: &str,
        options: &PushOptions,
        progress: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> Result<Progress, Error> {
        let (root, base) = (from.to_owned(), to.trim_end_matches('/').to_owned());
        let surveying = tokio::task::spawn_blocking(move || survey(&root, &base));
        let (found, _session) = tokio::join!(surveying, self.connect());
        let Survey { levels, rest, total, left_out } =
            found.map_err(|e| local(from, io::Error::other(e)))??;
        let counter = Counter::new(Progress { total, ..Progress::default() }, progress);
        left_out.iter().for_each(|path| counter.leave_out(path, SPECIAL));
        // When nothing is at `to`, nothing has to be replaced.
        let fresh = match levels.first() {
            Some(_) => self.kind(to).await?.is_none(),
            None => false,
        };
        for level in levels.into_iter().chain([rest]) {
            let sends = level.into_iter().map(|item| async {
                let remote = item.remote.clone();
                self.send(item, fresh, options, &counter).await.map_err(|e| about(&remote, e))
            });
            stream::iter(sends).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await?;
        }
        Ok(counter.end())
    }

    async fn send(
        &self,
        item: Item,
        fresh: bool,
        options: &PushOptions,
        counter: &Arc<Counter>,
    ) -> Result<(), Error> {
        let file_options = options.new_item(&item);
        match &item.kind {
            // Where a file is, a server also says that it has made the folder.
            Kind::Directory if !fresh && self.kind(&item.remote).await? == Some(FileKind::File) => {
                return Err(not_a_folder(&item.remote));
            }
            Kind::Directory => match self.create_dir(&item.remote, &file_options).await {
                Err(error) if error.is_conflict() => {}
                // A link that leads nowhere.
                Err(error) if is_in_the_way(&error) => return Err(not_a_folder(&item.remote)),
                other => other?,
            },
            Kind::Symlink(target) => self.put_link(target, &item.remote, &file_options).await?,
            Kind::File => self.send_file(&item, fresh, file_options, options, counter).await?,
        }
        counter.add(|p| p.entries += 1);
        Ok(())
    }

    async fn send_file(
        &self,
        item: &Item,
        fresh: bool,
        new: FileOptions,
        options: &PushOptions,
        counter: &Arc<Counter>,
    ) -> Result<(), Error> {
        let changed =
            FileOptions { uid: options.uid, gid: options.gid, mode: options.mode, ..FileOptions::default() };
        let place = if fresh { self.new_place(&item.remote).await } else { self.place(&item.remote).await? };
        let counted = async || {
            let file = open(item).await.map_err(|e| local(&item.local, e))?;
            let (counter, mut before) = (Arc::clone(counter), 0);
            Ok::<_, Error>(with_progress(file, move |read| {
                counter.add(|p| p.bytes += read - before);
                before = read;
            }))
        };
        if !self.arrive(&place, counted().await?, &Wanted { new, changed }).await? {
            place.write_into(self, counted().await?).await?;
        }
        Ok(())
    }

    /// As [`symlink`](Files::symlink), in place of a file or link that is there.
    ///
    /// # Errors
    /// [`Error::Config`] when a folder is at the path; those of [`symlink`](Files::symlink).
    pub async fn put_link(&self, target: &str, path: &str, options: &FileOptions) -> Result<(), Error> {
        match self.symlink(target, path, options).await {
            Err(error) if is_in_the_way(&error) => match self.kind(path).await? {
                Some(FileKind::Directory) => {
                    Err(Error::config(format!("{path}: a folder is in the way of a link")))
                }
                _ => {
                    self.delete(path).await?;
                    self.symlink(target, path, options).await
                }
            },
            other => other,
        }
    }
}

fn not_a_folder(path: &str) -> Error {
    Error::config(format!("{path}: a folder is to be here, and something else is"))
}

/// A server takes a link only where nothing is, or the same one.
fn is_in_the_way(error: &Error) -> bool {
    error.is_conflict() || matches!(error, Error::Api { message, .. } if message.contains("file exists"))
}

/// Opens a regular file. If a pipe or a link has taken its place meanwhile, it fails at once.
async fn open(item: &Item) -> io::Result<tokio::fs::File> {
    let mut options = tokio::fs::OpenOptions::new();
    options.read(true);
    if !item.is_root {
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    let file = options.open(&item.local).await?;
    if !item.is_root && !file.metadata().await?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file any more"));
    }
    Ok(file)
}

/// Everything there is to send.
#[derive(Default)]
struct Survey {
    /// Folders by their depth, since one must be there before what is in it.
    levels: Vec<Vec<Item>>,
    /// Files and links.
    rest: Vec<Item>,
    /// The length of all files, in bytes.
    total: u64,
    /// What is not sent.
    left_out: Vec<String>,
}

fn survey(root: &Path, to: &str) -> Result<Survey, Error> {
    let Survey { mut levels, mut rest, mut total, mut left_out } = Survey::default();
    let mut pending = vec![(root.to_owned(), to.to_owned(), 0)];
    while let Some((path, remote, depth)) = pending.pop() {
        let is_root = depth == 0;
        let looked_at = if is_root { std::fs::metadata(&path) } else { std::fs::symlink_metadata(&path) };
        let metadata = looked_at.map_err(|e| local(&path, e))?;
        let mode = metadata.permissions().mode() & 0o7777;
        let owner = (metadata.uid(), metadata.gid());
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
                levels[depth].push(Item { local: path, remote, mode, owner, is_root, kind: Kind::Directory });
            }
        } else if kind.is_symlink() {
            let target = std::fs::read_link(&path).map_err(|e| local(&path, e))?;
            let target = target.to_str().map(str::to_owned).ok_or_else(|| {
                local(&path, io::Error::new(io::ErrorKind::InvalidData, "its target is not UTF-8"))
            })?;
            rest.push(Item { local: path, remote, mode: 0o777, owner, is_root, kind: Kind::Symlink(target) });
        } else if kind.is_file() || is_root {
            total += metadata.size();
            rest.push(Item { local: path, remote, mode, owner, is_root, kind: Kind::File });
        } else {
            left_out.push(path.display().to_string());
        }
    }
    Ok(Survey { levels, rest, total, left_out })
}
