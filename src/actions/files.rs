//! Files in an instance: send, fetch, create, edit and delete them.

use std::path::Path;

use lxd_client::{Client, Entry, Error, FileInfo, FileKind, FileOptions, Files, PushOptions};
use tokio::io::AsyncWrite;

use super::{ActionError, Job, Source};

/// What is sent into an instance.
pub(crate) enum Sent<'a> {
    /// A file, or a folder with everything in it.
    Path(&'a Path),
    /// What has no name, such as the standard input.
    Stream(Source),
}

/// How files are made in an instance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Making {
    pub(crate) uid: Option<u32>,
    pub(crate) gid: Option<u32>,
    pub(crate) mode: Option<u32>,
    /// The folders above it that are not there are made, too.
    pub(crate) parents: bool,
}

/// The permissions of a new file that has none elsewhere.
const FILE_MODE: u32 = 0o644;

/// The permissions of a new folder that has none elsewhere.
const FOLDER_MODE: u32 = 0o755;

/// The longest file that is edited.
const MOST_TEXT: usize = 64 << 20;

/// Sends files and folders to a path in an instance. What goes to a folder goes into it, under its own name; with `into`, the
/// target is a folder in any case. Files that are there are replaced when the new ones are whole. The paths that were
/// skipped are returned: they are no files, folders or links.
///
/// When it is cancelled, files that are whole stay.
pub(crate) async fn push(
    client: &Client,
    instance: &str,
    sources: Vec<Sent<'_>>,
    to: &str,
    into: bool,
    making: &Making,
    job: &Job,
) -> Result<Vec<String>, ActionError> {
    let files = client.instance(instance).files();
    let work = async {
        let (is_folder, _session) = tokio::join!(is_folder(&files, to, into), files.connect());
        let is_folder = is_folder?;
        if sources.len() > 1 && !is_folder {
            return Err(ActionError::Refused(format!("{to:?} is not a folder, which several files need")));
        }
        if making.parents {
            let inside = format!("{}/", to.trim_end_matches('/'));
            let above = if is_folder { format!("{inside}-") } else { to.to_owned() };
            files.create_parents(&above, &making.folder()).await?;
        }
        let mut left_out = Vec::new();
        for source in sources {
            match source {
                Sent::Path(path) => {
                    let to = if is_folder { within(to, path)? } else { to.to_owned() };
                    job.stage(path.display().to_string());
                    let progress = job.clone();
                    let tell = move |p: &lxd_client::Progress| progress.moved(p.bytes, Some(p.total));
                    left_out.extend(files.push(path, &to, &making.push(), tell).await?.left_out);
                }
                Sent::Stream(_) if is_folder => {
                    let folder = to.trim_end_matches('/');
                    return Err(ActionError::Refused(format!(
                        "it has no name in a folder: write {folder}/NAME"
                    )));
                }
                Sent::Stream(source) => {
                    let (bytes, _) = source.sending(job);
                    files.replace(to, bytes, &making.file()).await?;
                }
            }
        }
        Ok(left_out)
    };
    whole(&files, job, work).await
}

/// Fetches a file or a folder to a path of this machine. The paths that were skipped are returned: they are no files, folders
/// or links.
///
/// When it is cancelled, files that are whole stay.
pub(crate) async fn pull(
    client: &Client,
    instance: &str,
    from: &str,
    to: &Path,
    job: &Job,
) -> Result<Vec<String>, ActionError> {
    let files = client.instance(instance).files();
    let progress = job.clone();
    let tell = move |p: &lxd_client::Progress| progress.moved(p.bytes, Some(p.total));
    Ok(job.run(files.pull(from, to, tell)).await?.left_out)
}

/// Writes a file of an instance to a stream.
pub(crate) async fn pull_to(
    client: &Client,
    instance: &str,
    from: &str,
    to: &mut (impl AsyncWrite + Unpin + Send),
    job: &Job,
) -> Result<(), ActionError> {
    let files = client.instance(instance).files();
    let progress = job.clone();
    let tell = move |p: &lxd_client::Progress| progress.moved(p.bytes, Some(p.total));
    job.run(files.pull_to(from, to, tell)).await.map(drop)
}

/// What is to be made in an instance.
pub(crate) enum New<'a> {
    /// An empty file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link that leads there.
    Symlink(&'a str),
}

/// Makes an empty file, a folder or a link. `force` replaces a file or link that is there; a folder that is there stays.
pub(crate) async fn create(
    client: &Client,
    instance: &str,
    path: &str,
    new: &New<'_>,
    force: bool,
    making: &Making,
    job: &Job,
) -> Result<(), ActionError> {
    let files = client.instance(instance).files();
    let work = async {
        let before = match files.info(path).await {
            Ok(info) => Some(info.kind),
            Err(error) if error.is_not_found() => None,
            Err(error) => return Err(error.into()),
        };
        let is_folder = before == Some(FileKind::Directory);
        if before.is_some() && (!force || is_folder != matches!(new, New::Folder)) {
            return Err(is_there(path, is_folder));
        }
        if making.parents {
            files.create_parents(path, &making.folder()).await?;
        }
        match new {
            New::File => files.replace(path, tokio::io::empty(), &making.file()).await?,
            New::Folder if is_folder => {}
            New::Folder => files.create_dir(path, &making.folder()).await?,
            New::Symlink(target) => {
                if before.is_some() {
                    files.delete(path).await?;
                }
                files.symlink(target, path, &making.file()).await?;
            }
        }
        Ok(())
    };
    whole(&files, job, work).await
}

