//! Images that are saved as files.

use std::path::{Path, PathBuf};

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
        mut progress: impl FnMut(&Progress) + Send,
    ) -> Result<ImageFiles, Error> {
        if self.fingerprint.len() != 64 || !self.fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
            let message = format!("{} is not a whole fingerprint", self.fingerprint);
            return Err(Error::config(message));
        }
        let mut download = self.export().await?;
        let is_split = multipart::is_multipart(download.headers());
        let files = ImageFiles {
            metadata: folder.join(&self.fingerprint),
            rootfs: is_split.then(|| folder.join(format!("{}.root", self.fingerprint))),
        };
        let mut saving = Saving::new(download.length(), &mut progress);
        match &files.rootfs {
            None => saving.file(&mut download, &files.metadata).await?,
            Some(rootfs) => self.save_parts(&mut saving, download, [&files.metadata, rootfs]).await?,
        }
        saving.finish(self)?;
        Ok(files)
    }
}
