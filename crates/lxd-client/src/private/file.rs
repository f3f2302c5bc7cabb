//! Files that only their owner may write, and some that only their owner may read. A process that ends in the middle leaves
//! the file as it was.

use std::fs::{DirBuilder, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use tempfile::NamedTempFile;

/// Makes a folder, and those above it that are not there, for its owner alone.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file that is not there. One that is there already stays as it is.
pub(crate) fn write_once(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    match temporary(path, text, mode)?.persist_noclobber(path) {
        // A file system that can do neither by a link nor by a flag.
        Err(error) if !path.exists() => error.file.persist(path).map(drop).map_err(|e| e.error),
        _ => Ok(()),
    }
}

/// Writes a file, in place of one that is there.
pub(crate) fn replace(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    temporary(path, text, mode)?.persist(path).map(drop).map_err(|e| e.error)
}

/// A file beside the one at `path`, which is removed unless it is moved there.
fn temporary(path: &Path, text: &str, mode: u32) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
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
