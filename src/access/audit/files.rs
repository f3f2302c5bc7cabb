//! The files of the audit: numbered, of a limited size and number.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

/// How large a file becomes, in bytes.
const LARGEST: u64 = 8 << 20;

/// How many files are kept.
const KEPT: usize = 8;

/// The file that is written to.
#[derive(Debug)]
pub(super) struct Newest {
    folder: PathBuf,
    number: u64,
    file: File,
    length: u64,
    largest: u64,
}

impl Newest {
    /// Opens the newest file of a folder, or the first. This user alone may read both.
    pub(super) fn open(folder: &Path) -> io::Result<Newest> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        let number = all(folder)?.last().map_or(1, |(number, _)| *number);
        let file = open(&path(folder, number))?;
        let length = file.metadata()?.len();
        let mut newest = Newest { folder: folder.to_owned(), number, file, length, largest: LARGEST };
        newest.sync_folder()?;
        newest.end_torn_line()?;
        Ok(newest)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    #[cfg(test)]
    pub(super) fn set_largest(&mut self, largest: u64) {
        self.largest = largest;
    }

    /// A node that died while it wrote has left a part of a line, which must not become one with the next.
    fn end_torn_line(&mut self) -> io::Result<()> {
        if self.length == 0 {
            return Ok(());
        }
        let mut last = [0];
        self.file.seek(SeekFrom::End(-1))?;
        self.file.read_exact(&mut last)?;
        if last != *b"\n" {
            warn!(
                "the last line of {} was torn when the node died",
                path(&self.folder, self.number).display()
            );
            self.append(b"\n")?;
        }
        Ok(())
    }

    /// Appends whole lines. When this has returned they are on the disk; after an error none of them is.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.length > 0 && self.length + lines.len() as u64 > self.largest {
            self.turn_over()?;
        }
        self.take_back()?;
        if let Err(error) = self.file.write_all(lines).and_then(|()| self.file.sync_data()) {
            let _ = self.take_back(); // or the next time
            return Err(error);
        }
        self.length += lines.len() as u64;
        Ok(())
    }

    /// Takes back what a write has left that failed.
    fn take_back(&mut self) -> io::Result<()> {
        if self.file.metadata()?.len() == self.length {
            return Ok(());
        }
        self.file.set_len(self.length)
    }

    /// Begins the next file, and removes the oldest.
    fn turn_over(&mut self) -> io::Result<()> {
        self.file = open(&path(&self.folder, self.number + 1))?;
        self.number += 1;
        self.length = self.file.metadata()?.len();
        let files = all(&self.folder)?;
        for (_, old) in &files[..files.len().saturating_sub(KEPT)] {
            fs::remove_file(old)?;
        }
        self.sync_folder()
    }

    fn sync_folder(&self) -> io::Result<()> {
        File::open(&self.folder)?.sync_all()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)
}

fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:08}.jsonl"))
}

/// The files of a folder by their numbers, the oldest first.
pub(super) fn all(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".jsonl")?.parse().ok());
        files.extend(number.map(|number| (number, path)));
    }
    files.sort();
    Ok(files)
}
