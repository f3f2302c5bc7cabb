//! Files in an instance: `/1.0/instances/{name}/files` and `/sftp`.

mod arrival;
mod count;
mod counter;
mod folder;
mod look;
mod pull;
mod push;
mod remove;
mod rename;
mod sftp;
mod special;

use std::ops::RangeBounds;
use std::sync::Arc;

use http::HeaderMap;
use tokio::io::AsyncRead;

use crate::client::dialect_header;
use crate::instances::InstanceHandle;
use crate::request::MAX_ANSWER;
use crate::transfer::Download;
use crate::transport::full;
use crate::{Client, Error, RawStream};

use arrival::Arrivals;
pub use arrival::FilesSession;
pub use count::FileCount;
pub use look::Listed;
pub use push::PushOptions;

/// How many files of a folder are transferred at once: to a server far away, each spends most of its time waiting.
const AT_ONCE: usize = 8;

/// How many links in a row are followed, as in Linux.
const MOST_LINKS: usize = 40;

/// The files of an instance, from [`InstanceHandle::files`].
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), lxd_client::Error> {
/// use lxd_client::FileOptions;
///
/// let files = client.instance("c1").files();
/// files.write("/etc/motd", &b"hello\n"[..], &FileOptions::default().mode(0o644)).await?;
/// files.push("site".as_ref(), "/var/www", &Default::default(), |p| println!("{} bytes", p.bytes)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Files {
    client: Client,
    instance: InstanceHandle,
    /// Shared by its clones.
    arrivals: Arc<Arrivals>,
}

/// What is at a path, from [`Files::read`].
#[derive(Debug)]
#[non_exhaustive]
pub enum Entry {
    /// A file, and its content, which is yet to be read.
    File(FileInfo, Download),
    /// A folder, and the names in it.
    Directory(FileInfo, Vec<String>),
    /// A symbolic link, and its target, which the server makes absolute.
    Symlink(FileInfo, String),
}

/// The kind of a file.
///
/// Servers call a special file a `File`, but for [`Files::list`] and [`Files::look`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A file.
    #[default]
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A named pipe, a socket or a device.
    Special,
}

/// The kind, owner, permissions and length of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileInfo {
    /// Its kind.
    pub kind: FileKind,
    /// The user's number.
    pub uid: u32,
    /// The group's number.
    pub gid: u32,
    /// The permissions, such as `0o644`.
    pub mode: u32,
    /// The length in bytes, of a file.
    pub size: Option<u64>,
    /// When it was changed, in seconds since 1970. [`Files::list`] and [`Files::look`] tell it.
    pub modified: Option<u64>,
}

/// Owner and permissions of a file that is written. The server sets them on a new file. On an existing file it changes
/// them only if [`modify`](FileOptions::modify) asks for that, which not all servers can.
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it does nothing until it is given to a method"]
pub struct FileOptions {
    uid: Option<u32>,
    gid: Option<u32>,
    mode: Option<u32>,
    append: bool,
    modify: bool,
}

/// How far a transfer is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Files, folders and links that are done.
    pub entries: u64,
    /// Bytes that were transferred.
    pub bytes: u64,
    /// How many bytes there are in total, as far as is known by now.
    pub total: u64,
    /// What was left out, with the reason: named pipes, sockets and devices, and files that were deleted meanwhile. Empty
    /// before the end.
    pub left_out: Vec<String>,
}

impl FileOptions {
    /// Sets the owner, by the numbers of user and group.
    pub fn owner(mut self, uid: u32, gid: u32) -> FileOptions {
        (self.uid, self.gid) = (Some(uid), Some(gid));
        self
    }

    /// Sets the permissions, such as `0o644`.
    pub fn mode(mut self, mode: u32) -> FileOptions {
        self.mode = Some(mode & 0o7777);
        self
    }

    /// Appends to an existing file instead of replacing it.
    pub fn append(mut self) -> FileOptions {
        self.append = true;
        self
    }

    /// Sets owner and permissions of an existing file, too. Fails with [`Error::Unsupported`] where the server cannot.
    pub fn modify(mut self) -> FileOptions {
        self.modify = true;
        self
    }
}

impl InstanceHandle {
    /// Its files. Nothing is sent.
    #[must_use]
    pub fn files(&self) -> Files {
        Files { client: self.client.clone(), instance: self.clone(), arrivals: Arc::default() }
    }

    /// `GET /1.0/instances/{name}/sftp`: a stream that speaks SFTP version 3, for any library or tool that
    /// does.
    ///
    /// # Errors
    /// When the server is older than LXD 5.0.
    pub async fn sftp(&self) -> Result<RawStream, Error> {
        self.client.get(&self.path(["sftp"])[..]).upgrade("sftp").await
    }
}

