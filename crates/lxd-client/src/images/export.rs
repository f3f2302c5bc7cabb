//! Images that are saved as files.

use std::path::{Path, PathBuf};

use futures_util::StreamExt;
use http::header::CONTENT_DISPOSITION;
use ring::digest::{Context, SHA256};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::saving::Saving;
use super::{ImageHandle, multipart};
use crate::{Download, Error, Progress};

/// The files of an image, from [`ImageHandle::export_to`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageFiles {
    /// The whole image, or its metadata.
    pub metadata: PathBuf,
    /// Its root disk, when the image is split.
    pub rootfs: Option<PathBuf>,
}

impl ImageFiles {
    /// The whole image, or its metadata and its root disk.
    #[must_use]
    pub fn new(metadata: PathBuf, rootfs: Option<PathBuf>) -> ImageFiles {
        ImageFiles { metadata, rootfs }
    }
}

/// What a server calls the files of an image, for [`ImageHandle::export_as`]. No name has a folder in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportedNames {
    /// The image is in two files.
    pub split: bool,
    /// The name of the whole image, or of its metadata.
    pub metadata: Option<String>,
    /// That of its root disk.
    pub rootfs: Option<String>,
}

impl ImageHandle {
    /// `GET /1.0/images/{fingerprint}/export`: the image as the server sends it: a file, or two in
    /// `multipart/form-data`. Nothing checks its hash.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is no such image.
    pub async fn export(&self) -> Result<Download, Error> {
        self.client.get(["images", &self.fingerprint, "export"]).download().await
    }

    /// Saves the image's files in a folder, and checks their hash: they are named `FINGERPRINT` and
    /// `FINGERPRINT.root`, or are not there at all. The handle needs the whole fingerprint. `progress` is
    /// called often.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the hash is another; [`Error::Local`] when something cannot be written;
    /// [`Error::Config`] when the image is in two files and the feature `images-multipart` is off.
    pub async fn export_to(
        &self,
        folder: &Path,
        progress: impl FnMut(&Progress) + Send,
    ) -> Result<ImageFiles, Error> {
        let named = |names: &ExportedNames| ImageFiles {
            metadata: folder.join(&self.fingerprint),
            rootfs: names.split.then(|| folder.join(format!("{}.root", self.fingerprint))),
        };
        self.export_as(folder, named, progress).await
    }

    /// The same under names of the caller's, who learns what the server calls the files. All of them are in `folder`.
    ///
    /// # Errors
    /// Those of [`export_to`](ImageHandle::export_to).
    pub async fn export_as(
        &self,
        folder: &Path,
        named: impl FnOnce(&ExportedNames) -> ImageFiles,
        mut progress: impl FnMut(&Progress) + Send,
    ) -> Result<ImageFiles, Error> {
        self.is_whole()?;
        let mut download = self.export().await?;
        let mut saving = Saving::new(self, download.length(), &mut progress);
        let names = if multipart::is_multipart(multipart::content_type(download.headers())) {
            self.save_parts(&mut saving, download, folder).await?
        } else {
            saving.file(&mut download, folder).await?;
            ExportedNames { metadata: file_name(&download), ..ExportedNames::default() }
        };
        let files = named(&names);
        let paths: Vec<&Path> = std::iter::once(&files.metadata).chain(&files.rootfs).map(|p| &**p).collect();
        saving.finish(&paths)?;
        Ok(files)
    }
}

impl ImageHandle {
    /// Writes an image to a stream, and checks its hash at the end. The handle needs the whole fingerprint. What was
    /// written before an error cannot be taken back.
    ///
    /// # Errors
    /// [`Error::Protocol`] when the hash is another; [`Error::Local`] when it cannot be written; [`Error::Config`] when the
    /// image is in two files.
    pub async fn export_into(
        &self,
        to: &mut (impl AsyncWrite + Unpin + Send + ?Sized),
        mut progress: impl FnMut(&Progress) + Send,
    ) -> Result<(), Error> {
        self.is_whole()?;
        let mut download = self.export().await?;
        if multipart::is_multipart(multipart::content_type(download.headers())) {
            let message = "the image is in two files, which have to go into a folder";
            return Err(Error::config(message.to_owned()));
        }
        let failed = |source| Error::Local { message: "the image cannot be written".to_owned(), source };
        let mut done = Progress { total: download.length().unwrap_or_default(), ..Progress::default() };
        let mut hash = Context::new(&SHA256);
        while let Some(chunk) = download.next().await {
            let chunk = chunk.map_err(|e| self.client.broken(e))?;
            hash.update(&chunk);
            to.write_all(&chunk).await.map_err(failed)?;
            done.bytes += chunk.len() as u64;
            progress(&done);
        }
        to.flush().await.map_err(failed)?;
        super::saving::check(self, hash)
    }

    pub(super) fn is_whole(&self) -> Result<(), Error> {
        if self.fingerprint.len() == 64 && self.fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(());
        }
        Err(Error::config(format!("{} is not a whole fingerprint", self.fingerprint)))
    }
}

/// What the server calls the one file of an image.
pub(super) fn file_name(download: &Download) -> Option<String> {
    let header = download.headers().get(CONTENT_DISPOSITION)?.to_str().ok()?;
    let (_, name) = header.split_once("filename=")?;
    plain(name.split(';').next()?.trim_matches('"'))
}

/// A file's name as a server tells it, if it is one: with no folder in it.
pub(super) fn plain(name: &str) -> Option<String> {
    let only = Path::new(name).file_name()?.to_str()?;
    (only == name && !name.contains(char::is_control)).then(|| name.to_owned())
}
