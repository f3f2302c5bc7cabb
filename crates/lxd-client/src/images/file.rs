//! One file of an image, as it comes.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use ring::digest::{self, SHA256};
use tokio::io::{AsyncRead, ReadBuf};

use super::{ImageHandle, export, multipart, saving};
use crate::Error;
use crate::transfer::Chunks;

/// Which file of an image that is in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImagePart {
    /// What it says of itself.
    Metadata,
    /// Its root disk.
    Rootfs,
}

/// A file of an image, from [`ImageHandle::open`]. Dropping it ends the transfer.
pub struct ImageFile {
    pub(super) name: Option<String>,
    pub(super) length: Option<u64>,
    pub(super) chunks: Chunks<Checked>,
}

/// Chunks whose hash is known at their end.
pub(super) struct Checked {
    pub(super) chunks: BoxStream<'static, io::Result<Bytes>>,
    /// Of the image's files up to here; none where what comes is not the end of the image.
    pub(super) hash: Option<digest::Context>,
    pub(super) image: ImageHandle,
}

impl ImageHandle {
    /// The image's file as it comes; of an image that is in two files this part. The handle needs the whole fingerprint. The
    /// last read fails where the hash is another, but for the metadata of two files, which have one hash.
    ///
    /// # Errors
    /// [`Error::is_not_found`] when there is no such image; [`Error::Config`] when a part of one file is asked for, or two
    /// files as one, or when the feature `images-multipart` is off and there are two.
    pub async fn open(&self, part: Option<ImagePart>) -> Result<ImageFile, Error> {
        self.is_whole()?;
        let download = self.export().await?;
        match (multipart::is_multipart(multipart::content_type(download.headers())), part) {
            (false, None) => {
                let (name, length) = (export::file_name(&download), download.length());
                let hash = Some(digest::Context::new(&SHA256));
                let checked = Checked { chunks: download.boxed(), hash, image: self.clone() };
                Ok(ImageFile { name, length, chunks: Chunks::new(checked) })
            }
            (true, Some(part)) => self.open_part(download, part).await,
            (false, Some(_)) => Err(Error::config("the image is one file, without parts")),
            (true, None) => Err(Error::config("the image is in two files, its metadata and its root disk")),
        }
    }
}

impl ImageFile {
    /// What the server calls it. No folder is in the name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its length in bytes, when the server tells it.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
    }
}

impl std::fmt::Debug for ImageFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ImageFile { name, length, .. } = self;
        f.debug_struct("ImageFile").field("name", name).field("length", length).finish_non_exhaustive()
    }
}

impl Stream for Checked {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let chunk = ready!(self.chunks.poll_next_unpin(cx));
        match (&chunk, &mut self.hash) {
            (Some(Ok(bytes)), Some(hash)) => hash.update(bytes),
            (None, hash) => {
                let checked = hash.take().map(|hash| saving::check(&self.image, hash));
                return Poll::Ready(checked.and_then(Result::err).map(|error| Err(error.into())));
            }
            _ => {}
        }
        Poll::Ready(chunk)
    }
}

impl AsyncRead for ImageFile {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.chunks).poll_read(cx, buf)
    }
}
