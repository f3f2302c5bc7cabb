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

/// How soon they are asked for again where the node cannot tell.
const AGAIN: Duration = Duration::from_secs(5);

/// For how long the last answer holds where the node cannot tell.
const HOLDS: Duration = Duration::from_secs(60);

/// Who has something that goes on for long.
#[derive(Debug)]
pub(in crate::api) struct Recheck {
    api: Api,
    connection: Connection,
    dates: Dates,
    stopping: CancellationToken,
}

/// When the rights are asked for.
#[derive(Debug)]
struct Dates {
    /// Changes when somebody may have lost a right.
    changes: watch::Receiver<u64>,
    /// Of the last answer.
    answered: Instant,
    next: Instant,
}

impl Recheck {
    /// For a caller whose rights were asked for just now.
    pub(in crate::api) fn new(api: Api, connection: Connection) -> Recheck {
        let (dates, stopping) = (Dates::new(api.access.changes()), api.node.stopping());
        Recheck { api, connection, dates, stopping }
    }

    /// Is done when the rights are to be asked for. Cancel safe.
    pub(in crate::api) async fn due(&mut self) {
        self.dates.due().await;
    }

    /// The caller came by another connection since.
    pub(in crate::api) fn by(&mut self, connection: Connection) {
        self.connection = connection;
    }

    /// Asks anew who the caller is. `None` where the node cannot tell now, and what it told before still holds.
    ///
    /// # Errors
    /// When it is nobody who may come in, or the node could not tell for too long.
    pub(in crate::api) async fn caller(&mut self) -> Result<Option<Asker>, Problem> {
        self.dates.asks();
        let answer = caller_of(&self.api, &self.connection).await;
        match &answer {
            Err(problem) if problem.code() == Code::Unavailable && self.dates.hold() => return Ok(None),
            _ => self.dates.is_answered(),
        }
        answer.map(Some)
    }

    /// Is done once the caller has lost the right, or the node stops, and says which.
    pub(in crate::api) async fn lost(&mut self, may: impl Fn(&Caller) -> bool) -> Problem {
        let stopping = self.stopping.clone();
        loop {
            tokio::select! {
                () = stopping.cancelled() => return Problem::new(Code::Unavailable, "the node stops"),
                () = self.due() => {}
            }
            match self.caller().await {
                Ok(None) => {}
                Ok(Some(caller)) if may(&caller) => {}
                _ => return Problem::new(Code::Forbidden, "the right to do this was taken away meanwhile"),
            }
        }
    }
}

impl Dates {
    fn new(changes: watch::Receiver<u64>) -> Dates {
        let now = Instant::now();
        Dates { changes, answered: now, next: now + EVERY }
    }

    async fn due(&mut self) {
        tokio::select! {
            changed = self.changes.changed() => if changed.is_err() {
                std::future::pending::<()>().await; // the node ends, and all with it
            },
            () = tokio::time::sleep_until(self.next) => {}
        }
    }

    /// What changes from now on is not in the answer.
    fn asks(&mut self) {
        self.changes.mark_unchanged();
    }

    fn is_answered(&mut self) {
        self.answered = Instant::now();
        self.next = self.answered + EVERY;
    }

    /// Whether the last answer still holds. It is asked for again soon.
    fn hold(&mut self) -> bool {
        self.next = Instant::now() + AGAIN;
        self.answered.elapsed() < HOLDS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rights_are_asked_for_every_30_seconds_and_at_once_when_something_changes() {
        let (changes, seen) = watch::channel(0);
        let (begun, mut dates) = (Instant::now(), Dates::new(seen));
        for round in 1..=3 {
            dates.due().await;
            assert_eq!(begun.elapsed(), round * Duration::from_secs(30));
            dates.asks();
            dates.is_answered();
        }
        changes.send_modify(|change| *change += 1);
        dates.due().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(90));
        dates.asks();
        // A change while the node is asked is not in its answer.
        changes.send_modify(|change| *change += 1);
        dates.is_answered();
        dates.due().await;
        assert_eq!(begun.elapsed(), Duration::from_secs(90));
    }

    #[tokio::test(start_paused = true)]
    async fn where_the_node_cannot_tell_it_is_asked_again_soon_and_the_last_answer_holds_for_a_minute() {
        let (_changes, seen) = watch::channel(0);
        let (begun, mut dates) = (Instant::now(), Dates::new(seen));
        let mut asked = Vec::new();
        loop {
            dates.due().await;
            dates.asks();
            asked.push(begun.elapsed().as_secs());
            if !dates.hold() {
                break;
            }
        }
        assert_eq!(asked, [30, 35, 40, 45, 50, 55, 60]);
    }
}
