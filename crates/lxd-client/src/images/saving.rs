//! The files of an image while they are written, and the check of their hash.

use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use ring::digest::{Context, SHA256};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::AsyncWriteExt;

use super::ImageHandle;
use crate::{Error, Progress};

/// Files that are being written. Those that are not finished are removed.
pub(super) struct Saving<'a> {
    image: &'a ImageHandle,
    hash: Context,
    written: Vec<TempPath>,
    progress: Progress,
    report: &'a mut (dyn FnMut(&Progress) + Send),
}

impl<'a> Saving<'a> {
    pub(super) fn new(
        image: &'a ImageHandle,
        length: Option<u64>,
        report: &'a mut (dyn FnMut(&Progress) + Send),
    ) -> Saving<'a> {
        let progress = Progress { total: length.unwrap_or_default(), ..Progress::default() };
        Saving { image, hash: Context::new(&SHA256), written: Vec::new(), progress, report }
    }

    pub(super) async fn file(
        &mut self,
        chunks: &mut (impl Stream<Item = io::Result<Bytes>> + Unpin + Send),
        folder: &Path,
    ) -> Result<(), Error> {
        let failed =
            |source| Error::Local { message: format!("cannot write in {}", folder.display()), source };
        let (file, temporary) = temporary(folder).await.map_err(failed)?.into_parts();
        let mut file = tokio::fs::File::from_std(file);
        self.written.push(temporary);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|e| self.image.client.broken(e))?;
            self.hash.update(&chunk);
            file.write_all(&chunk).await.map_err(failed)?;
            self.progress.bytes += chunk.len() as u64;
            (self.report)(&self.progress);
        }
        self.progress.entries += 1;
        file.flush().await.map_err(failed)
    }

    /// Checks the hash, and gives the files their names, in the order in which they came.
    pub(super) fn finish(self, paths: &[&Path]) -> Result<(), Error> {
        check(self.image, self.hash)?;
        for (temporary, path) in self.written.into_iter().zip(paths) {
            temporary
                .persist(path)
                .map_err(|e| Error::Local { message: path.display().to_string(), source: e.error })?;
        }
        Ok(())
    }
}

/// Fails where an image's hash is another than its fingerprint.
pub(super) fn check(image: &ImageHandle, hash: Context) -> Result<(), Error> {
    let hash = hash.finish();
    let actual: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    if actual.eq_ignore_ascii_case(&image.fingerprint) {
        return Ok(());
    }
    Err(image.client.protocol(format!("the image's hash is {actual}, not {}", image.fingerprint)))
}

/// A file in a folder, with the permissions of any new file.
async fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let folder = folder.to_owned();
    let any = Permissions::from_mode(0o666); // as the umask has it
    let create = move || tempfile::Builder::new().permissions(any).tempfile_in(folder);
    tokio::task::spawn_blocking(create).await.map_err(io::Error::other)?
}
