//! A server on this machine that stands for the remote LXD, for stock clients such as `lxc` and pylxd.

mod connection;
mod forward;
mod rest;
mod tls;

use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use self::connection::serve_connection;
use crate::{Client, PrivateSocket};

/// How long the TLS handshake of a client may take, and after it the one request of a client without a certificate.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How many clients may be in their handshake at the same time. More wait to be accepted.
const AT_ONCE: usize = 128;

/// Forwards the requests of stock clients to a remote server, by the connections and with the certificate of a
/// [`Client`]. Websockets and SFTP are forwarded as they are.
///
/// Whoever can open its socket has all rights that the client has at the remote server: give the folder to nobody else.
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> std::io::Result<()> {
/// // then: LXD_DIR=/run/user/1000/lxd-berlin lxc list
/// lxd_client::Facade::new(client).serve_unix("/run/user/1000/lxd-berlin/unix.socket".as_ref()).await
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Facade {
    client: Client,
}

impl Facade {
    /// A façade of the client's server. The client's project and target are not added to requests.
    #[must_use]
    pub fn new(client: Client) -> Facade {
        Facade { client }
    }

    /// Listens on a Unix socket, which only its owner can open, until the future is dropped; the socket is
    /// removed then. One that an earlier process left is replaced.
    ///
    /// # Errors
    /// When the socket cannot be made, another process serves it, or there is a file of another kind.
    pub async fn serve_unix(&self, path: &Path) -> io::Result<()> {
        let socket = PrivateSocket::bind(path, 0o600, None)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", path.display())))?;
        let mut connections = JoinSet::new();
        loop {
            if let Some(stream) = accepted(socket.accept()).await {
                let facade = self.clone();
                connections.spawn(async move { facade.serve(stream).await });
            }
            while connections.try_join_next().is_some() {}
        }
    }

    /// Serves one connection, of any kind, to its end: for a caller that listens by itself, such as by a
    /// [`PrivateSocket`](crate::PrivateSocket), and has checked who the client is.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) {
        serve_connection(stream, |request| {
            let facade = self.clone();
            async move { forward::answer(&facade.client, request).await }
        })
        .await;
    }
}

/// What a listener accepts. `None` after an error and a pause: the next may work, as when a descriptor is free again.
async fn accepted<T>(accept: impl Future<Output = io::Result<T>>) -> Option<T> {
    match accept.await {
        Ok(accepted) => Some(accepted),
        Err(_) => {
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}
