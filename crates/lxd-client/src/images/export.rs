use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use ring::digest::{Context, SHA256};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

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
        let mut saving = Saving {
            hash: Context::new(&SHA256),
            written: Vec::new(),
            progress: Progress { total: download.length().unwrap_or_default(), ..Progress::default() },
            report: &mut progress,
        };
        match &files.rootfs {
            None => saving.file(&mut download, &files.metadata).await?,
            Some(rootfs) => self.save_parts(&mut saving, download, [&files.metadata, rootfs]).await?,
        }
        saving.finish(self)?;
        Ok(files)
    }
}

/// Files that are being written. Those that are not finished are removed.
pub(super) struct Saving<'a> {
    hash: Context,
    written: Vec<(TempPath, PathBuf)>,
    progress: Progress,
    report: &'a mut (dyn FnMut(&Progress) + Send),
}

impl Saving<'_> {
    pub(super) async fn file(
        &mut self,
        pieces: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin + Send),
        path: &Path,
    ) -> Result<(), Error> {
        let failed = |source| Error::Local { message: path.display().to_string(), source };
        let (file, temporary) = temporary(path).await.map_err(failed)?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        self.written.push((temporary, path.to_owned()));
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(failed)?;
            self.hash.update(&piece);
            file.write_all(&piece).await.map_err(failed)?;
            self.progress.bytes += piece.len() as u64;
            (self.report)(&self.progress);
        }
        self.progress.entries += 1;
        file.flush().await.map_err(failed)
    }

    fn finish(self, image: &ImageHandle) -> Result<(), Error> {
        let hash = self.hash.finish();
        let actual: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        if !actual.eq_ignore_ascii_case(&image.fingerprint) {
            return Err(image
                .client
                .protocol(format!("the image's hash is {actual}, not {}", image.fingerprint)));
        }
        for (temporary, path) in self.written {
            temporary
                .persist(&path)
                .map_err(|e| Error::Local { message: path.display().to_string(), source: e.error })?;
        }
        Ok(())
    }
}

/// A file beside the one at `path`, with the permissions of any new file.
async fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    let any = Permissions::from_mode(0o666); // as the umask has it
    let create = move || tempfile::Builder::new().permissions(any).tempfile_in(folder);
    tokio::task::spawn_blocking(create).await.map_err(io::Error::other)?
}
