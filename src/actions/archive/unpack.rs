//! A tar becomes what is in a folder of an instance.
//!
//! The archive may be anybody's: whatever it says, nothing is written outside the folder. Each folder on the way to an entry is
//! looked at before anything goes into it, and a link among them is an error. Links of the archive are made as they are.

use std::collections::HashSet;

use futures_util::StreamExt;
use lxd_client::{Entry as Existing, FileKind, FileOptions, Files};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinSet;
use tokio_tar::{Archive, Entry, EntryType};

use super::metered::{Meter, Metered};
use super::path::inside;
use super::{Exact, LONGEST};
use crate::actions::{ActionError, Job, Source};

/// No archive has more entries.
const ENTRIES: u64 = 1_000_000;

/// How long the head of one entry may be, its long names and all else included.
const HEAD: u64 = 1 << 20;

/// What may follow the end of the archive.
const TAIL: u64 = 1 << 20;

/// Files up to this length are sent several at once: to a server far away, each spends most of its time waiting.
const SMALL: u64 = 64 << 10;

/// How many of them.
const AT_ONCE: usize = 16;

/// The permissions of a folder on the way that the archive does not have.
const FOLDER_MODE: u32 = 0o755;

/// The owner of everything, instead of those of the archive.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Owner {
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
}

/// Makes in a folder what a tar has, with modes, owners and links, and tells how many entries it had. Files and links that are
/// there are replaced, each when the new one is whole, and folders are added to. A hard link becomes a copy.
///
/// When it fails or is cancelled, what is whole stays.
pub(crate) async fn unpack(
    files: &Files,
    folder: &str,
    source: impl AsyncRead + Unpin + Send + 'static,
    owner: Owner,
    job: &Job,
) -> Result<u64, ActionError> {
    let mut unpacking = Unpacking {
        files: files.clone(),
        folder: folder.trim_end_matches('/').to_owned(),
        owner,
        folders: HashSet::new(),
        sending: JoinSet::new(),
        under_way: HashSet::new(),
    };
    let _session = files.connect().await;
    let mut outcome = job.run(unpacking.all(source, job)).await;
    if outcome.is_err() && !job.is_cancelled() {
        // What came whole before the failure is sent to its end.
        while let Ok(Some(_)) =
            job.run(async { Ok::<_, ActionError>(unpacking.sending.join_next().await) }).await
        {}
    }
    // Nothing is being sent any more when parts of files are looked for.
    unpacking.sending.shutdown().await;
    if let Err(error) = outcome {
        let left = files.clean_up().await.into_iter();
        let error = left
            .fold(error, |error, left| error.leaving(format!("a part of a file, {left} in the instance")));
        outcome = Err(error);
    }
    outcome
}

struct Unpacking {
    files: Files,
    /// Where all goes; empty for the root.
    folder: String,
    owner: Owner,
    /// What is known to be a folder, and no link to one.
    folders: HashSet<String>,
    sending: JoinSet<Result<(), ActionError>>,
    /// The paths of what is being sent.
    under_way: HashSet<String>,
}

impl Unpacking {
    async fn all(
        &mut self,
        source: impl AsyncRead + Unpin + Send + 'static,
        job: &Job,
    ) -> Result<u64, ActionError> {
        let meter = Meter::default();
        let mut archive = Archive::new(Metered { source, meter: meter.clone() });
        let mut entries = archive.entries().map_err(malformed)?;
        let (mut count, mut bytes) = (0, 0);
        loop {
            meter.allow(HEAD);
            let Some(entry) = entries.next().await else { break };
            let entry = entry.map_err(malformed)?;
            count += 1;
            if count > ENTRIES {
                return Err(ActionError::Refused(format!("the archive has more than {ENTRIES} entries")));
            }
            meter.allow(u64::MAX);
            bytes += entry.effective_size();
            let name = String::from_utf8_lossy(&entry.path_bytes().map_err(malformed)?).into_owned();
            self.entry(entry).await.map_err(|error| named(&name, error))?;
            job.moved(bytes, None);
        }
        drop(entries);
        self.settle(0).await?;
        // What follows is padding, and is taken so that its sender hears the answer.
        if let Ok(mut rest) = archive.into_inner() {
            rest.meter.allow(u64::MAX);
            tokio::io::copy(&mut (&mut rest).take(TAIL), &mut tokio::io::sink()).await.map_err(malformed)?;
        }
        Ok(count)
    }

