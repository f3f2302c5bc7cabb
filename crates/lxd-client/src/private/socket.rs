//! Unix sockets that have their permissions from the first moment.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::net::{UnixListener, UnixSocket, UnixStream};

/// How many clients may wait to be accepted.
const BACKLOG: u32 = 4096;

/// A listener on a Unix socket with the permissions that [`bind`](PrivateSocket::bind) is given. Its file is removed when
/// this is dropped.
///
/// It is for callers of `Facade::serve`, and for any other server.
#[derive(Debug)]
pub struct PrivateSocket {
    listener: UnixListener,
    file: SocketFile,
}

/// The file of a [`PrivateSocket`], which is removed when this is dropped, unless another socket has taken its place.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Its device and its number there.
    id: (u64, u64),
}

impl PrivateSocket {
    /// Listens at `path`, in place of a socket that an earlier process left there. `mode` says who may open it, such as
    /// `0o600`, and `group` is the group that it is given to.
    ///
    /// # Errors
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when a process serves the socket that is there,
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) when a file of another kind is; or when it cannot be made or given
    /// to the group.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn bind(path: &Path, mode: u32, group: Option<u32>) -> io::Result<PrivateSocket> {
        if let Ok(there) = fs::symlink_metadata(path) {
            if !there.file_type().is_socket() {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "there is a file that is no socket",
                ));
            }
            if is_served(path) {
                return Err(io::Error::new(io::ErrorKind::AddrInUse, "another process serves this socket"));
            }
        }
        // Bound in a folder that nobody else can enter, and then moved: it has its permissions before anybody can reach
        // it, and its place is never without a socket.
        let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let private = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new().prefix(".").permissions(private).tempdir_in(above)?;
        let inside = folder.path().join("s"); // short, since the path of a socket is limited to about 100 bytes
        let socket = UnixSocket::new_stream()?;
        socket.bind(&inside)?;
        if let Some(group) = group {
            chown(&inside, None, Some(group)).map_err(|e| {
                let text = format!(
                    "it cannot be given to the group {group}, of which this user has to be a member: {e}"
                );
                io::Error::new(e.kind(), text)
            })?;
        }
        fs::set_permissions(&inside, Permissions::from_mode(mode))?;
        let listener = socket.listen(BACKLOG)?;
        let made = fs::symlink_metadata(&inside)?;
        fs::rename(&inside, path)?;
        let file = SocketFile { path: path.to_owned(), id: (made.dev(), made.ino()) };
        Ok(PrivateSocket { listener, file })
    }

    /// Accepts the next client. Cancel safe.
    ///
    /// # Errors
    /// When the system has none to give, as without descriptors; the next may work.
    pub async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The listener for a server that takes one, and the file, which is to live as long.
    #[must_use]
    pub fn into_parts(self) -> (UnixListener, SocketFile) {
        (self.listener, self.file)
    }
}

/// Whether somebody listens on a socket. This never waits: one whose queue is full is served.
fn is_served(path: &Path) -> bool {
    let connect = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)
    };
    matches!(connect(), Ok(()) | Err(Errno::AGAIN))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Another process may have put its own socket there.
        let there = fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| (there.dev(), there.ino()) == self.id) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bind(path: &Path) -> io::Result<PrivateSocket> {
        PrivateSocket::bind(path, 0o600, None)
    }

    #[tokio::test]
    async fn a_socket_is_its_owners_alone_and_replaces_only_one_that_nobody_serves() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap()); // as a killed process leaves it
        let first = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        assert_eq!(bind(&path).err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
        UnixStream::connect(&path).await.unwrap();

        fs::remove_file(&path).unwrap();
        let second = bind(&path).unwrap();
        drop(first);
        UnixStream::connect(&path).await.unwrap();
        drop(second);
        assert!(!path.exists());

        fs::write(&path, "mine").unwrap();
        assert_eq!(bind(&path).err().map(|e| e.kind()), Some(io::ErrorKind::AlreadyExists));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[tokio::test]
    async fn a_socket_has_its_mode_and_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let group = fs::metadata(folder.path()).unwrap().gid();
        let socket = PrivateSocket::bind(&path, 0o660, Some(group)).unwrap();
        let there = fs::metadata(&path).unwrap();
        assert_eq!((there.mode() & 0o777, there.gid()), (0o660, group));
        let (client, accepted) = tokio::join!(UnixStream::connect(&path), socket.accept());
        drop((client.unwrap(), accepted.unwrap()));
    }

    /// Each client that waits to be accepted keeps its place when its end is closed.
    #[tokio::test]
    async fn a_socket_whose_queue_is_full_is_served() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let busy = UnixSocket::new_stream().unwrap();
        busy.bind(&path).unwrap();
        let _busy = busy.listen(1).unwrap();
        let waiting: Vec<_> = std::iter::repeat_with(|| is_served(&path)).take(8).collect();
        assert_eq!(waiting, [true; 8]);
    }

    #[tokio::test]
    async fn a_path_as_long_as_a_socket_may_have_is_good() {
        let folder = tempfile::tempdir().unwrap();
        let name = "s".repeat(107 - folder.path().as_os_str().len() - 1);
        let path = folder.path().join(name);
        let socket = bind(&path).unwrap();
        UnixStream::connect(socket.path()).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_can_connect_while_the_mode_is_not_set() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicBool, Ordering};

        let folder = tempfile::tempdir().unwrap();
        let bound = Arc::new(AtomicBool::new(false));
        let (there, ended) = (folder.path().to_owned(), Arc::clone(&bound));
        let others = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                for entry in fs::read_dir(&there).unwrap() {
                    let Ok(found) = fs::symlink_metadata(entry.unwrap().path()) else { continue };
                    let mode = found.mode() & 0o777;
                    assert_eq!(mode, if found.is_dir() { 0o700 } else { 0o606 });
                }
            }
        });
        for _ in 0..300 {
            drop(PrivateSocket::bind(&folder.path().join("unix.socket"), 0o606, None).unwrap());
        }
        bound.store(true, Ordering::Relaxed);
        others.join().unwrap();
    }
}
