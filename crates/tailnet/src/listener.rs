use std::net::SocketAddr;

use crate::ffi::{Listener, Operation, RawListener};
use crate::{AcceptError, ListenError, TailnetStream};

/// Takes TCP streams from other nodes of the tailnet; from [`Tailnet::listen`](crate::Tailnet::listen).
///
/// A stream that comes while [`BACKLOG`](Self::BACKLOG) others wait is refused. Dropping the listener closes it, and
/// with it the streams that wait.
///
/// ```no_run
/// # async fn example(tailnet: tailnet::Tailnet) -> Result<(), Box<dyn std::error::Error>> {
/// let mut listener = tailnet.listen(80).await?;
/// loop {
///     let mut stream = listener.accept().await?;
///     tokio::spawn(async move {
///         let (mut reader, mut writer) = tokio::io::split(&mut stream);
///         tokio::io::copy(&mut reader, &mut writer).await
///     });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct TailnetListener {
    /// An accept that was begun by a future which was dropped: the next one goes on with it, so that no
    /// stream is lost. It comes first, so that it ends before the listener.
    pending: Option<Operation>,
    listener: Listener,
    local: SocketAddr,
}

impl TailnetListener {
    /// How many streams may wait to be accepted.
    pub const BACKLOG: u32 = 128;

    pub(crate) fn new(raw: RawListener) -> Result<TailnetListener, ListenError> {
        let RawListener { listener, local } = raw;
        let local =
            local.ok_or_else(|| ListenError::Other { message: "the node gave no address".to_owned() })?;
        Ok(TailnetListener { pending: None, listener, local })
    }

    /// Where it listens; the address is unspecified (`::`) when it listens on all of the node's.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Waits for a stream. [`TailnetStream::peer_addr`] tells who has dialled.
    ///
    /// Cancel safe: no stream is lost when the future is dropped.
    ///
    /// # Errors
    /// [`AcceptError::Closed`] once the node is closed.
    pub async fn accept(&mut self) -> Result<TailnetStream, AcceptError> {
        let operation = match &mut self.pending {
            Some(operation) => operation,
            none => none.insert(self.listener.accept()?),
        };
        let result = operation.await;
        self.pending = None;
        let other = |message: String| AcceptError::Other { message };
        let raw = result?.stream.ok_or_else(|| other("the node gave no stream".to_owned()))?;
        TailnetStream::new(raw).map_err(|e| other(e.to_string()))
    }
}
