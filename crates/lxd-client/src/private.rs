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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn folders_and_files_have_their_modes_and_nothing_else_is_left() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/b");
        make_folder(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&outer.path().join("a"))), (0o700, 0o700));
        let file = folder.join("file.key");
        replace(&file, "one", 0o600).unwrap();
        write_once(&file, "two", 0o600).unwrap();
        assert_eq!((fs::read_to_string(&file).unwrap(), mode(&file)), ("one".to_owned(), 0o600));
        replace(&file, "three", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "three");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }
}
