//! Files that arrive under another name, and get their own once they are whole.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::AsyncRead;

use super::sftp::{Attributes, Sftp};
use super::special::special;
use super::{Entry, FileInfo, FileKind, FileOptions, Files, MOST_LINKS, about, above, resolved};
use crate::Error;

/// How often a file that is not there is looked for, which a request that was cut off may still make.
const LOOKS: u32 = 3;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// What the transfers of a handle share.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Open as long as a transfer needs it: LXD 5.0 stops no instance before its last session has ended.
    session: tokio::sync::Mutex<Weak<Sftp>>,
    /// What transfers that ended early have not removed.
    unfinished: Mutex<Vec<String>>,
}

/// A connection for transfers, from [`Files::connect`]. It closes when this is dropped and no transfer needs it.
#[derive(Debug)]
#[must_use = "the connection closes when this is dropped"]
pub struct FilesSession {
    _sftp: Option<Arc<Sftp>>,
}

/// Where a file arrives.
pub(super) struct Place {
    /// Links are followed.
    path: String,
    /// The file that is there.
    before: Option<Attributes>,
    /// It has no other name meanwhile where the server has no SFTP.
    sftp: Option<Arc<Sftp>>,
}

/// A path at which a part of a file may be. Dropping it before the end notes that.
struct Unfinished<'a> {
    path: String,
    arrivals: &'a Arrivals,
    done: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if !self.done {
            let path = std::mem::take(&mut self.path);
            self.arrivals.unfinished.lock().unwrap_or_else(PoisonError::into_inner).push(path);
        }
    }
}

/// Owner and permissions of a file that arrives.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// Of a new file.
    pub(super) new: FileOptions,
    /// Of one that is there: what is set here changes, and the rest stays.
    pub(super) changed: FileOptions,
}

impl Files {
    /// As [`write`](Files::write), but the file has its name only once it is whole: until then the file that is there stays
    /// as it was. It keeps its owner and permissions, unless [`modify`](FileOptions::modify) gives it others. Where a link
    /// is, the file that it leads to is replaced.
    ///
    /// Not cancel safe: when this fails or is dropped, [`clean_up`](Files::clean_up) removes what has arrived. Servers
    /// without SFTP (before LXD 5.0) have no other name for it, and write the file in its place.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when the folder is not there; [`Error::Config`] when something else than a file is there.
    pub async fn replace(
        &self,
        path: &str,
        source: impl AsyncRead + Send + 'static,
        options: &FileOptions,
    ) -> Result<(), Error> {
        let changed = if options.modify { *options } else { FileOptions::default() };
        let place = self.place(path).await?;
        let wanted = Wanted { new: *options, changed };
        if self.arrive(&place, source, &wanted).await? {
            return Ok(());
        }
        Err(Error::config(format!("{path} cannot be replaced, as a file on which something is mounted")))
    }

    /// As [`replace`](Files::replace), but no link is followed at the path's end: a link that is there is replaced itself. The
    /// file has the owner and permissions of `options`, whatever is there before. Not cancel safe, as
    /// [`replace`](Files::replace).
    ///
    /// # Errors
    /// [`Error::is_not_found`] when the folder is not there; [`Error::Config`] when a folder is at the path; when the server
    /// has no SFTP.
    pub async fn put(
        &self,
        path: &str,
        source: impl AsyncRead + Send + 'static,
        options: &FileOptions,
    ) -> Result<(), Error> {
        let sftp = Some(self.needed_session().await?);
        let place = Place { path: path.to_owned(), before: None, sftp };
        let wanted = Wanted { new: *options, changed: FileOptions::default() };
        match self.arrive(&place, source, &wanted).await {
            Ok(_) => Ok(()),
            Err(error) => match self.look(path).await {
                Ok(FileInfo { kind: FileKind::Directory, .. }) => {
                    Err(Error::config(format!("{path}: a folder is in the way of a file")))
                }
                _ => Err(error),
            },
        }
    }

    /// Opens the connection on which transfers rename files, which [`replace`](Files::replace) and
    /// [`push`](Files::push) do by themselves: sooner, while something else is asked, and once for all that are done until
    /// it is dropped. LXD 5.0 waits for that before it stops the instance. Cancel safe.
    pub async fn connect(&self) -> FilesSession {
        FilesSession { _sftp: self.session().await }
    }

    /// Removes what transfers by this handle and its clones have left in the instance that failed or were dropped, and
    /// gives the paths of what could not be removed.
    pub async fn clean_up(&self) -> Vec<String> {
        let unfinished =
            std::mem::take(&mut *self.arrivals.unfinished.lock().unwrap_or_else(PoisonError::into_inner));
        let removed = join_all(unfinished.iter().map(|path| self.remove_part(path))).await;
        unfinished.into_iter().zip(removed).filter(|(_, removed)| !removed).map(|(path, _)| path).collect()
    }

