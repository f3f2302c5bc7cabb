//! Images in two files, which the server sends in one answer: `multipart/form-data`.

use std::path::Path;

use http::{HeaderMap, header};

use super::saving::Saving;
use super::{ExportedNames, ImageFile, ImageHandle, ImagePart};
use crate::{Download, Error};

#[cfg(feature = "images-multipart")]
use {
    super::file::Checked,
    crate::transfer::Chunks,
    bytes::Bytes,
    futures_util::{Stream, StreamExt},
    std::io,
};

const MULTIPART: &str = "multipart/form-data";

/// What an answer's header says of the kind of its body.
pub(super) fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a body of this kind has several files in it.
pub(super) fn is_multipart(content_type: &str) -> bool {
    content_type.get(..MULTIPART.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(MULTIPART))
}

impl ImageHandle {
    /// Saves the two files of an answer, the metadata and the root disk, and gives the names that the server has for
    /// them.
    #[cfg(feature = "images-multipart")]
    pub(super) async fn save_parts(
        &self,
        saving: &mut Saving<'_>,
        download: Download,
        folder: &Path,
    ) -> Result<ExportedNames, Error> {
        let mut parts = self.parts(download)?;
        let mut names = ExportedNames { split: true, ..ExportedNames::default() };
        for (name, file_name) in [("metadata", &mut names.metadata), ("rootfs", &mut names.rootfs)] {
            let part = self.next(&mut parts, name).await?;
            *file_name = part.file_name().and_then(super::export::plain);
            saving.file(&mut chunks(part), folder).await?;
        }
        Ok(names)
    }

    /// One of the two files of an answer. The metadata comes first, and is read over for the root disk.
    #[cfg(feature = "images-multipart")]
    pub(super) async fn open_part(&self, download: Download, part: ImagePart) -> Result<ImageFile, Error> {
        let mut parts = self.parts(download)?;
        let (mut file, mut hash) = (self.next(&mut parts, "metadata").await?, None);
        if part == ImagePart::Rootfs {
            let mut both = ring::digest::Context::new(&ring::digest::SHA256);
            while let Some(chunk) = file.chunk().await.map_err(|e| self.client.broken(e))? {
                both.update(&chunk);
            }
            drop(file); // it is in the way of the next one
            (file, hash) = (self.next(&mut parts, "rootfs").await?, Some(both));
        }
        let name = file.file_name().and_then(super::export::plain);
        let checked = Checked { chunks: Box::pin(chunks(file)), hash, image: self.clone() };
        Ok(ImageFile { name, length: None, chunks: Chunks::new(checked) })
    }

    #[cfg(feature = "images-multipart")]
    fn parts(&self, download: Download) -> Result<multer::Multipart<'static>, Error> {
        let boundary = multer::parse_boundary(content_type(download.headers()));
        let boundary = boundary.map_err(|e| self.client.malformed(e))?;
        Ok(multer::Multipart::new(download, boundary))
    }

    #[cfg(feature = "images-multipart")]
    async fn next(
        &self,
        parts: &mut multer::Multipart<'static>,
        name: &str,
    ) -> Result<multer::Field<'static>, Error> {
        let part = parts.next_field().await.map_err(|e| self.client.broken(e))?;
        part.ok_or_else(|| self.client.protocol(format!("an image without its {name}")))
    }

    #[cfg(not(feature = "images-multipart"))]
    pub(super) async fn save_parts(
        &self,
        _: &mut Saving<'_>,
        _: Download,
        _: &Path,
    ) -> Result<ExportedNames, Error> {
        Err(left_out())
    }

    #[cfg(not(feature = "images-multipart"))]
    pub(super) async fn open_part(&self, _: Download, _: ImagePart) -> Result<ImageFile, Error> {
        Err(left_out())
    }
}

/// What a file has.
#[cfg(feature = "images-multipart")]
fn chunks(mut file: multer::Field<'static>) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin {
    futures_util::stream::poll_fn(move |cx| file.poll_next_unpin(cx))
        .map(|chunk| chunk.map_err(io::Error::other))
}

#[cfg(not(feature = "images-multipart"))]
fn left_out() -> Error {
    let message = "the image is in two files, which this program cannot tell apart (lxd-client was built without \
                   its feature images-multipart)";
    Error::config(message.to_owned())
}
