//! How many bytes of a transfer are done.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// A source whose bytes are counted as they are read, for progress; from [`with_progress`].
#[derive(Debug)]
pub struct WithProgress<R, F> {
    source: R,
    read: u64,
    report: F,
}

/// Has `report` be called with how many bytes were read of a source so far: for what is sent to a server, such as by
/// [`Client::import_image`](crate::Client::import_image) and [`Files::write`](crate::Files::write), and for a [`Download`](crate::Download).
///
/// ```no_run
/// # async fn example(client: lxd_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let archive = tokio::fs::File::open("backup.tar.gz").await?;
/// let archive = lxd_client::with_progress(archive, |bytes| println!("{bytes} bytes"));
/// client.import_instance(archive, Some("c2"), None).await?.wait().await?;
/// # Ok(())
/// # }
/// ```
pub fn with_progress<R: AsyncRead, F: FnMut(u64)>(source: R, report: F) -> WithProgress<R, F> {
    WithProgress { source, read: 0, report }
}

impl<R: AsyncRead + Unpin, F: FnMut(u64) + Unpin> AsyncRead for WithProgress<R, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.source).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            let this = &mut *self;
            this.read += read as u64;
            (this.report)(this.read);
        }
        polled
    }
}
