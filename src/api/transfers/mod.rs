//! Long bodies in both directions: never whole in memory, with a deadline for silence and none for the whole, and with a record
//! in the audit. Each ends with the right to it.

mod ending;
mod incoming;
mod outgoing;
mod range;
mod receive;

pub(in crate::api) use ending::ending;
pub(in crate::api) use incoming::Incoming;
pub(in crate::api) use outgoing::{Outgoing, copy};
pub(in crate::api) use range::{Part, part_of};
pub(in crate::api) use receive::receive;

use std::time::Duration;

use crate::access::Caller;
use crate::api::ask::Ask;
use crate::api::gate::too_many;
use crate::api::guard::{Held, Permit};
use crate::api::jobs::Target;
use crate::api::problem::Problem;
use crate::config::Verb;

/// How long the other side may send nothing, or take nothing.
const IDLE: Duration = Duration::from_secs(60);

/// Counts one more transfer of the caller's.
fn hold(ask: &Ask) -> Result<Permit, Problem> {
    let held = ask.api.limits.take(Held::Transfer, &ask.caller.node.id);
    held.ok_or_else(|| too_many(Held::Transfer))
}

/// Whether a caller has the right in the same project.
fn may(verb: Verb, target: &Target) -> impl Fn(&Caller) -> bool + Send + 'static {
    let (cloud, project) = (target.cloud.clone(), target.project.clone());
    move |caller| caller.rights.allows(verb, &cloud, &project)
}
