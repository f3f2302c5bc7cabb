//! Folders on this machine that files are fetched into. Each is held open, files are named relative to it, and no link is
//! followed: whatever the server says, nothing is written outside.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// Enough to name something in a folder, without the right to list it.
#[cfg(any(target_os = "linux", target_os = "android"))]
const SEARCH: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const SEARCH: OFlags = OFlags::RDONLY;

/// What its owner needs to put something into a folder.
const OWNER: Mode = Mode::RWXU;

/// A folder that is open.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
    /// The permissions that a new folder gets once everything is in it.
    last: Option<Mode>,
}

/// A file with a temporary name, which gets its own name once it is whole. Dropping it before removes it.
#[derive(Debug)]
pub(super) struct PartialFile {
    folder: Arc<Folder>,
    name: OsString,
    temporary: String,
    /// The permissions of the file that it replaces.
    mode: Option<Mode>,
}

impl Folder {
    /// The folder at a path of the user's, whose links are followed. It is made when it is not there.
    pub(super) fn at(path: &Path, mode: u32) -> io::Result<Folder> {
        match Folder::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (above, name) = parts(path)?;
                Folder::open(above)?.folder(name, mode)
            }
            other => other,
        }
    }

    fn open(path: &Path) -> io::Result<Folder> {
        let fd = fs::open(path, SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Folder { fd, path: path.to_owned(), last: None })
    }

    /// The path of something in it, for messages.
    pub(super) fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.path.join(name.as_ref())
    }

    /// A folder in it, which is made when it is not there, with these permissions and the umask.
    pub(super) fn folder(&self, name: impl AsRef<OsStr>, mode: u32) -> io::Result<Folder> {
        let (name, wanted) = (name.as_ref(), Mode::from_raw_mode(mode & 0o777));
        let made = match fs::mkdirat(&self.fd, name, wanted | OWNER) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(error) => return Err(error.into()),
        };
        let how = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let access = if made { OFlags::RDONLY } else { SEARCH };
        let fd = fs::openat(&self.fd, name, access | how, Mode::empty()).map_err(|error| match error {
            Errno::NOTDIR | Errno::LOOP => {
                io::Error::new(io::ErrorKind::NotADirectory, "a folder is to be here, and something else is")
            }
            other => other.into(),
        })?;
        // What mkdir gave is what the umask lets through.
        let given = Mode::from_raw_mode(fs::fstat(&fd)?.st_mode) & Mode::from_raw_mode(0o777);
        let last = (made && given & wanted != given).then_some(given & wanted);
        Ok(Folder { fd, path: self.path(name), last })
    }

    /// Gives a new folder its permissions. This comes last, since nothing can be put into a read-only folder.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.last {
            Some(mode) => Ok(fs::fchmod(&self.fd, mode)?),
            None => Ok(()),
        }
    }

    /// A symbolic link in it, in place of a file or link that is there.
    pub(super) fn link(&self, name: impl AsRef<OsStr>, target: &str) -> io::Result<()> {
        let name = name.as_ref();
        match fs::symlinkat(target, &self.fd, name) {
            Err(Errno::EXIST) => {}
            other => return Ok(other?),
        }
        let temporary = temporary();
        fs::symlinkat(target, &self.fd, &*temporary)?;
        fs::renameat(&self.fd, &*temporary, &self.fd, name).map_err(|error| {
            let _ = fs::unlinkat(&self.fd, &*temporary, AtFlags::empty());
            in_the_way(error)
        })
    }

    /// Creates a file in it, which will replace a file or link that is there.
    pub(super) fn file(
        self: &Arc<Folder>,
        name: impl AsRef<OsStr>,
        mode: u32,
    ) -> io::Result<(PartialFile, File)> {
        let name = name.as_ref();
        let before = match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(before) if FileType::from_raw_mode(before.st_mode).is_dir() => {
                return Err(in_the_way(Errno::ISDIR));
            }
            Ok(before) if FileType::from_raw_mode(before.st_mode).is_file() => {
                Some(Mode::from_raw_mode(before.st_mode & 0o777))
            }
            _ => None,
        };
        let temporary = temporary();
        let how = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let created = before.unwrap_or(Mode::from_raw_mode(mode & 0o777));
        let fd = fs::openat(&self.fd, &*temporary, how, created)?;
        let partial =
            PartialFile { folder: Arc::clone(self), name: name.to_owned(), temporary, mode: before };
        Ok((partial, fd.into()))
    }
}

/// Creates a file at a path of the user's, whose links are followed. What is there and no regular file, such as
/// `/dev/null`, is written directly.
pub(super) fn file_at(path: &Path, mode: u32) -> io::Result<(Option<PartialFile>, File)> {
    let whole;
    let path = match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(in_the_way(Errno::ISDIR)),
        Ok(there) if !there.is_file() => return Ok((None, File::options().write(true).open(path)?)),
        Ok(_) => {
            whole = path.canonicalize()?;
            &whole
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) if std::fs::symlink_metadata(path).is_ok() => {
            return Err(io::Error::new(io::ErrorKind::NotFound, "it is a link that leads nowhere"));
        }
        Err(_) => path,
    };
    let (above, name) = parts(path)?;
    let (partial, file) = Arc::new(Folder::open(above)?).file(name, mode)?;
    Ok((Some(partial), file))
}

