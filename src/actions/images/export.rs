//! Images as files.

use std::path::Path;

use lxd_client::{Client, ExportedNames, ImageFiles, Progress};
use tokio::io::AsyncWrite;

use super::get;
use crate::actions::{ActionError, Job};

/// Where an image goes.
pub(crate) enum Target<'a> {
    /// Files in a folder. They are named by the fingerprint and the names that the server has for them, once they are whole.
    Folder { folder: &'a Path, named: &'a (dyn Fn(&str, &ExportedNames) -> ImageFiles + Sync) },
    /// A stream, such as the standard output. What was written stays there when the hash turns out to be wrong.
    Stream(&'a mut (dyn AsyncWrite + Send + Unpin)),
}

/// Fetches an image, checks its hash, and gives its fingerprint with its files, if there are any. A failure or a cancel
/// leaves no file.
pub(crate) async fn export(
    client: &Client,
    name: &str,
    target: Target<'_>,
    job: &Job,
) -> Result<(String, Option<ImageFiles>), ActionError> {
    let (image, _) = tokio::join!(get(client, name, job), client.open_ahead());
    let image = image?.value;
    let handle = client.image(&image.fingerprint);
    job.stage("fetching");
    match target {
        Target::Folder { folder, named } => {
            let named = |names: &ExportedNames| named(&image.fingerprint, names);
            let report =
                |progress: &Progress| job.moved(progress.bytes, Some(image.size.max(progress.total)));
            let files = job.run(handle.export_as(folder, named, report)).await?;
            Ok((image.fingerprint, Some(files)))
        }
        Target::Stream(stream) => {
            let report = |progress: &Progress| job.moved(progress.bytes, Some(image.size));
            job.run(handle.export_into(stream, report)).await?;
            Ok((image.fingerprint, None))
        }
    }
}
