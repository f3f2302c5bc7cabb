//! `axum::serve` on a listener of the tailnet.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;

use crate::{AcceptError, TailnetListener, TailnetStream};

/// The address of the node that has dialled, for axum's `ConnectInfo<PeerAddr>`. [`Tailnet::whois`](crate::Tailnet::whois)
/// tells whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerAddr(pub SocketAddr);

impl Connected<IncomingStream<'_, TailnetListener>> for PeerAddr {
    fn connect_info(stream: IncomingStream<'_, TailnetListener>) -> PeerAddr {
        PeerAddr(*stream.remote_addr())
    }
}

/// Serves an axum application to the tailnet: `axum::serve(tailnet.listen(80).await?, app)`. Once the node is closed no more streams come; end the server with its own graceful shutdown.
///
/// ```no_run
/// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, extract::ConnectInfo, routing::get};
/// use tailnet::PeerAddr;
///
/// let hello = async |ConnectInfo(PeerAddr(peer)): ConnectInfo<PeerAddr>| format!("hello, {peer}");
/// let app = Router::new().route("/", get(hello)).into_make_service_with_connect_info::<PeerAddr>();
/// axum::serve(tailnet.listen(80).await?, app).await?;
/// # Ok(())
/// # }
/// ```
impl axum::serve::Listener for TailnetListener {
    type Io = TailnetStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TailnetStream, SocketAddr) {
        loop {
            match TailnetListener::accept(self).await {
                Ok(stream) => {
                    let peer = stream.peer_addr();
                    return (stream, peer);
                }
                Err(AcceptError::Closed) => pending().await,
                Err(e) => {
                    tracing::warn!("{e}");
                    // It may be that no descriptor is free.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(TailnetListener::local_addr(self))
    }
}