/// The folder that a path is in, and its name there.
fn parts(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let nameless = || io::Error::new(io::ErrorKind::InvalidInput, "it names nothing");
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    Ok((above.unwrap_or(".".as_ref()), path.file_name().ok_or_else(nameless)?))
}

impl PartialFile {
    /// Gives it its own name.
    pub(super) fn commit(mut self, file: &File) -> io::Result<()> {
        if let Some(mode) = self.mode {
            fs::fchmod(file, mode)?;
        }
        let fd = &self.folder.fd;
        fs::renameat(fd, &*self.temporary, fd, &*self.name).map_err(in_the_way)?;
        self.temporary.clear();
        Ok(())
    }
}

impl Drop for PartialFile {
    fn drop(&mut self) {
        if !self.temporary.is_empty() {
            let _ = fs::unlinkat(&self.folder.fd, &*self.temporary, AtFlags::empty());
        }
    }
}

/// A temporary name. It does not contain the file's own name, with which it might be too long.
fn temporary() -> String {
    format!(".arriving-{:016x}", fastrand::u64(..))
}

fn in_the_way(error: Errno) -> io::Error {
    match error {
        Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST => {
            io::Error::new(io::ErrorKind::IsADirectory, "a folder is in the way")
        }
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn put(folder: &Arc<Folder>, name: &str, text: &str) -> io::Result<()> {
        let (partial, mut file) = folder.file(name, 0o7777)?;
        file.write_all(text.as_bytes())?;
        partial.commit(&file)
    }

    #[test]
    fn a_file_replaces_a_file_or_a_link_and_nothing_is_written_through_it() {
        let here = tempfile::tempdir().unwrap();
        let at = |name: &str| here.path().join(name);
        let folder = Arc::new(Folder::open(here.path()).unwrap());
        std::fs::write(at("outside"), "as it was").unwrap();
        symlink(at("outside"), at("link")).unwrap();
        std::fs::write(at("file"), "old").unwrap();
        std::fs::set_permissions(at("file"), std::fs::Permissions::from_mode(0o640)).unwrap();
        put(&folder, "link", "new").unwrap();
        put(&folder, "file", "new").unwrap();
        assert_eq!(std::fs::read_to_string(at("outside")).unwrap(), "as it was");
        assert!(std::fs::symlink_metadata(at("link")).unwrap().is_file());
        assert_eq!(
            (std::fs::read_to_string(at("file")).unwrap(), mode(&at("file"))),
            ("new".to_owned(), 0o640)
        );
        // Neither set-user-ID nor what the umask forbids.
        assert_eq!(mode(&at("link")) & !0o777, 0);

        folder.link("file", "elsewhere").unwrap();
        folder.link("file", "link").unwrap();
        assert_eq!(std::fs::read_link(at("file")).unwrap().to_str(), Some("link"));
        std::fs::create_dir(at("folder")).unwrap();
        assert_eq!(put(&folder, "folder", "x").unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(folder.link("folder", "x").unwrap_err().kind(), io::ErrorKind::IsADirectory);
        drop(folder.file("half", 0o644).unwrap());
        let mut names: Vec<_> =
            std::fs::read_dir(here.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["file", "folder", "link", "outside"]);
    }

    #[test]
    fn a_folder_is_made_or_taken_with_its_permissions_and_a_link_to_one_is_not() {
        let here = tempfile::tempdir().unwrap();
        let at = |name: &str| here.path().join(name);
        let folder = Arc::new(Folder::open(here.path()).unwrap());
        std::fs::create_dir(at("mine")).unwrap();
        std::fs::set_permissions(at("mine"), std::fs::Permissions::from_mode(0o750)).unwrap();
        folder.folder("mine", 0o7777).unwrap().finish().unwrap();
        assert_eq!(mode(&at("mine")), 0o750);

        let closed = Arc::new(folder.folder("closed", 0o500).unwrap());
        put(&closed, "file", "x").unwrap();
        Arc::into_inner(closed).unwrap().finish().unwrap();
        assert_eq!(mode(&at("closed")), 0o500);
        folder.folder("open", 0o7777).unwrap().finish().unwrap();
        std::fs::create_dir(at("by the umask")).unwrap();
        assert_eq!(mode(&at("open")), mode(&at("by the umask")));

        symlink("mine", at("link")).unwrap();
        std::fs::write(at("file"), "").unwrap();
        for name in ["link", "file"] {
            assert_eq!(
                folder.folder(name, 0o755).unwrap_err().kind(),
                io::ErrorKind::NotADirectory,
                "{name}"
            );
        }
    }
}
