//! The two halves of a stream.

use std::sync::Arc;

use tokio::net::unix;

use crate::ffi::{Conn, Node};

// stream.rs implements `AsyncRead` and `AsyncWrite` for them.

/// The reading half of a stream, from [`TailnetStream::into_split`](crate::TailnetStream::into_split).
#[derive(Debug)]
pub struct OwnedReadHalf {
    pub(crate) conn: Arc<Conn>, // in the same order as in TailnetStream
    pub(crate) socket: unix::OwnedReadHalf,
    pub(crate) _node: Arc<Node>,
}

/// The writing half of a stream, from [`TailnetStream::into_split`](crate::TailnetStream::into_split). Dropping it sends
/// the peer an end of file.
#[derive(Debug)]
pub struct OwnedWriteHalf {
    pub(crate) conn: Arc<Conn>,
    pub(crate) socket: unix::OwnedWriteHalf,
    pub(crate) _node: Arc<Node>,
}
