//! Images in two files, which the server sends in one answer: `multipart/form-data`.

use std::path::Path;

use http::{HeaderMap, header};

use super::ImageHandle;
use super::saving::Saving;
use crate::{Download, Error};

const MULTIPART: &str = "multipart/form-data";

/// Whether an answer has several files in it.
pub(super) fn is_multipart(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(|c| c.get(..MULTIPART.len())).is_some_and(|c| c.eq_ignore_ascii_case(MULTIPART))
}

impl ImageHandle {
    /// Saves the two files of an answer: the metadata, and the root disk.
    #[cfg(feature = "images-multipart")]
    pub(super) async fn save_parts(
        &self,
        saving: &mut Saving<'_>,
        download: Download,
        paths: [&Path; 2],
    ) -> Result<(), Error> {
        use futures_util::StreamExt;

        let content_type = download.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let boundary = multer::parse_boundary(content_type.unwrap_or_default());
        let boundary = boundary.map_err(|e| self.client.malformed(e))?;
        let mut parts = multer::Multipart::new(download, boundary);
        for (name, path) in ["metadata", "rootfs"].into_iter().zip(paths) {
            let part = parts.next_field().await.map_err(|e| self.client.broken(e))?;
            let Some(mut part) = part else {
                return Err(self.client.protocol(format!("an image without its {name}")));
            };
            let mut chunks = futures_util::stream::poll_fn(|cx| part.poll_next_unpin(cx))
                .map(|chunk| chunk.map_err(std::io::Error::other));
            saving.file(&mut chunks, path).await?;
        }
        Ok(())
    }

    #[cfg(not(feature = "images-multipart"))]
    pub(super) async fn save_parts(
        &self,
        _: &mut Saving<'_>,
        _: Download,
        _: [&Path; 2],
    ) -> Result<(), Error> {
        let message = "the image is in two files, which this program cannot tell apart (lxd-client was built without \
                       its feature images-multipart)";
        Err(Error::config(message.to_owned()))
    }
}
