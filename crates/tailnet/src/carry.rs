//! Joining a client's connection with a stream of the tailnet.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};

use crate::TailnetStream;

impl TailnetStream {
    /// Carries bytes both ways between the stream and `client` until both directions have ended, each by itself, and
    /// gives how many came from the client and went to it. What was not carried to its end must not look whole: when
    /// either side breaks, or the future is dropped, the stream is [aborted](Self::abort). The client's connection is
    /// the caller's to reset, as by tokio's `TcpStream::set_zero_linger`.
    ///
    /// # Errors
    /// That of the side that broke.
    pub async fn carry(
        self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin + ?Sized),
    ) -> io::Result<(u64, u64)> {
        AbortOnDrop::new(self).carry(client).await
    }
}

/// A stream that was not carried to its end yet.
pub(crate) struct AbortOnDrop(Option<TailnetStream>);

impl AbortOnDrop {
    pub(crate) fn new(stream: TailnetStream) -> AbortOnDrop {
        AbortOnDrop(Some(stream))
    }

    #[cfg(feature = "proxy")]
    pub(crate) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Some(stream) => tokio::io::AsyncWriteExt::write_all(stream, bytes).await,
            None => Ok(()),
        }
    }

    pub(crate) async fn carry(
        mut self,
        client: &mut (impl AsyncRead + AsyncWrite + Unpin + ?Sized),
    ) -> io::Result<(u64, u64)> {
        let Some(stream) = &mut self.0 else { return Ok((0, 0)) };
        let carried = copy_bidirectional(client, stream).await?;
        self.0 = None; // closes it, which still delivers what was written
        Ok(carried)
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(stream) = self.0.take() {
            stream.abort();
        }
    }
}
