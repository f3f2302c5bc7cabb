//! A copy between servers under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::progress::{CopyProgress, Told};
use super::relay::Relay;
use super::silence;
use crate::{Client, Error, Operation, OperationState};

/// How often the progress of a relayed copy is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// How long the other server's operation may take to end, once one has failed.
const OTHER_ENDS_WITHIN: Duration = Duration::from_secs(10);

/// How long the source may take to end once the target has.
const SOURCE_ENDS_WITHIN: Duration = Duration::from_secs(2);

/// A copy from one server to another that is under way, from [`InstanceHandle::begin_copy_to`] and
/// [`VolumeHandle::begin_copy_to`]: an operation on each server, and for [`Route::Relay`] the connections between them.
///
/// Dropping it breaks the connections of a relayed copy, which fails then. The servers go on with one on another way.
///
/// [`InstanceHandle::begin_copy_to`]: crate::InstanceHandle::begin_copy_to
/// [`VolumeHandle::begin_copy_to`]: crate::VolumeHandle::begin_copy_to
/// [`Route::Relay`]: crate::Route::Relay
#[derive(Debug)]
#[must_use = "dropping it ends a relayed copy"]
pub struct Copying {
    pub(super) source: Client,
    pub(super) target: Client,
    pub(super) sending: Operation,
    pub(super) receiving: Operation,
    pub(super) relay: Option<Relay>,
    pub(super) carried: Arc<AtomicU64>,
}

impl Copying {
    /// The bytes of data that this process has carried; 0 for a copy that does not pass here.
    #[must_use]
    pub fn carried(&self) -> u64 {
        self.carried.load(Ordering::Relaxed)
    }

    /// Waits until both servers have ended it. Cancel safe: it can be called again.
    ///
    /// # Errors
    /// Of the servers' errors the one that says more. The target removes what it has made of the copy, if it can.
    pub async fn wait(&mut self) -> Result<(), Error> {
        let Copying { sending, receiving, relay, source, target, carried } = self;
        let (sending_id, receiving_id) = (sending.id().to_owned(), receiving.id().to_owned());
        let both = both_end(sending, receiving);
        let Some(connections) = relay else { return both.await };
        tokio::pin!(both);
        let silent = tokio::select! {
            ended = &mut both => return ended,
            ended = connections.ended() => ended.err(),
            silent = silence::of_either([(source, &sending_id), (target, &receiving_id)], carried) => Some(silent),
        };
        *relay = None;
        // A server that failed by itself says more.
        match (tokio::time::timeout(OTHER_ENDS_WITHIN, &mut both).await, silent) {
            (Ok(Err(error @ Error::Operation { .. })), _) => Err(error),
            (Ok(Ok(())), _) => Ok(()),
            (_, Some(silent)) => Err(silent),
            (Ok(Err(error)), None) => Err(error),
            // They may have much to do at the end; a server that cannot be asked has not.
            (Err(_), None) => {
                let asked = target.get(["operations", &receiving_id]).unscoped();
                match asked.fetch::<OperationState>().await {
                    Err(error) if !error.is_not_found() => Err(error),
                    _ => both.await,
                }
            }
        }
    }

    /// [`wait`](Copying::wait), which calls `changed` while it goes on. Cancel safe.
    ///
    /// # Errors
    /// Those of `wait`.
    pub async fn wait_with(&mut self, mut changed: impl FnMut(CopyProgress)) -> Result<(), Error> {
        if self.relay.is_none() {
            let Copying { sending, receiving, .. } = self;
            let mut told = Told::default();
            let report = |state: &OperationState| {
                let Some(said) = state.progress() else { return };
                let received = told.take(said);
                changed(CopyProgress { carried: None, received, said: Some(said.to_owned()) });
            };
            let received = async { receiving.wait_with(report).await.map(drop) };
            let sent = async { sending.wait().await.map(drop) };
            return Box::pin(both(received, sent)).await; // a small future for callers
        }
        let carried = Arc::clone(&self.carried);
        let mut ticks = tokio::time::interval(TELL_EVERY);
        let mut ended = Box::pin(self.wait());
        loop {
            let done = tokio::select! {
                ended = &mut ended => Some(ended),
                _ = ticks.tick() => None,
            };
            let carried = Some(carried.load(Ordering::Relaxed));
            changed(CopyProgress { carried, ..CopyProgress::default() });
            if let Some(ended) = done {
                return ended;
            }
        }
    }