    async fn remove_part(&self, path: &str) -> bool {
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            match self.delete(path).await {
                Ok(()) => return true,
                Err(error) if error.is_not_found() => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// The SFTP session that the transfers share; `None` where the server has none.
    pub(super) async fn session(&self) -> Option<Arc<Sftp>> {
        let opened = self.needed_session().await;
        opened.inspect_err(|error| tracing::debug!(%error, "there is no SFTP")).ok()
    }

    /// The same for what cannot be done without one.
    pub(super) async fn needed_session(&self) -> Result<Arc<Sftp>, Error> {
        let mut session = self.arrivals.session.lock().await;
        if let Some(sftp) = session.upgrade().filter(|sftp| sftp.is_alive()) {
            return Ok(sftp);
        }
        let mut opened = Sftp::open(self).await;
        for _ in 1..LOOKS {
            if !matches!(&opened, Err(error) if is_failure(error)) {
                break;
            }
            // LXD fails while the last session of an instance that does not run is being ended.
            tokio::time::sleep(PAUSE).await;
            opened = Sftp::open(self).await;
        }
        let sftp = Arc::new(opened?);
        *session = Arc::downgrade(&sftp);
        Ok(sftp)
    }

    /// Where a file of this path arrives.
    pub(super) async fn place(&self, path: &str) -> Result<Place, Error> {
        let sftp = match self.needed_session().await {
            // A server that has SFTP, and fails: without it, half of a file could take the place of what is there.
            Err(error) if is_failure(&error) => return Err(error),
            opened => opened.ok(),
        };
        let Some(session) = &sftp else { return Ok(Place { path: path.to_owned(), before: None, sftp }) };
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let found = session.attributes(&path).await.map_err(|e| self.client.broken(e))?;
            let Some(before) = found else { return Ok(Place { path, before: None, sftp }) };
            match before.permissions & 0o170_000 {
                0o120_000 => match self.read(&path).await.map_err(|e| about(&path, e))? {
                    Entry::Symlink(_, target) => path = resolved(&path, &target),
                    _ => continue, // it was replaced meanwhile
                },
                0o040_000 => return Err(Error::config(format!("{path}: a folder is in the way of a file"))),
                _ => match special(before.permissions) {
                    Some(what) => return Err(Error::config(format!("{path} is {what}, and no file"))),
                    None => return Ok(Place { path, before: Some(before), sftp }),
                },
            }
        }
        Err(Error::config(format!("{path} is a link that leads to links without end")))
    }

    /// The same where nothing is.
    pub(super) async fn new_place(&self, path: &str) -> Place {
        Place { path: path.to_owned(), before: None, sftp: self.session().await }
    }

    /// Writes a file to its place. False when the file there cannot be replaced by another; it is as it was then.
    pub(super) async fn arrive(
        &self,
        place: &Place,
        source: impl AsyncRead + Send + 'static,
        wanted: &Wanted,
    ) -> Result<bool, Error> {
        let part = match &place.sftp {
            Some(_) => format!("{}/.arriving-{:016x}", above(&place.path), fastrand::u64(..)),
            None => place.path.clone(),
        };
        let mut unfinished = Unfinished { path: part.clone(), arrivals: &self.arrivals, done: false };
        let written = self.write(&part, source, &wanted.beside(place.before)).await;
        if matches!(&written, Err(error) if error.is_not_found()) {
            unfinished.done = true; // there is no such folder
        }
        written.map_err(|error| unnamed(&part, &place.path, error))?;
        let Some(sftp) = &place.sftp else {
            unfinished.done = true;
            return Ok(true);
        };
        match sftp.rename(&part, &place.path).await {
            Ok(()) => unfinished.done = true,
            Err(error) if error.kind() == std::io::ErrorKind::Other && place.before.is_some() => {
                unfinished.done = self.remove_part(&part).await;
                return Ok(false);
            }
            Err(error) => return Err(self.client.broken(error)),
        }
        Ok(true)
    }
}

impl Place {
    /// Writes into the file that is there, which may be a part of it then.
    pub(super) async fn write_into(
        &self,
        files: &Files,
        source: impl AsyncRead + Send + 'static,
    ) -> Result<(), Error> {
        files.write(&self.path, source, &FileOptions::default()).await
    }
}

impl Wanted {
    /// What a file gets in place of this one.
    fn beside(&self, before: Option<Attributes>) -> FileOptions {
        let Some(before) = before else { return FileOptions { modify: false, ..self.new } };
        FileOptions {
            uid: self.changed.uid.or(Some(before.uid)),
            gid: self.changed.gid.or(Some(before.gid)),
            mode: self.changed.mode.or(Some(before.permissions & 0o7777)),
            ..FileOptions::default()
        }
    }
}

/// Whether a server knows what it was asked for, and fails at it.
fn is_failure(error: &Error) -> bool {
    matches!(error, Error::Api { code: 500.., .. })
}

/// The error with the file's own name.
fn unnamed(part: &str, path: &str, error: Error) -> Error {
    match error {
        Error::Api { code, message } => Error::Api { code, message: message.replace(part, path) },
        other => other,
    }
}
