//! What is in a folder of an instance.

use futures_util::{StreamExt, TryStreamExt, stream};
use lxd_client::{FileInfo, FileKind, Files, Listed};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::problem::Problem;

/// How many names of one folder are told.
const MOST: usize = 10_000;

/// How many links are read at once.
const AT_ONCE: usize = 32;

/// A folder of an instance.
#[derive(Serialize, ToSchema)]
pub(super) struct Folder {
    /// Its path, after links are followed.
    path: String,
    /// What is in it, by name; 10,000 at the most.
    entries: Vec<FileView>,
    /// How many there are.
    total: usize,
}

/// Something in a folder of an instance.
#[derive(Serialize, ToSchema)]
pub(super) struct FileView {
    /// What is no UTF-8 in it is a `�`; it cannot be asked for then.
    name: String,
    kind: FileViewKind,
    /// In bytes, of a file.
    size: Option<u64>,
    /// The permissions, such as `0644`.
    mode: String,
    uid: u32,
    gid: u32,
    /// When it was changed, in seconds since 1970.
    modified: Option<u64>,
    /// Where a link leads, as it is written in it.
    target: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileViewKind {
    File,
    Folder,
    Symlink,
    /// A named pipe, a socket or a device.
    Special,
}

pub(super) async fn list(files: &Files, path: String) -> Result<Folder, Problem> {
    let mut all = files.list(&path).await?;
    all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let total = all.len();
    all.truncate(MOST);
    let views = all.into_iter().map(|listed| view(files, &path, listed));
    let entries = stream::iter(views).buffered(AT_ONCE).try_collect().await?;
    Ok(Folder { path, entries, total })
}

async fn view(files: &Files, folder: &str, Listed { name, info, .. }: Listed) -> Result<FileView, Problem> {
    let FileInfo { kind, uid, gid, mode, size, modified, .. } = info;
    let target = match kind {
        FileKind::Symlink => {
            match files.link(&format!("{}/{name}", folder.trim_end_matches('/'))).await {
                Ok(target) => Some(target),
                Err(error) if error.is_not_found() => None, // it is gone, or its name is not UTF-8
                Err(error) => return Err(error.into()),
            }
        }
        _ => None,
    };
    let kind = match kind {
        FileKind::Directory => FileViewKind::Folder,
        FileKind::Symlink => FileViewKind::Symlink,
        FileKind::Special => FileViewKind::Special,
        _ => FileViewKind::File,
    };
    Ok(FileView { name, kind, size, mode: format!("{mode:04o}"), uid, gid, modified, target })
}
