//! Long bodies in both directions: never whole in memory, with a deadline for silence and none for the whole, and with a record
//! in the audit.

mod incoming;
mod outgoing;
mod range;

pub(in crate::api) use incoming::Incoming;
pub(in crate::api) use outgoing::{Sent, Writer, copy, send};
pub(in crate::api) use range::{Part, part_of};

use std::time::Duration;

/// How long the other side may send nothing, or take nothing.
const IDLE: Duration = Duration::from_secs(60);
