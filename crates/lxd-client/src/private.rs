//! Files that only their owner is to write, and some to read: with that mode from the first moment, and whole or not at
//! all however the process ends.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Makes a folder, and those above it that are not there, for its owner alone.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that is not there. One that is there already stays as it is.
pub(crate) fn write_once(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    by_temporary(path, text, mode, |temporary| match fs::hard_link(temporary, path) {
        Err(_) if !path.exists() => fs::rename(temporary, path), // a file system without links
        _ => Ok(()),
    })
}

/// Writes a file, in place of one that is there.
pub(crate) fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    by_temporary(path, text, mode, |temporary| fs::rename(temporary, path))
}

fn by_temporary(
    path: &Path,
    text: &str,
    mode: u32,
    place: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = temporary(path);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        place(&temporary)
    };
    let written = write();
    let _ = fs::remove_file(&temporary);
    written
}

/// A name that no other writer has.
fn temporary(path: &Path) -> PathBuf {
    path.with_extension(format!("tmp{:016x}", RandomState::new().build_hasher().finish()))
}
