//! The façade's Unix socket, which its owner alone can open at any moment.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixSocket, UnixStream};

/// How many clients may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A listener, and its place, which is cleared when this is dropped.
pub(super) struct Private {
    pub(super) listener: UnixListener,
    path: PathBuf,
    file: (u64, u64),
}

/// Listens at `path`, in place of a socket that an earlier process left. One that is served stays, and a file of
/// another kind.
pub(super) async fn listen(path: &Path) -> io::Result<Private> {
    let taken = |kind, text: &str| Err(io::Error::new(kind, format!("{}: {text}", path.display())));
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return taken(io::ErrorKind::AlreadyExists, "there is a file that is no socket");
        }
        match UnixStream::connect(path).await {
            // It would block: more clients wait already than may.
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => {}
            _ => return taken(io::ErrorKind::AddrInUse, "another process serves this socket"),
        }
    }
    // Made under another name, so that the place is never without a socket.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary); // a killed process of the same number left it
    placed(&temporary, path).inspect_err(|_| drop(fs::remove_file(&temporary)))
}

fn placed(temporary: &Path, path: &Path) -> io::Result<Private> {
    let socket = UnixSocket::new_stream()?;
    socket.bind(temporary)?;
    // Nobody can connect before it listens: until then its mode is what the umask makes of it.
    fs::set_permissions(temporary, fs::Permissions::from_mode(0o600))?;
    let listener = socket.listen(BACKLOG)?;
    let made = fs::symlink_metadata(temporary)?;
    fs::rename(temporary, path)?;
    Ok(Private { listener, path: path.to_owned(), file: (made.dev(), made.ino()) })
}

impl Drop for Private {
    fn drop(&mut self) {
        // Whoever has put another one there needs it.
        let there = fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| (there.dev(), there.ino()) == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_replaces_only_one_that_nobody_serves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let stale = folder.path().join(format!("unix.socket.{}", std::process::id()));
        for place in [&path, &stale] {
            drop(std::os::unix::net::UnixListener::bind(place).unwrap()); // as a killed process leaves it
        }
        let first = listen(&path).await.unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert_eq!(listen(&path).await.err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
        UnixStream::connect(&path).await.unwrap();

        fs::remove_file(&path).unwrap();
        let second = listen(&path).await.unwrap();
        drop(first);
        UnixStream::connect(&path).await.unwrap();
        drop(second);
        assert!(!path.exists());

        fs::write(&path, "mine").unwrap();
        assert_eq!(listen(&path).await.err().map(|e| e.kind()), Some(io::ErrorKind::AlreadyExists));
    }
}