impl Files {
    fn request(&self, method: http::Method, path: &str) -> crate::Request {
        let request = self.client.request(method, &self.instance.path(["files"])[..]).query("path", path);
        if path.starts_with('/') {
            request
        } else {
            request.refuse(format!("{path:?} is not a path in an instance: it does not begin with /"))
        }
    }

    /// `GET /1.0/instances/{name}/files?path=`: what is at a path. Files in `/proc` come back empty.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when nothing is there.
    pub async fn read(&self, path: &str) -> Result<Entry, Error> {
        let (head, body) = self.request(http::Method::GET, path).streamed().await?;
        let info = FileInfo::of(&head.headers);
        let download = Download::new(self.client.timeout(), head.headers, body);
        let local = |source| Error::Local { message: format!("{path} could not be read"), source };
        match info.kind {
            FileKind::Directory => {
                let body = download.bytes(MAX_ANSWER).await.map_err(local)?;
                match crate::envelope::Envelope::parse(&body) {
                    Ok(crate::envelope::Envelope::Sync(names)) => {
                        let names: Option<Vec<String>> =
                            names.read().map_err(|e| self.client.malformed(e))?;
                        Ok(Entry::Directory(info, names.unwrap_or_default()))
                    }
                    _ => Err(self.client.protocol(format!("{path} is a folder without a list"))),
                }
            }
            FileKind::Symlink => {
                let target = download.bytes(64 << 10).await.map_err(local)?;
                let target = String::from_utf8_lossy(&target).trim_end_matches('\n').to_owned();
                Ok(Entry::Symlink(info, target))
            }
            FileKind::File | FileKind::Special => {
                Ok(Entry::File(FileInfo { size: download.length(), ..info }, download))
            }
        }
    }

    /// A part of a file, by its first and last byte.
    ///
    /// # Errors
    /// [`Error::Config`] when the range is empty; when nothing is there, or it is no file, or it has no such bytes.
    pub async fn read_range(&self, path: &str, range: impl RangeBounds<u64>) -> Result<Download, Error> {
        use std::ops::Bound;
        let first = match range.start_bound() {
            Bound::Included(n) => *n,
            Bound::Excluded(n) => n.saturating_add(1),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(n) => n.checked_add(1),
            Bound::Excluded(n) => Some(*n),
            Bound::Unbounded => None,
        };
        let last = end.map(|end| end.saturating_sub(1).to_string()).unwrap_or_default();
        let mut request =
            self.request(http::Method::GET, path).header("range", &format!("bytes={first}-{last}"));
        if end.is_some_and(|end| end <= first) {
            request = request.refuse(format!("a range from {first} on that ends before it has no bytes"));
        }
        let (head, body) = request.streamed().await?;
        if head.status != http::StatusCode::PARTIAL_CONTENT {
            return Err(self.client.protocol(format!("{path} came whole instead of a part of it")));
        }
        Ok(Download::new(self.client.timeout(), head.headers, body))
    }

    /// `HEAD /1.0/instances/{name}/files?path=`: what is at a path, without its content. LXD 5.0 does not tell its length.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when nothing is there.
    pub async fn info(&self, path: &str) -> Result<FileInfo, Error> {
        let (head, _) = self.request(http::Method::HEAD, path).head_answer().await?;
        match head.status {
            http::StatusCode::OK => {}
            http::StatusCode::NOT_FOUND => {
                return Err(Error::Api { code: 404, message: format!("{path} is not there") });
            }
            other => {
                let message = format!("no answer about {path}");
                return Err(self.client.refused(other.as_u16(), message, &head.headers).await);
            }
        }
        let length = head.headers.get(http::header::CONTENT_LENGTH);
        let size = length.and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        Ok(FileInfo { size, ..FileInfo::of(&head.headers) })
    }

