//! A listener of this machine whose connections lead into the tailnet.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

use crate::{Address, ConnectError, IntoAddress, StatusError, Tailnet};

/// The pause after an accept that failed, as when no descriptor is free.
const NO_ACCEPT: Duration = Duration::from_millis(100);

/// After so long a silence the network asks whether the peer is still there, so that one that has gone does not keep its
/// place for ever.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Carries the connections of a listener into the tailnet, from [`Tailnet::forward`]. Dropping it closes the listener and
/// resets the connections.
#[derive(Debug)]
#[must_use = "dropping it ends the forwarding"]
pub struct Forwarder {
    serving: JoinHandle<()>,
}

impl Forwarder {
    /// So many connections are carried at once; more wait in the listener's own queue.
    pub const MAX_CONNECTIONS: usize = 256;
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A listener that [`Tailnet::forward`] takes: tokio's [`TcpListener`] or [`UnixListener`].
pub trait LocalListener: sealed::Accept {}

impl LocalListener for TcpListener {}
impl LocalListener for UnixListener {}

mod sealed {
    use super::*;

    pub trait Accept: Send + Sync + 'static {
        type Client: Client;

        fn accept_client(&self) -> impl Future<Output = io::Result<Self::Client>> + Send;
    }

    pub trait Client: AsyncRead + AsyncWrite + Send + Unpin + 'static {
        /// Has the end of the connection be a reset, where there are such.
        fn end_with_reset(&self) {}
    }
}

use sealed::{Accept, Client};

impl Accept for TcpListener {
    type Client = TcpStream;

    async fn accept_client(&self) -> io::Result<TcpStream> {
        let (client, _) = self.accept().await?;
        let _ = client.set_nodelay(true); // fails on one that has gone already, which reading tells
        Ok(client)
    }
}

impl Client for TcpStream {
    fn end_with_reset(&self) {
        let _ = self.set_zero_linger(); // fails only on what is no open socket
    }
}

impl Accept for UnixListener {
    type Client = UnixStream;

    async fn accept_client(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

impl Client for UnixStream {}

impl Tailnet {
    /// Carries every connection that comes to `listener` to an address of the tailnet, as `ssh -L` does, for what takes
    /// only a host and a port: a database driver, a program of somebody else's. Each connection is a dial of its own,
    /// with the dial's deadline, and each direction ends by itself. A connection whose dial fails, or whose other side
    /// breaks, is reset, which on a Unix socket is an end of file; why is logged. The forwarder goes on until it is
    /// dropped or the node is closed, which closes the listener; it keeps the node open as a clone does.
    ///
    /// Whoever reaches the listener reaches that address as this node, so bind it to loopback, or to a Unix socket in a
    /// private folder. It is taken as it is: on `0.0.0.0` it serves the machine's other networks.
    ///
    /// ```no_run
    /// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let url = format!("postgres://app@{}/orders", listener.local_addr()?);
    /// let forwarder = tailnet.forward(listener, "db:5432")?;
    /// // Keep `forwarder` for as long as a pool of connections to `url` is used.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ConnectError::InvalidAddress`] and [`ConnectError::NoRuntime`]. Whether the tailnet has the address, each
    /// connection finds out.
    pub fn forward(
        &self,
        listener: impl LocalListener,
        to: impl IntoAddress,
    ) -> Result<Forwarder, ConnectError> {
        let to = to.into_address()?;
        match Handle::try_current() {
            Ok(runtime) => Ok(Forwarder { serving: runtime.spawn(serve(self.clone(), listener, to)) }),
            Err(_) => Err(ConnectError::NoRuntime { addr: to }),
        }
    }
}

/// Accepts until the node is closed. The connections end with the future.
async fn serve(tailnet: Tailnet, listener: impl Accept, to: Address) {
    let mut connections = JoinSet::new();
    let mut closed = pin!(closed(&tailnet));
    loop {
        tokio::select! {
            accepted = listener.accept_client(), if connections.len() < Forwarder::MAX_CONNECTIONS => match accepted {
                Ok(client) => {
                    connections.spawn(carry(tailnet.clone(), client, to.clone()));
                }
                Err(error) => {
                    tracing::debug!("forward to {to}: a connection was not accepted: {error}");
                    tokio::time::sleep(NO_ACCEPT).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = &mut closed => return,
        }
    }
}

/// Waits until the node is closed.
async fn closed(tailnet: &Tailnet) {
    let mut watch = tailnet.watch();
    while !matches!(watch.changed().await, Err(StatusError::Closed)) {}
}

async fn carry(tailnet: Tailnet, client: impl Client, to: Address) -> Result<(), ConnectError> {
    let mut client = ResetOnDrop { client, whole: false };
    let stream = tailnet.connect(&to).await.inspect_err(|e| tracing::warn!("forward: {e}"))?;
    let _ = stream.set_keepalive(Some(KEEPALIVE)); // fails when it has ended, which the copying tells
    match stream.carry(&mut client.client).await {
        Ok(_) => client.whole = true,
        Err(error) => tracing::debug!("forward to {to}: a connection broke: {error}"),
    }
    Ok(())
}

/// A client's connection, which must not look whole when it is not.
struct ResetOnDrop<C: Client> {
    client: C,
    whole: bool,
}

impl<C: Client> Drop for ResetOnDrop<C> {
    fn drop(&mut self) {
        if !self.whole {
            self.client.end_with_reset();
        }
    }
}
