//! How much of what a client does happens at the same time.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::Client;

/// How many operations connect their websockets at the same time. As many again have their connections made, to be ready
/// when their turn comes.
const CONNECTING: usize = 32;

/// How many operations are waited for on the connection that all requests share: servers carry 250 requests at once
/// on one, and the rest is for what ends sooner.
const SHARED_WAITS: usize = 100;

pub(super) struct Limits {
    queue: Semaphore,
    turns: Semaphore,
    waits: Semaphore,
}

impl Limits {
    pub(super) fn new() -> Limits {
        let [queue, turns, waits] = [2 * CONNECTING, CONNECTING, SHARED_WAITS].map(Semaphore::new);
        Limits { queue, turns, waits }
    }
}

impl Client {
    /// A place among the operations that make the connections of their websockets.
    pub(crate) async fn queue(&self) -> Option<SemaphorePermit<'_>> {
        self.shared.limits.queue.acquire().await.ok() // never closed
    }

    /// A place among the fewer operations that begin, and connect their websockets.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.shared.limits.turns.acquire().await.ok() // never closed
    }

    /// A place among the waits on the shared connection, where one is free.
    pub(crate) fn wait_slot(&self) -> Option<SemaphorePermit<'_>> {
        self.shared.limits.waits.try_acquire().ok()
    }
}