    /// Whether a path is a folder, or a link to one. Cancel safe.
    ///
    /// # Errors
    /// See [`Error`]. When nothing is there, the answer is `false`.
    pub async fn is_dir(&self, path: &str) -> Result<bool, Error> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            match self.kind(&path).await? {
                Some(FileKind::Symlink) => match self.read(&path).await? {
                    Entry::Symlink(_, target) => path = resolved(&path, &target),
                    _ => continue, // it was replaced meanwhile
                },
                kind => return Ok(kind == Some(FileKind::Directory)),
            }
        }
        Ok(false)
    }

    /// What is at a path, if anything is.
    async fn kind(&self, path: &str) -> Result<Option<FileKind>, Error> {
        match self.info(path).await {
            Ok(info) => Ok(Some(info.kind)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(about(path, error)),
        }
    }

    /// `POST /1.0/instances/{name}/files?path=`: writes a file, as long as `source` is. The folder must be
    /// there.
    ///
    /// Not cancel safe: a part of it may be written.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when the folder is not there.
    pub async fn write(
        &self,
        path: &str,
        source: impl AsyncRead + Send + 'static,
        options: &FileOptions,
    ) -> Result<(), Error> {
        self.post(path, "file", options).await?.body_from(source).done().await
    }

    /// Makes a folder.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when the folder above is not there.
    pub async fn create_dir(&self, path: &str, options: &FileOptions) -> Result<(), Error> {
        self.post(path, "directory", options).await?.stream(full(Default::default())).done().await
    }

    /// Makes the folders above a path that are not there.
    ///
    /// # Errors
    /// [`Error::Config`] when one of them is a file.
    pub async fn create_parents(&self, path: &str, options: &FileOptions) -> Result<(), Error> {
        let mut missing = Vec::new();
        let mut folder = above(path);
        while !folder.is_empty() {
            match self.kind(folder).await? {
                Some(FileKind::File) => {
                    return Err(Error::config(format!("{folder} is to be a folder, and is a file")));
                }
                Some(_) => break,
                None => missing.push(folder),
            }
            folder = above(folder);
        }
        for folder in missing.into_iter().rev() {
            match self.create_dir(folder, options).await {
                Err(error) if !error.is_conflict() => return Err(about(folder, error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes a symbolic link that leads to `target`, as it is.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when the folder is not there.
    pub async fn symlink(&self, target: &str, path: &str, options: &FileOptions) -> Result<(), Error> {
        let body = full(target.to_owned().into());
        self.post(path, "symlink", options).await?.stream(body).done().await
    }

    /// `DELETE /1.0/instances/{name}/files?path=`: deletes a file, a link, or a folder that is empty.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when nothing is there.
    pub async fn delete(&self, path: &str) -> Result<(), Error> {
        self.request(http::Method::DELETE, path).done().await
    }

    async fn post(&self, path: &str, kind: &str, options: &FileOptions) -> Result<crate::Request, Error> {
        let prefix = self.client.header_prefix().await?;
        let mut request = self.request(http::Method::POST, path).header(&format!("{prefix}type"), kind);
        // The zero says that it is octal: without it, servers read a decimal number.
        let octal = options.mode.map(|mode| format!("0{mode:o}"));
        let decimal = |n: Option<u32>| n.map(|n| n.to_string());
        for (name, value) in [("uid", decimal(options.uid)), ("gid", decimal(options.gid)), ("mode", octal)] {
            if let Some(value) = value {
                request = request.header(&format!("{prefix}{name}"), &value);
            }
        }
        if kind == "file" {
            let write = if options.append { "append" } else { "overwrite" };
            request = request.header(&format!("{prefix}write"), write);
        }
        if options.modify {
            request = request.needs("instances_files_modify_permissions");
            request = request.header(&format!("{prefix}modify-perm"), "true");
        }
        Ok(request)
    }
}

/// The folder that a path is in; empty for the root.
fn above(path: &str) -> &str {
    path.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above.trim_end_matches('/'))
}

/// The path that a link leads to. Servers give it as an absolute one.
fn resolved(link: &str, target: &str) -> String {
    match link.rsplit_once('/') {
        Some((above, _)) if !target.starts_with('/') => format!("{above}/{target}"),
        _ => target.to_owned(),
    }
}

/// The error with the path that it is about.
fn about(path: &str, error: Error) -> Error {
    match error {
        Error::Api { code, message } if !message.contains(path) => {
            Error::Api { code, message: format!("{path}: {message}") }
        }
        other => other,
    }
}

impl FileInfo {
    pub(crate) fn of(headers: &HeaderMap) -> FileInfo {
        let number =
            |name: &str| dialect_header(headers, name).and_then(|v| v.parse().ok()).unwrap_or_default();
        let mode = dialect_header(headers, "mode").unwrap_or_default();
        FileInfo {
            kind: match dialect_header(headers, "type") {
                Some("directory") => FileKind::Directory,
                Some("symlink") => FileKind::Symlink,
                _ => FileKind::File,
            },
            uid: number("uid"),
            gid: number("gid"),
            mode: u32::from_str_radix(mode.trim_start_matches("0o"), 8).unwrap_or_default() & 0o7777,
            size: None,
            modified: None,
        }
    }
}
