//! The wakers of tasks that poll one object at the same time.

use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Lets any number of tasks wait by a poll that remembers one waker only, as those of tokio's sockets do.
#[derive(Debug, Default)]
pub(crate) struct Wakers {
    waiting: Arc<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting(Mutex<Vec<Waker>>);

impl Wakers {
    /// Polls with a waker that wakes all who wait; the task of `cx` is one of them while this is pending.
    pub(crate) fn poll<T>(
        &self,
        cx: &Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // First, so that a wake that comes during the poll is not missed.
        self.waiting.add(cx.waker());
        let all = Waker::from(self.waiting.clone());
        let polled = poll(&mut Context::from_waker(&all));
        if polled.is_ready() {
            self.waiting.remove(cx.waker());
        }
        polled
    }
}

impl Waiting {
    fn add(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn remove(&self, waker: &Waker) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|other| !other.will_wake(waker));
    }
}

impl Wake for Waiting {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waiting = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::net::UnixDatagram;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[tokio::test]
    async fn all_tasks_that_wait_for_a_full_socket_are_woken_and_those_that_got_on_are_forgotten() {
        let (full, other) = UnixDatagram::pair().unwrap();
        full.writable().await.unwrap();
        while full.try_send(b"x").map_err(|e| e.kind()) != Err(io::ErrorKind::WouldBlock) {}
        let wakers = Wakers::default();
        let tasks: [Arc<Woken>; 3] = Default::default();
        let poll = |task: &Arc<Woken>| {
            let waker = Waker::from(task.clone());
            wakers.poll(&Context::from_waker(&waker), |cx| full.poll_send_ready(cx))
        };
        for task in tasks.iter().chain(&tasks) {
            assert!(poll(task).is_pending());
        }
        assert_eq!(wakers.waiting.0.lock().unwrap().len(), tasks.len(), "each waits once");
        other.readable().await.unwrap();
        while other.try_recv(&mut [0]).is_ok() {}
        tokio::time::timeout(Duration::from_secs(60), async {
            while tasks.iter().any(|task| task.0.load(Ordering::SeqCst) == 0) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("all are woken");
        for task in &tasks {
            assert!(poll(task).is_ready());
        }
        assert_eq!(wakers.waiting.0.lock().unwrap().len(), 0);
    }
}
