//! Listening on this machine, with errors that say for what.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::ServeError;

/// How many clients may wait to be accepted, as for std's listeners.
const BACKLOG: u32 = 4096;

/// A Unix socket that only its owner can open, which goes when this does.
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

/// Listens on a Unix socket, in place of one that an earlier process left. A file of another kind stays.
pub(crate) fn bind_unix(what: &str, path: &Path) -> Result<UnixSocket, ServeError> {
    let failed = |source| ServeError { what: what.to_owned(), place: path.display().to_string(), source };
    if let Ok(there) = fs::symlink_metadata(path)
        && !std::os::unix::fs::FileTypeExt::is_socket(&there.file_type())
    {
        return Err(failed(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file that is no socket",
        )));
    }
    // Made under another name, so that nobody else opens it before its permissions are set. What a killed process left
    // under that name goes first: in a container all processes have the same number.
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary);
    let listener = UnixListener::bind(&temporary).map_err(failed)?;
    let placed = fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))
        .and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = placed {
        let _ = fs::remove_file(&temporary);
        return Err(failed(error));
    }
    Ok(UnixSocket { listener, place: RemoveOnDrop(path.to_owned()) })
}
