//! Sockets that listen on this machine, with errors that say for what.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener};

/// Something cannot be served on this machine.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {place} for {what}: {source}")]
#[non_exhaustive]
pub struct ServeError {
    /// For what.
    pub what: String,
    /// Where.
    pub place: String,
    /// Why.
    pub source: io::Error,
}

/// How many clients may wait to be accepted, as for std's listeners.
const BACKLOG: u32 = 4096;

/// The pause after an accept that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A Unix socket, which goes when this does.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    pub(crate) listener: UnixListener,
    pub(crate) place: RemoveOnDrop,
}

impl UnixSocket {
    pub(crate) fn path(&self) -> &Path {
        &self.place.path
    }
}

#[derive(Debug)]
pub(crate) struct RemoveOnDrop {
    path: PathBuf,
    file: Option<File>,
}

/// Which file a path names: its device and its number there.
type File = (u64, u64);

fn file_at(path: &Path) -> Option<File> {
    fs::symlink_metadata(path).ok().map(|there| (there.dev(), there.ino()))
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        // Whoever has put another one there needs it.
        if file_at(&self.path) == self.file {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Listens on a TCP address of this machine. `[::]` is all addresses: of both kinds, whatever the system's default is,
/// or of IPv4 on a machine without IPv6.
pub(crate) fn bind_tcp(what: &str, address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError { what: what.to_owned(), place: address.to_string(), source };
    let all = address.ip() == IpAddr::from(Ipv6Addr::UNSPECIFIED);
    let bound = match listen(address) {
        Err(error) if all && lacks_ipv6(&error) => {
            listen(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port()))
        }
        bound => bound,
    };
    bound.map_err(failed)
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if address.ip().is_unspecified() && address.is_ipv6() {
        rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
    }
    socket.set_reuseaddr(true)?; // another start must not wait for the streams of the one before
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// The next client of a listener, whose `accept` this calls again after a pause when it fails, as when no descriptor
/// is free.
pub(crate) async fn accepted<S, A, F>(accept: impl Fn() -> F) -> S
where
    F: Future<Output = io::Result<(S, A)>>,
{
    loop {
        match accept().await {
            Ok((client, _)) => return client,
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Has the connection end with a reset, so that what was cut off does not look whole.
pub(crate) fn reset(client: &TcpStream) {
    let _ = client.set_zero_linger(); // fails only on what is no open socket
}

/// Whether the system has no IPv6, or has it switched off.
fn lacks_ipv6(error: &io::Error) -> bool {
    let number = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(number, Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL))
}

/// Who may open a Unix socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opens {
    pub(crate) mode: u32,
    /// The group that it is given to.
    pub(crate) group: Option<u32>,
}

impl Opens {
    /// The user that this program runs as, and nobody else.
    pub(crate) const OWNER: Opens = Opens { mode: 0o600, group: None };
}

/// Listens on a Unix socket, in place of one that an earlier process left. One that is served stays, and a file of
/// another kind.
pub(crate) fn bind_unix(what: &str, path: &Path, opens: Opens) -> Result<UnixSocket, ServeError> {
    let failed = |source| ServeError { what: what.to_owned(), place: path.display().to_string(), source };
    let taken = |kind, text| Err(failed(io::Error::new(kind, text)));
    if let Ok(there) = fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return taken(io::ErrorKind::AlreadyExists, "there is a file that is no socket");
        }
        if is_served(path) {
            return taken(
                io::ErrorKind::AddrInUse,
                "another process serves this socket: end it, or give another path",
            );
        }
    }
    // Made under another name, so that the place is never without a socket. What a killed process left under that name
    // goes first: in a container all processes have the same number.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary);
    match placed(&temporary, path, opens) {
        Ok(listener) => {
            let place = RemoveOnDrop { path: path.to_owned(), file: file_at(path) };
            Ok(UnixSocket { listener, place })
        }
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(failed(error))
        }
    }
}

/// Whether somebody listens on a socket. This never waits: when too many clients do already, it is served.
fn is_served(path: &Path) -> bool {
    let connect = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)
    };
    matches!(connect(), Ok(()) | Err(Errno::AGAIN))
}

fn placed(temporary: &Path, path: &Path, opens: Opens) -> io::Result<UnixListener> {
    let socket = tokio::net::UnixSocket::new_stream()?;
    socket.bind(temporary)?;
    // Nobody can connect before it listens: until then its mode is what the umask makes of it.
    if let Some(group) = opens.group {
        chown(temporary, None, Some(group)).map_err(|e| {
            let text = format!(
                "it cannot be given to the group {group}, of which this user has to be a member: {e}"
            );
            io::Error::new(e.kind(), text)
        })?;
    }
    fs::set_permissions(temporary, fs::Permissions::from_mode(opens.mode))?;
    let listener = socket.listen(BACKLOG)?;
    fs::rename(temporary, path)?;
    Ok(listener)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_has_its_mode_and_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let own = fs::metadata(folder.path()).unwrap().gid();
        for (opens, mode) in
            [(Opens::OWNER, 0o600), (Opens { mode: 0o660, group: Some(own) }, 0o660), (Opens::OWNER, 0o600)]
        {
            let socket = bind_unix("a test", &path, opens).unwrap();
            let there = fs::metadata(&path).unwrap();
            assert_eq!((there.mode() & 0o777, there.gid()), (mode, own));
            tokio::net::UnixStream::connect(&path).await.unwrap();
            std::mem::forget(socket.place); // as a killed process leaves it
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[tokio::test]
    async fn a_socket_that_is_served_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let first = bind_unix("a test", &path, Opens::OWNER).unwrap();
        let error = bind_unix("a test", &path, Opens::OWNER).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AddrInUse);
        tokio::net::UnixStream::connect(first.path()).await.unwrap();
        drop(first);
        drop(bind_unix("a test", &path, Opens::OWNER).unwrap());
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_that_another_has_put_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let first = bind_unix("a test", &path, Opens::OWNER).unwrap();
        fs::remove_file(&path).unwrap();
        let second = bind_unix("a test", &path, Opens::OWNER).unwrap();
        drop(first);
        tokio::net::UnixStream::connect(second.path()).await.unwrap();
    }

    #[tokio::test]
    async fn nobody_can_connect_while_the_mode_is_not_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let socket = tokio::net::UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let refused = tokio::net::UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
