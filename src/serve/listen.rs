//! Listening on this machine, with errors that say for what.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::{TcpListener, UnixListener};

use super::ServeError;

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

/// Listens on a TCP address of this machine.
pub(crate) fn bind_tcp(what: &str, address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError { what: what.to_owned(), place: address.to_string(), source };
    let listener = std::net::TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    TcpListener::from_std(listener).map_err(failed)
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
