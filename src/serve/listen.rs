//! Listening on this machine, with errors that say for what.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::ServeError;

/// How many clients may wait to be accepted: as many as the kernel allows.
const BACKLOG: u32 = 4096;

/// A Unix socket, which goes when this does.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    pub(crate) listener: UnixListener,
    pub(crate) place: RemoveOnDrop,
}

impl UnixSocket {
    pub(crate) fn path(&self) -> &Path {
        &self.place.0
    }
}

#[derive(Debug)]
pub(crate) struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
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

/// Listens on a Unix socket, in place of one that an earlier process left. A file of another kind stays.
pub(crate) fn bind_unix(what: &str, path: &Path, opens: Opens) -> Result<UnixSocket, ServeError> {
    let failed = |source| ServeError { what: what.to_owned(), place: path.display().to_string(), source };
    if let Ok(there) = fs::symlink_metadata(path)
        && !std::os::unix::fs::FileTypeExt::is_socket(&there.file_type())
    {
        return Err(failed(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file that is no socket",
        )));
    }
    // Made under another name, so that the place is never without a socket. What a killed process left under that name
    // goes first: in a container all processes have the same number.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary);
    match placed(&temporary, path, opens) {
        Ok(listener) => Ok(UnixSocket { listener, place: RemoveOnDrop(path.to_owned()) }),
        Err(error) => {
            let _ = fs::remove_file(&temporary);
            Err(failed(error))
        }
    }
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
    use std::os::unix::fs::MetadataExt;

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
    async fn nobody_can_connect_while_the_mode_is_not_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("unix.socket");
        let socket = tokio::net::UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let refused = tokio::net::UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
