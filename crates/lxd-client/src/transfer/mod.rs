//! Long bodies, streamed in both directions: never whole in memory.

mod chunks;
mod download;
mod progress;
mod sniff;
mod upload;

pub(crate) use chunks::Chunks;
pub use download::Download;
pub use progress::{WithProgress, with_progress};
pub(crate) use sniff::{Sniffed, sniff};
pub(crate) use upload::{Uploading, body_of};
