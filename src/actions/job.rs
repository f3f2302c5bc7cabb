//! An action under way.

use lxd_client::{Operation, OperationState};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::ActionError;

/// An action under way: it reports its progress here, and learns that it is cancelled. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    cancelled: CancellationToken,
    progress: watch::Sender<Progress>,
    operations: watch::Sender<Vec<String>>,
}

/// How far an action is. Whoever watches sees the newest one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What goes on, such as `creating` or a server's own words.
    pub(crate) stage: String,
    /// How many bytes have been moved, where bytes are.
    pub(crate) bytes: u64,
    /// How many there are, if that is known.
    pub(crate) total: Option<u64>,
}

impl Job {
    pub(crate) fn new() -> Job {
        Job::with(CancellationToken::new())
    }

    /// One of several jobs that are cancelled together: it is cancelled with this one, and has a progress of its own.
    pub(crate) fn part(&self) -> Job {
        Job::with(self.cancelled.child_token())
    }

    fn with(cancelled: CancellationToken) -> Job {
        Job { cancelled, progress: watch::Sender::default(), operations: watch::Sender::default() }
    }

    /// Asks the action to end early. It removes what it has made so far, and ends with [`ActionError::Cancelled`].
    pub(crate) fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Whether it was asked to end early.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.is_cancelled()
    }

    /// Is done when the job is cancelled.
    pub(crate) async fn cancelled(&self) {
        self.cancelled.cancelled().await;
    }

    /// Follows the progress.
    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Follows which operations of servers it consists of, by their numbers; they come as the servers begin them.
    pub(crate) fn watch_operations(&self) -> watch::Receiver<Vec<String>> {
        self.operations.subscribe()
    }

    /// How far it is now.
    pub(crate) fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// The operations of servers that it consists of so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.operations.borrow().clone()
    }

    /// Whether an operation of that number is one of them.
    pub(crate) fn has_operation(&self, id: &str) -> bool {
        self.operations.borrow().iter().any(|known| known == id)
    }

    /// Whether somebody follows the progress.
    pub(crate) fn is_watched(&self) -> bool {
        self.progress.receiver_count() > 0
    }

    /// Reports what goes on now.
    pub(crate) fn stage(&self, stage: impl Into<String>) {
        self.progress.send_replace(Progress { stage: stage.into(), ..Progress::default() });
    }

    /// Reports how many bytes have been moved.
    pub(crate) fn moved(&self, bytes: u64, total: Option<u64>) {
        self.progress.send_modify(|progress| (progress.bytes, progress.total) = (bytes, total));
    }

    /// Awaits a request, unless the job is cancelled first.
    pub(crate) async fn run<T, E: Into<ActionError>>(
        &self,
        request: impl Future<Output = Result<T, E>>,
    ) -> Result<T, ActionError> {
        tokio::select! {
            biased;
            () = self.cancelled() => Err(ActionError::cancelled()),
            outcome = request => outcome.map_err(Into::into),
        }
    }

    /// Waits for the end of a server's operation, and passes on what it says of its progress. When the job is cancelled, the
    /// operation is cancelled at the server, and its end is awaited.
    pub(crate) async fn follow(&self, mut operation: Operation) -> Result<OperationState, ActionError> {
        self.operations.send_modify(|operations| operations.push(operation.id().to_owned()));
        let outcome = {
            let ended = async {
                if !self.is_watched() {
                    return operation.wait().await; // without a connection for events
                }
                let report = |state: &OperationState| {
                    if let Some(progress) = state.progress() {
                        self.stage(progress);
                    }
                };
                operation.wait_with(report).await
            };
            tokio::select! {
                ended = ended => Some(ended),
                () = self.cancelled() => None,
            }
        };
        match outcome {
            Some(ended) => Ok(ended?),
            None => {
                let _ = operation.cancel().await; // one that cannot be cancelled goes on to its end
                match operation.wait().await {
                    Ok(ended) => Ok(ended), // it was done first
                    Err(_) => Err(ActionError::cancelled()),
                }
            }
        }
    }
}