    /// Ends it early, and waits no longer than this until the target has ended it, after it has removed what it has made:
    /// breaks the connections of a relayed copy, those with the data first, and has the source cancel its operation.
    ///
    /// A server that cannot be reached has not ended.
    pub async fn cancel(mut self, within: Duration) -> CopyEnds {
        let deadline = tokio::time::Instant::now() + within;
        if let Some(relay) = &mut self.relay {
            relay.break_data();
            // LXD 5.0 tells the end before it has removed the volume, where the servers' talk breaks off too.
            let _ = tokio::time::timeout(within / 2, self.receiving.wait()).await;
            self.relay = None;
        }
        // One that cannot be cancelled goes on.
        let _ = tokio::time::timeout_at(deadline, self.sending.cancel()).await;
        let target = match tokio::time::timeout_at(deadline, self.receiving.wait()).await {
            Ok(Ok(_) | Err(Error::Operation { .. } | Error::OperationLost { .. })) => true,
            Ok(Err(_)) | Err(_) => false, // it cannot be asked, or goes on
        };
        let _ = tokio::time::timeout(SOURCE_ENDS_WITHIN, self.sending.wait()).await;
        let source = tokio::time::timeout(SOURCE_ENDS_WITHIN, self.sending.state()).await;
        CopyEnds { target, source_goes_on: matches!(source, Ok(Ok(state)) if !state.is_final()) }
    }
}

/// How a copy that was ended early has ended at the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyEnds {
    /// Whether the target has ended it.
    pub target: bool,
    /// Whether the source goes on. One that has lost its connection to the target may wait for minutes, and cannot be made
    /// to stop.
    pub source_goes_on: bool,
}

async fn both_end(sending: &mut Operation, receiving: &mut Operation) -> Result<(), Error> {
    both(async { receiving.wait().await.map(drop) }, async { sending.wait().await.map(drop) }).await
}

/// Awaits the ends of both operations. When one has failed, the other gets a while to say more.
async fn both(
    received: impl Future<Output = Result<(), Error>>,
    sent: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    tokio::pin!(received, sent);
    let (received, sent) = tokio::select! {
        first = &mut received => match first {
            Ok(()) => (Ok(()), sent.await),
            Err(error) => (Err(error), soon(sent).await),
        },
        first = &mut sent => match first {
            Ok(()) => (received.await, Ok(())),
            Err(error) => (soon(received).await, Err(error)),
        },
    };
    match (received, sent) {
        (Err(received), Err(sent)) => Err(if says_more(&sent, &received) { sent } else { received }),
        (received, sent) => received.and(sent),
    }
}

/// How it ends, if that is soon. One that still goes on then has nothing to say.
async fn soon(end: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    tokio::time::timeout(OTHER_ENDS_WITHIN, end).await.unwrap_or(Ok(()))
}

/// What a server says that has waited for the other one.
const WAITED: &str = "Timed out";

/// What a server says whose disk is full.
const FULL: &str = "No space left on device";

/// Whether the sender's error says more than the receiver's: it cannot be reached any more, or the receiver has only
/// waited for it.
fn says_more(sent: &Error, received: &Error) -> bool {
    let unreachable = |error: &Error| !matches!(error, Error::Operation { .. } | Error::OperationLost { .. });
    let says = |error: &Error, words: &str| error.to_string().contains(words);
    match (unreachable(sent), unreachable(received)) {
        (true, false) => true,
        (false, true) => false,
        _ if says(sent, FULL) != says(received, FULL) => says(sent, FULL),
        _ => says(received, WAITED) && !says(sent, WAITED),
    }
}
