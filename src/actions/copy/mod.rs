//! Copies and moves of instances and custom volumes, inside a cloud and between clouds.
//!
//! Inside a cloud the server copies by itself. Between clouds the target pulls from the source, or the source pushes to the
//! target, or this node relays the bytes: see [`Mode`]. A server is told an address of the tailnet only, which the caller
//! gives with each [`Place`].

mod between;
mod count;
mod failure;
mod moving;
mod plan;
pub(crate) mod reach;
mod undo;
mod verify;
mod volumes;
pub(in crate::actions) mod ways;
mod within;

use lxd_client::Client;
use serde::Serialize;

pub(crate) use count::Counted;
pub(crate) use moving::{Moved, move_instance};
pub(crate) use plan::{Overrides, Profiles};
pub(crate) use volumes::{VolumeWanted, copy_volume, move_volume};
pub(crate) use ways::{Mode, Refused, Way};

use super::{ActionError, Job};

/// One side of a copy: a cloud, in a project of it.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The cloud's name.
    pub(crate) cloud: String,
    /// The project's name.
    pub(crate) project: String,
    /// A client of the cloud, in that project.
    pub(crate) client: Client,
    /// The URL at which another server of the tailnet reaches it, such as `https://100.64.0.1:8443`; or why there is none.
    /// Its host is an address of the tailnet, and nothing else.
    pub(crate) url: Result<String, String>,
}

/// What is copied.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The instance.
    pub(crate) instance: String,
    /// A snapshot of it, which becomes an instance.
    pub(crate) snapshot: Option<String>,
}

/// The copy to make.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Its name.
    pub(crate) name: String,
    /// How its bytes are to travel between clouds.
    pub(crate) mode: Mode,
    /// What differs from the source.
    pub(crate) overrides: Overrides,
    /// Without the snapshots.
    pub(crate) instance_only: bool,
    /// Without the state of what runs.
    pub(crate) stateless: bool,
    /// Brings an instance that is there up to date.
    pub(crate) refresh: bool,
    /// Passes over files that change meanwhile.
    pub(crate) allow_inconsistent: bool,
    /// The member of the target's cluster.
    pub(crate) member: Option<String>,
}

/// A copy that was made and looked at.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Copied {
    /// Which way it took.
    pub(crate) way: Way,
    /// The better ways, and why they were not taken.
    pub(crate) not_by: Vec<Refused>,
    /// The bytes that this node has carried, of a relayed copy.
    pub(crate) bytes: Option<u64>,
    /// How long the transfer took.
    pub(crate) seconds: f64,
    /// The snapshots that are at the target now.
    pub(crate) snapshots: Vec<String>,
    /// Whether its files were counted and found to be as many and as long as those of the source; for an instance that comes
    /// from another cloud.
    pub(crate) counted: Option<Counted>,
}

impl Copied {
    /// Bytes a second, where the bytes are known.
    pub(crate) fn rate(&self) -> Option<f64> {
        self.bytes.filter(|_| self.seconds > 0.0).map(|bytes| bytes as f64 / self.seconds)
    }
}

/// Copies an instance or a snapshot. The copy is whole when this ends well: its settings, devices and profiles and the names
/// of its snapshots, their times and whether they are stateful were read back, and between clouds the files of a container
/// that does not run were counted at both.
///
/// # Errors
/// [`ActionError::Refused`] when the target lacks something, before anything is begun. After a failure or a cancel the
/// target has nothing of the copy, or the error says what is left. A copy that refreshes leaves the instance that was there
/// as far as it got.
pub(crate) async fn copy(
    from: &Place,
    source: &Source,
    to: &Place,
    wanted: &Wanted,
    job: &Job,
) -> Result<Copied, ActionError> {
    make(from, source, to, wanted, false, job).await
}

/// A copy, or the first part of a move: that one keeps what the source's server has noted of it, such as MAC addresses.
async fn make(
    from: &Place,
    source: &Source,
    to: &Place,
    wanted: &Wanted,
    moving: bool,
    job: &Job,
) -> Result<Copied, ActionError> {
    let plan = plan::plan(from, source, to, wanted, moving, job).await?;
    if from.cloud == to.cloud {
        within::copy(from, to, &plan, job).await
    } else {
        between::copy(from, to, &plan, job).await
    }
}