    async fn entry<R: AsyncRead + Unpin + Send + 'static>(
        &mut self,
        entry: Entry<R>,
    ) -> Result<(), ActionError> {
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        let below = inside(&entry.path_bytes().map_err(malformed)?).map_err(refused)?;
        let path = format!("{}/{below}", self.folder);
        if path.len() > LONGEST {
            return Err(refused("its path is too long"));
        }
        let options = self.options(&entry)?;
        if below.is_empty() {
            return match kind {
                EntryType::Directory => self.ensure_folder(&below, None).await,
                _ => Err(refused("it has no name")),
            };
        }
        let above = below.rsplit_once('/').map_or("", |(above, _)| above);
        match kind {
            EntryType::Directory => self.ensure_folder(&below, Some(options)).await,
            EntryType::Symlink => {
                self.ensure_folder(above, None).await?;
                let target = target(&entry)?;
                Ok(self.files.put_link(&target, &path, &options).await?)
            }
            EntryType::Link => {
                self.settle(0).await?;
                let original = inside(target(&entry)?.as_bytes()).map_err(refused)?;
                self.ensure_folder(above, None).await?;
                self.copy(&original, &path, &options).await
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                self.ensure_folder(above, None).await?;
                self.file(entry, path, options).await
            }
            EntryType::Fifo => Err(refused("it is a named pipe")),
            EntryType::Char | EntryType::Block => Err(refused("it is a device")),
            _ => Err(refused("it is no file, folder or link")),
        }
    }

    async fn file<R: AsyncRead + Unpin + Send + 'static>(
        &mut self,
        mut entry: Entry<R>,
        path: String,
        options: FileOptions,
    ) -> Result<(), ActionError> {
        if self.under_way.contains(&path) {
            self.settle(0).await?; // the later one of two wins
        }
        if entry.effective_size() > SMALL {
            let (content, read) = Source::new(path.clone(), entry).watched();
            let sent = self.files.put(&path, content, &options).await;
            return sent.map_err(|error| read.failure().map_or_else(|| error.into(), malformed));
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).await.map_err(malformed)?;
        self.settle(AT_ONCE - 1).await?;
        self.under_way.insert(path.clone());
        let files = self.files.clone();
        self.sending.spawn(async move {
            let sent = files.put(&path, std::io::Cursor::new(content), &options).await;
            sent.map_err(|error| named(&path, error.into()))
        });
        Ok(())
    }

    /// Waits until no more than so many files are being sent.
    async fn settle(&mut self, most: usize) -> Result<(), ActionError> {
        while self.sending.len() > most {
            match self.sending.join_next().await {
                Some(Ok(sent)) => sent?,
                Some(Err(panic)) => std::panic::resume_unwind(panic.into_panic()), // none is aborted before
                None => {}
            }
        }
        if most == 0 {
            self.under_way.clear();
        }
        Ok(())
    }

    /// Sees to it that this is a folder below the one that all goes to, and each above it, and makes those that are not there;
    /// the last one with these options.
    async fn ensure_folder(&mut self, below: &str, last: Option<FileOptions>) -> Result<(), ActionError> {
        if self.folders.contains(below) {
            return Ok(());
        }
        if self.folders.is_empty() {
            // The folder itself was asked for by its path, in which links are followed.
            let root = if self.folder.is_empty() { "/" } else { &self.folder };
            let (path, info) = self.files.follow(root).await?;
            if info.kind != FileKind::Directory {
                return Err(refused_at(&path, "is no folder"));
            }
            self.folders.insert(String::new());
        }
        let ends = below.match_indices('/').map(|(end, _)| end).chain([below.len()]);
        for end in ends.filter(|end| *end > 0) {
            let here = &below[..end];
            if self.folders.contains(here) {
                continue;
            }
            let path = format!("{}/{here}", self.folder);
            match self.files.look(&path).await {
                Ok(info) if info.kind == FileKind::Directory => {}
                Ok(info) if info.kind == FileKind::Symlink => {
                    return Err(refused_at(&path, "is a link, and nothing is written through one"));
                }
                Ok(_) => return Err(refused_at(&path, "is no folder")),
                Err(error) if error.is_not_found() => {
                    let usual = FileOptions::default()
                        .owner(self.owner.uid.unwrap_or_default(), self.owner.gid.unwrap_or_default())
                        .mode(FOLDER_MODE);
                    let options = last.filter(|_| end == below.len()).unwrap_or(usual);
                    self.files.create_dir(&path, &options).await?;
                }
                Err(error) => return Err(error.into()),
            }
            self.folders.insert(here.to_owned());
        }
        Ok(())
    }

    /// Copies a file that the folder has by now.
    async fn copy(&mut self, original: &str, to: &str, options: &FileOptions) -> Result<(), ActionError> {
        self.ensure_folder(original.rsplit_once('/').map_or("", |(above, _)| above), None).await?;
        let from = format!("{}/{original}", self.folder);
        let info = self.files.look(&from).await?;
        let length = info.size.filter(|_| info.kind == FileKind::File);
        let length = length.ok_or_else(|| refused_at(&from, "is no file"))?;
        let Existing::File(_, download) = self.files.read(&from).await? else {
            return Err(refused_at(&from, "is no file"));
        };
        Ok(self.files.put(to, Exact::new(from, download, length), options).await?)
    }

    fn options<R: AsyncRead + Unpin>(&self, entry: &Entry<R>) -> Result<FileOptions, ActionError> {
        let header = entry.header();
        let number = |number: u64| u32::try_from(number).map_err(|_| refused("its owner has no such number"));
        let uid = self.owner.uid.map_or_else(|| number(header.uid().map_err(malformed)?), Ok)?;
        let gid = self.owner.gid.map_or_else(|| number(header.gid().map_err(malformed)?), Ok)?;
        Ok(FileOptions::default().owner(uid, gid).mode(header.mode().map_err(malformed)?))
    }
}

