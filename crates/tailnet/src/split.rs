use std::sync::Arc;

use tokio::net::unix;

use crate::ffi::Conn;

// stream.rs has them read and write as a stream does.

/// The reading half of a stream, from [`TailnetStream::into_split`](crate::TailnetStream::into_split).
#[derive(Debug)]
pub struct OwnedReadHalf {
    pub(crate) conn: Arc<Conn>, // first: as in TailnetStream
    pub(crate) socket: unix::OwnedReadHalf,
}

/// The writing half of a stream, from [`TailnetStream::into_split`](crate::TailnetStream::into_split). Dropping it sends
/// the peer an end of file.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    pub(crate) conn: Arc<Conn>,
    pub(crate) socket: unix::OwnedWriteHalf,
}
