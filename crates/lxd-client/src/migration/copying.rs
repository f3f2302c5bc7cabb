//! A copy between servers under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::relay::Relay;
use crate::{Error, Operation, OperationState};

/// How often the progress of a relayed copy is told.
const TELL_EVERY: Duration = Duration::from_millis(200);

/// How long the other server's operation may take to end, once one has failed.
const OTHER_ENDS_WITHIN: Duration = Duration::from_secs(10);

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
    pub(super) sending: Operation,
    pub(super) receiving: Operation,
    pub(super) relay: Option<Relay>,
    pub(super) carried: Arc<AtomicU64>,
}

/// How far a copy between servers is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyProgress {
    /// The bytes of data that this process has carried, for a relayed copy.
    pub carried: Option<u64>,
    /// What a server says of its progress, such as `fs: 12.30MB (4.10MB/s)`, for a copy on another way.
    pub said: Option<String>,
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
        let Copying { sending, receiving, relay, .. } = self;
        let both = both_end(sending, receiving);
        let Some(connections) = relay else { return both.await };
        tokio::pin!(both);
        let silent = tokio::select! {
            ended = &mut both => return ended,
            ended = connections.ended() => match ended {
                Ok(()) => return both.await,
                Err(error) => error,
            },
        };
        *relay = None;
        // A server that failed by itself says more.
        match tokio::time::timeout(OTHER_ENDS_WITHIN, both).await {
            Ok(Err(error @ Error::Operation { .. })) => Err(error),
            Ok(Ok(())) => Ok(()),
            _ => Err(silent),
        }
    }

    /// [`wait`](Copying::wait), which calls `changed` while it goes on. Cancel safe.
    ///
    /// # Errors
    /// Those of `wait`.
    pub async fn wait_with(&mut self, mut changed: impl FnMut(CopyProgress)) -> Result<(), Error> {
        if self.relay.is_none() {
            let Copying { sending, receiving, .. } = self;
            let report = |state: &OperationState| {
                let said = state.progress().map(str::to_owned);
                changed(CopyProgress { carried: None, said });
            };
            let told = async { receiving.wait_with(report).await.map(drop) };
            let sent = async { sending.wait().await.map(drop) };
            return both(told, sent).await;
        }
        let carried = Arc::clone(&self.carried);
        let mut ticks = tokio::time::interval(TELL_EVERY);
        let ended = self.wait();
        tokio::pin!(ended);
        loop {
            let done = tokio::select! {
                ended = &mut ended => Some(ended),
                _ = ticks.tick() => None,
            };
            changed(CopyProgress { carried: Some(carried.load(Ordering::Relaxed)), said: None });
            if let Some(ended) = done {
                return ended;
            }
        }
    }

    /// Ends it early, and waits no longer than this until the target has ended it, after it has removed what it has made:
    /// breaks the connections of a relayed copy, those with the data first, and has the source cancel its operation.
    ///
    /// Gives whether the target has ended, in one way or the other. One that cannot be reached has not.
    pub async fn cancel(mut self, within: Duration) -> bool {
        if let Some(relay) = &mut self.relay {
            relay.break_data();
            // LXD 5.0 tells the end before it has removed the volume, where the servers' talk breaks off too.
            let _ = tokio::time::timeout(within.min(OTHER_ENDS_WITHIN), self.receiving.wait()).await;
            self.relay = None;
        }
        let ended = async {
            // One that cannot be cancelled goes on.
            let _ = self.sending.cancel().await;
            match self.receiving.wait().await {
                Ok(_) | Err(Error::Operation { .. } | Error::OperationLost { .. }) => true,
                Err(_) => false, // it cannot be asked
            }
        };
        tokio::time::timeout(within, ended).await.unwrap_or(false)
    }
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

/// Whether the sender's error says more than the receiver's: it cannot be reached any more, or the receiver has only
/// waited for it.
fn says_more(sent: &Error, received: &Error) -> bool {
    let unreachable = |error: &Error| !matches!(error, Error::Operation { .. } | Error::OperationLost { .. });
    let waited = |error: &Error| error.to_string().contains("Timed out");
    match (unreachable(sent), unreachable(received)) {
        (true, false) => true,
        (false, true) => false,
        _ => waited(received) && !waited(sent),
    }
}
