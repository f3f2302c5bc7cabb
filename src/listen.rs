//! Sockets that listen on this machine, with errors that say for what.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use lxd_client::PrivateSocket;
use rustix::io::Errno;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A socket or port on this machine cannot be used.
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

/// Listens on a TCP address of this machine. `[::]` means all IPv6 and IPv4 addresses, whatever the system's default is;
/// on a machine without IPv6, all IPv4 addresses.
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

/// The next client of a listener. If `accept` fails, for example because no descriptor is free, it is called again after
/// a pause.
pub(crate) async fn accepted<T, F: Future<Output = io::Result<T>>>(accept: impl Fn() -> F) -> T {
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Makes the connection end with a reset, so that the client does not take what was cut off for the whole.
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
    /// The socket's permissions.
    pub(crate) mode: u32,
    /// The group that owns the socket; the process's own where it is `None`.
    pub(crate) group: Option<u32>,
}

impl Opens {
    /// The user that this program runs as, and nobody else.
    pub(crate) const OWNER: Opens = Opens { mode: 0o600, group: None };
}

/// Listens on a Unix socket. A socket that an earlier process left is replaced; one that is served, and a file of another
/// kind, are not.
pub(crate) fn bind_unix(what: &str, path: &Path, opens: Opens) -> Result<PrivateSocket, ServeError> {
    PrivateSocket::bind(path, opens.mode, opens.group).map_err(|error| {
        let source = match error.kind() {
            io::ErrorKind::AddrInUse => {
                io::Error::new(error.kind(), format!("{error}: end it, or give another path"))
            }
            _ => error,
        };
        ServeError { what: what.to_owned(), place: path.display().to_string(), source }
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
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
            let (_listener, file) = socket.into_parts();
            std::mem::forget(file); // as a killed process leaves it
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

    #[tokio::test(start_paused = true)]
    async fn an_accept_that_fails_is_tried_again_after_a_pause() {
        let began = tokio::time::Instant::now();
        let tries = std::cell::Cell::new(0);
        let accept = || {
            tries.set(tries.get() + 1);
            std::future::ready(if tries.get() > 2 { Ok(tries.get()) } else { Err(io::Error::other("full")) })
        };
        assert_eq!(accepted(accept).await, 3);
        assert_eq!(began.elapsed(), 2 * ACCEPT_PAUSE);
    }
}