/// Where a link of the archive leads, as it is written.
fn target<R: AsyncRead + Unpin>(entry: &Entry<R>) -> Result<String, ActionError> {
    let target = entry.link_name_bytes().map_err(malformed)?.unwrap_or_default();
    match String::from_utf8(target.into_owned()) {
        Ok(target) if target.is_empty() || target.contains('\0') => Err(refused("it is a link to nothing")),
        Ok(target) if target.len() > LONGEST => Err(refused("it is a link that is too long")),
        Ok(target) => Ok(target),
        Err(_) => Err(refused("it is a link to a name that is not UTF-8")),
    }
}

fn malformed(error: std::io::Error) -> ActionError {
    ActionError::Refused(format!("the archive cannot be read: {error}"))
}

fn refused(why: &str) -> ActionError {
    ActionError::Refused(why.to_owned())
}

fn refused_at(path: &str, why: &str) -> ActionError {
    ActionError::Refused(format!("{path} {why}"))
}

/// The error with the entry that it is about.
fn named(name: &str, error: ActionError) -> ActionError {
    match error {
        ActionError::Refused(why) => ActionError::Refused(format!("{name}: {why}")),
        ActionError::Cloud(lxd_client::Error::Api { code, message }) => {
            ActionError::Cloud(lxd_client::Error::Api { code, message: format!("{name}: {message}") })
        }
        error => error,
    }
}
