//! Counters of a node's dials, streams and bytes.

use serde::{Deserialize, Serialize};

use crate::ffi::RawCounters;

/// What a node has carried since its start, from [`Tailnet::counters`](crate::Tailnet::counters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Counters {
    /// Dials begun.
    pub dials: u64,
    /// Dials that ended without a stream.
    pub dial_failures: u64,
    /// Streams from other nodes that were accepted.
    pub accepted: u64,
    /// Streams that are open at this moment.
    pub open_streams: u64,
    /// Bytes of the streams to other nodes.
    pub bytes_sent: u64,
    /// Bytes of the streams from other nodes.
    pub bytes_received: u64,
}

impl From<RawCounters> for Counters {
    fn from(raw: RawCounters) -> Counters {
        let RawCounters { dials, dial_failures, accepted, open_streams, bytes_sent, bytes_received } = raw;
        Counters { dials, dial_failures, accepted, open_streams, bytes_sent, bytes_received }
    }
}
