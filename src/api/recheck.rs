//! Whether a caller still may have what goes on for long: rights are asked for again every 30 seconds, and at once when the
//! network map or the configuration changes.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::Connection;
use super::gate::caller_of;
use super::needs::Asker;
use super::problem::{Code, Problem};
use super::state::Api;
use crate::access::Caller;

/// How often the rights are asked for.
const EVERY: Duration = Duration::from_secs(30);

/// Who has something that goes on for long.
#[derive(Debug)]
pub(in crate::api) struct Recheck {
    api: Api,
    connection: Connection,
    changes: watch::Receiver<u64>,
    checked: Instant,
    stopping: CancellationToken,
}

impl Recheck {
    /// For a caller whose rights were asked for just now.
    pub(in crate::api) fn new(api: Api, connection: Connection) -> Recheck {
        let (changes, stopping) = (api.access.changes(), api.node.stopping());
        Recheck { api, connection, changes, checked: Instant::now(), stopping }
    }

    /// Is done when the rights are to be asked for. Cancel safe.
    pub(in crate::api) async fn due(&mut self) {
        tokio::select! {
            changed = self.changes.changed() => if changed.is_err() {
                std::future::pending::<()>().await; // the node ends, and all with it
            },
            () = tokio::time::sleep_until(self.checked + EVERY) => {}
        }
    }

    /// Asks anew who the caller is. `None` where nobody can tell.
    pub(in crate::api) async fn caller(&mut self) -> Option<Asker> {
        self.changes.mark_unchanged();
        self.checked = Instant::now();
        caller_of(&self.api, &self.connection).await.ok()
    }

    /// Is done once the caller has lost the right, or the node stops, and says which.
    pub(in crate::api) async fn lost(&mut self, may: impl Fn(&Caller) -> bool) -> Problem {
        let stopping = self.stopping.clone();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return Problem::new(Code::Unavailable, "the node stops"),
                () = self.due() => {}
            }
            if !self.caller().await.is_some_and(|caller| may(&caller)) {
                return Problem::new(Code::Forbidden, "the right to do this was taken away meanwhile");
            }
        }
    }
}
