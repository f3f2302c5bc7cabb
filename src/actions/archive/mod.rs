//! Folders of instances as tar, read and written as it goes by.

mod exact;
mod metered;
mod pack;
mod path;
mod unpack;

pub(crate) use exact::Exact;
pub(crate) use pack::pack;
pub(crate) use unpack::{Owner, unpack};

/// No path in an instance is longer, as in Linux.
pub(crate) const LONGEST: usize = 4096;
