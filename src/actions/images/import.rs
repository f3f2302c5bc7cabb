//! Images that come as files.

use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};
use std::{io, path::PathBuf};

use lxd_client::{Client, Error, ImageOptions, ImageSource};
use tokio::io::{AsyncRead, ReadBuf};
use tokio::process::{Child, ChildStdout, Command};

use super::{NewAlias, give_aliases, made, undo};
use crate::actions::{ActionError, Job, Source};

/// Where an image is.
pub(crate) enum Files {
    /// In an archive with all in it.
    Unified(Source),
    /// In two files.
    Split { metadata: Source, rootfs: Source },
    /// In a folder here, with `metadata.yaml` and `rootfs` in it.
    Folder(PathBuf),
    /// Elsewhere, such as at an image server: the server fetches it by its own network.
    Elsewhere(ImageSource),
}

/// How the disk of a virtual machine begins (qcow2).
const DISK: &[u8] = b"QFI\xfb";

/// Imports an image, gives it names, and gives its fingerprint. A cancel leaves nothing but what was there before: a server
/// that has the image already takes it once more from elsewhere.
pub(crate) async fn import(
    client: &Client,
    files: Files,
    mut options: ImageOptions,
    aliases: &[NewAlias],
    job: &Job,
) -> Result<String, ActionError> {
    job.stage("sending");
    let mut before = Vec::new();
    let operation = match files {
        Files::Elsewhere(source) => {
            before = job.run(client.images().names()).await?;
            // Not to be cancelled: the server may have begun.
            client.create_image(&source, &options).await?
        }
        Files::Unified(image) => {
            let (image, sent) = image.sending(job);
            sent.through(client.import_image(image, &options), job).await?
        }
        Files::Folder(folder) => {
            let packed = Source::new(folder.display().to_string(), pack(&folder)?);
            let (image, sent) = packed.sending(job);
            sent.through(client.import_image(image, &options), job).await?
        }
        Files::Split { metadata, mut rootfs } => {
            if rootfs.begins_with(DISK).await? {
                options = options.virtual_machine();
            }
            let (first, second) = (metadata.length(), rootfs.length());
            let (metadata, sent) = metadata.sending(&Job::new()); // small, and not worth a bar
            let total = first.zip(second).map(|(first, second)| first + second);
            let (rootfs, _) = rootfs.with_length(total.or(second)).sending(job);
            sent.through(client.import_split_image(metadata, rootfs, &options), job).await?
        }
    };
    job.stage("the server imports it");
    let ended = job.follow(operation).await?;
    let fingerprint = made(&ended).ok_or_else(|| {
        ActionError::Refused("the server does not tell the fingerprint of what it imported".to_owned())
    })?;
    match give_aliases(client, &fingerprint, aliases, job).await {
        Err(error) if error.is_cancelled() && !before.contains(&fingerprint) => {
            Err(undo(client, &fingerprint, error).await)
        }
        other => other.map(|()| fingerprint),
    }
}

/// A folder as an archive, as it is read: by tar, which knows owners, links and extended attributes.
fn pack(folder: &Path) -> Result<Packed, ActionError> {
    for part in ["metadata.yaml", "rootfs"] {
        if !folder.join(part).exists() {
            return Err(ActionError::Refused(format!("{} is no image: it has no {part}", folder.display())));
        }
    }
    let templates = folder.join("templates").is_dir().then_some("templates");
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(folder).args(["--numeric-owner", "--xattrs", "-czf", "-", "metadata.yaml", "rootfs"]);
    tar.args(templates).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let failed = |source| Error::Local { message: "cannot run tar".to_owned(), source };
    let mut child = tar.spawn().map_err(failed)?;
    let output = child.stdout.take().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
    Ok(Packed { child, output })
}

/// What tar writes. Its end is one only if tar has ended well.
struct Packed {
    child: Child,
    output: ChildStdout,
}

impl AsyncRead for Packed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        let status = ready!(std::pin::pin!(self.child.wait()).poll(cx))?;
        Poll::Ready(if status.success() { Ok(()) } else { Err(io::Error::other(format!("tar: {status}"))) })
    }
}
