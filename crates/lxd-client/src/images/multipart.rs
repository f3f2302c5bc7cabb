//! Images in two files, which the server sends in one answer: `multipart/form-data`.

use std::path::Path;

use http::{HeaderMap, header};

use super::saving::Saving;
use super::{ExportedNames, ImageHandle};
use crate::{Download, Error};

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
        use futures_util::StreamExt;

        let boundary = multer::parse_boundary(content_type(download.headers()));
        let boundary = boundary.map_err(|e| self.client.malformed(e))?;
        let mut parts = multer::Multipart::new(download, boundary);
        let mut names = ExportedNames { split: true, ..ExportedNames::default() };
        for (name, file_name) in [("metadata", &mut names.metadata), ("rootfs", &mut names.rootfs)] {
            let part = parts.next_field().await.map_err(|e| self.client.broken(e))?;
            let Some(mut part) = part else {
                return Err(self.client.protocol(format!("an image without its {name}")));
            };
            *file_name = part.file_name().and_then(super::export::plain);
            let mut chunks = futures_util::stream::poll_fn(|cx| part.poll_next_unpin(cx))
                .map(|chunk| chunk.map_err(std::io::Error::other));
            saving.file(&mut chunks, folder).await?;
        }
        Ok(names)
    }

    #[cfg(not(feature = "images-multipart"))]
    pub(super) async fn save_parts(
        &self,
        _: &mut Saving<'_>,
        _: Download,
        _: &Path,
    ) -> Result<ExportedNames, Error> {
        let message = "the image is in two files, which this program cannot tell apart (lxd-client was built without \
                       its feature images-multipart)";
        Err(Error::config(message.to_owned()))
    }
}