/// Gives a file, a link or a folder another path. `force` replaces a file or link that is there.
pub(crate) async fn rename(
    client: &Client,
    instance: &str,
    from: &str,
    to: &str,
    force: bool,
    job: &Job,
) -> Result<(), ActionError> {
    let files = client.instance(instance).files();
    let _session = files.connect().await;
    job.run(files.look(from)).await?;
    let before = match job.run(files.look(to)).await {
        Ok(info) => Some(info.kind),
        Err(ActionError::Cloud(error)) if error.is_not_found() => None,
        Err(error) => return Err(error),
    };
    let is_folder = before == Some(FileKind::Directory);
    if is_folder || (before.is_some() && !force) {
        return Err(is_there(to, is_folder));
    }
    // Not to be cancelled: it is done at once.
    Ok(files.rename(from, to).await?)
}

/// Deletes a file, a link or an empty folder; `all` also a folder with everything in it.
pub(crate) async fn delete(
    client: &Client,
    instance: &str,
    path: &str,
    all: bool,
    job: &Job,
) -> Result<(), ActionError> {
    let files = client.instance(instance).files();
    if all { job.run(files.delete_all(path)).await } else { job.run(files.delete(path)).await }
}

/// A file as it was read, to be edited.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Text {
    pub(crate) content: Vec<u8>,
    info: FileInfo,
}

/// Reads a file to edit it. A link is followed.
pub(crate) async fn read(
    client: &Client,
    instance: &str,
    path: &str,
    job: &Job,
) -> Result<Text, ActionError> {
    let files = client.instance(instance).files();
    job.run(async { text(&files, path).await }).await
}

/// Writes an edited file, unless it has changed since it was read. It keeps its owner and permissions.
pub(crate) async fn write_edited(
    client: &Client,
    instance: &str,
    path: &str,
    before: &Text,
    after: Vec<u8>,
    job: &Job,
) -> Result<(), ActionError> {
    let files = client.instance(instance).files();
    let work = async {
        let (now, _session) = tokio::join!(text(&files, path), files.connect());
        if now? != *before {
            let message = format!("{path} was changed by somebody else meanwhile; nothing was written");
            return Err(ActionError::Conflict(message));
        }
        Ok(files.replace(path, std::io::Cursor::new(after), &FileOptions::default()).await?)
    };
    whole(&files, job, work).await
}

async fn text(files: &Files, path: &str) -> Result<Text, ActionError> {
    let mut path = path.to_owned();
    for _ in 0..40 {
        match files.read(&path).await? {
            Entry::File(info, download) => {
                let local = |source| Error::Local { message: format!("{path} could not be read"), source };
                return Ok(Text { content: download.bytes(MOST_TEXT).await.map_err(local)?.to_vec(), info });
            }
            Entry::Symlink(_, target) if target.starts_with('/') => path = target,
            _ => break,
        }
    }
    Err(ActionError::Refused(format!("{path} is no file")))
}

/// Does it, unless the job is cancelled, and removes what is not whole when it fails.
async fn whole<T>(
    files: &Files,
    job: &Job,
    work: impl Future<Output = Result<T, ActionError>>,
) -> Result<T, ActionError> {
    let outcome = job.run(work).await;
    let Err(mut error) = outcome else { return outcome };
    for left in files.clean_up().await {
        error = error.leaving(format!("a part of a file, {left} in the instance"));
    }
    Err(error)
}

fn is_there(path: &str, is_folder: bool) -> ActionError {
    let what = if is_folder { "a folder" } else { "a file" };
    ActionError::Refused(format!("{path}: {what} is there already"))
}

async fn is_folder(files: &Files, path: &str, into: bool) -> Result<bool, ActionError> {
    Ok(into || path.ends_with('/') || files.is_dir(path).await?)
}

/// The path in a folder for a source: under its own name. The content of `.` goes into the folder itself, as with `cp`.
fn within(path: &str, source: &Path) -> Result<String, ActionError> {
    let folder = path.trim_end_matches('/');
    match source.file_name().map(|name| name.to_str()) {
        Some(Some(name)) => Ok(format!("{folder}/{name}")),
        Some(None) => Err(ActionError::Refused(format!("the name of {} is not UTF-8", source.display()))),
        None => Ok(path.to_owned()),
    }
}

impl Making {
    /// A new file, or one that is there and gets what is given.
    fn file(&self) -> FileOptions {
        let options = self.owned().mode(self.mode.unwrap_or(FILE_MODE));
        if self.uid.is_some() || self.gid.is_some() || self.mode.is_some() {
            options.modify()
        } else {
            options
        }
    }

    pub(crate) fn folder(&self) -> FileOptions {
        self.owned().mode(FOLDER_MODE)
    }

    fn owned(&self) -> FileOptions {
        FileOptions::default().owner(self.uid.unwrap_or_default(), self.gid.unwrap_or_default())
    }

    fn push(&self) -> PushOptions {
        let mut options = PushOptions::default().keep_owner();
        if let Some(uid) = self.uid {
            options = options.uid(uid);
        }
        if let Some(gid) = self.gid {
            options = options.gid(gid);
        }
        if let Some(mode) = self.mode {
            options = options.mode(mode);
        }
        options
    }
}
