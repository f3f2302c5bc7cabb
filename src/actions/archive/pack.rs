//! A folder of an instance, or a file, becomes a tar.

use std::io;
use std::path::Path;

use futures_util::{StreamExt, stream};
use lxd_client::{Download, Entry, Error, FileInfo, FileKind, Files};
use tokio::io::AsyncWrite;
use tokio_tar::{Builder, EntryType, Header};

use super::{Exact, LONGEST};

/// How many files are asked for ahead: to a server far away, each spends most of its time waiting.
const AHEAD: usize = 8;

/// How long a link's target may be in the head of an entry.
const SHORT: usize = 100;

/// Writes what is at a path to a stream, as tar: under its own name, with modes, owners, times and links. Named pipes, sockets
/// and devices are left out, and what is deleted meanwhile. A file that grows meanwhile is as long as it was.
///
/// # Errors
/// When a file became shorter while it was read, or cannot be read, and the archive ends there; when the stream takes no more.
pub(crate) async fn pack(
    files: &Files,
    path: &str,
    info: FileInfo,
    to: impl AsyncWrite + Unpin + Send,
) -> io::Result<()> {
    let _session = files.connect().await;
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let mut tar = Builder::new_non_terminated(to);
    let mut waiting =
        vec![Found { path: path.trim_end_matches('/').to_owned(), name: name.to_owned(), info }];
    if info.kind != FileKind::Directory {
        let opened = open(files, waiting.remove(0)).await?;
        add(&mut tar, opened).await?;
    }
    while let Some(folder) = waiting.pop() {
        let (below, rest) = list(files, &folder).await?;
        add(&mut tar, Opened { found: folder, content: Content::None }).await?;
        let mut opened = stream::iter(rest.into_iter().map(|found| open(files, found))).buffered(AHEAD);
        while let Some(opened) = opened.next().await {
            add(&mut tar, opened?).await?;
        }
        waiting.extend(below.into_iter().rev());
    }
    tar.finish().await
}

/// Something that goes into the archive.
struct Found {
    path: String,
    /// In the archive.
    name: String,
    info: FileInfo,
}

struct Opened {
    found: Found,
    content: Content,
}

enum Content {
    None,
    File(Download),
    Link(String),
    /// It was deleted after its folder was read.
    Gone,
}

/// What is in a folder, by name: the folders, and all else.
async fn list(files: &Files, folder: &Found) -> io::Result<(Vec<Found>, Vec<Found>)> {
    let mut all = match files.list(if folder.path.is_empty() { "/" } else { &folder.path }).await {
        Err(error) if error.is_not_found() => Vec::new(),
        listed => listed.map_err(|error| failed(&folder.path, error))?,
    };
    all.retain(|listed| listed.info.kind != FileKind::Special);
    all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let (mut below, mut rest) = (Vec::new(), Vec::new());
    for listed in all {
        let path = format!("{}/{}", folder.path, listed.name);
        if listed.name.contains(['/', '\u{fffd}']) || path.len() > LONGEST {
            return Err(io::Error::other(format!("{path}: its name is not UTF-8, or too long")));
        }
        let name = match folder.name.as_str() {
            "" => listed.name,
            above => format!("{above}/{}", listed.name),
        };
        let of_folder = listed.info.kind == FileKind::Directory;
        if of_folder { &mut below } else { &mut rest }.push(Found { path, name, info: listed.info });
    }
    Ok((below, rest))
}

async fn open(files: &Files, found: Found) -> io::Result<Opened> {
    let content = match found.info.kind {
        FileKind::Symlink => files.link(&found.path).await.map(Content::Link),
        // What is empty needs no request; in /proc and /sys everything says that it is.
        FileKind::File if found.info.size.unwrap_or_default() > 0 => {
            files.read(&found.path).await.map(|entry| match entry {
                Entry::File(_, download) => Content::File(download),
                _ => Content::Gone, // something else has taken its place
            })
        }
        _ => Ok(Content::None),
    };
    match content {
        Ok(content) => Ok(Opened { found, content }),
        Err(error) if error.is_not_found() => Ok(Opened { found, content: Content::Gone }),
        Err(error) => Err(failed(&found.path, error)),
    }
}

async fn add<W: AsyncWrite + Unpin + Send>(tar: &mut Builder<W>, opened: Opened) -> io::Result<()> {
    let Opened { found: Found { path, mut name, info }, content } = opened;
    let mut header = Header::new_gnu();
    header.set_mode(info.mode);
    header.set_uid(info.uid.into());
    header.set_gid(info.gid.into());
    header.set_mtime(info.modified.unwrap_or_default());
    header.set_size(0);
    header.set_entry_type(EntryType::Regular);
    match content {
        Content::Gone => return Ok(()),
        Content::File(download) => {
            let length = download.length().or(info.size).unwrap_or_default();
            header.set_size(length);
            return tar.append_data(&mut header, Path::new(&name), Exact::new(path, download, length)).await;
        }
        Content::Link(target) => {
            header.set_entry_type(EntryType::Symlink);
            link_to(tar, &mut header, &target).await?;
        }
        Content::None if info.kind == FileKind::Directory => {
            header.set_entry_type(EntryType::Directory);
            name = if name.is_empty() { "./".to_owned() } else { name + "/" };
        }
        Content::None => {}
    }
    tar.append_data(&mut header, Path::new(&name), tokio::io::empty()).await
}

/// Says where a link leads, as it is written: before its entry, where the head of that has no room.
async fn link_to<W: AsyncWrite + Unpin + Send>(
    tar: &mut Builder<W>,
    header: &mut Header,
    target: &str,
) -> io::Result<()> {
    if target.len() > SHORT {
        let mut long = Header::new_gnu();
        let content = [target.as_bytes(), b"\0"].concat();
        long.set_entry_type(EntryType::GNULongLink);
        long.set_size(content.len() as u64);
        long.set_mode(0o644);
        tar.append_data(&mut long, "././@LongLink", &content[..]).await?;
    }
    if let Some(gnu) = header.as_gnu_mut() {
        let written = &target.as_bytes()[..target.len().min(SHORT)];
        gnu.linkname[..written.len()].copy_from_slice(written);
    }
    Ok(())
}

fn failed(path: &str, error: Error) -> io::Error {
    io::Error::other(format!("{path}: {}", lxd_client::one_line(&error)))
}
