//! Requests at a steady rate, whatever becomes of those before.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::callers::Connection;
use crate::report::Times;

/// What came of it.
pub(crate) struct Outcome {
    /// From the moment at which a request was due to the end of its answer.
    pub(crate) times: Times,
    pub(crate) errors: usize,
    /// The bytes of an answer, on average.
    pub(crate) length: usize,
    pub(crate) seconds: f64,
}

impl Outcome {
    pub(crate) fn a_second(&self) -> f64 {
        self.times.len() as f64 / self.seconds
    }
}

/// Connections of many callers, which take turns.
#[derive(Clone)]
pub(crate) struct Pool {
    idle: Arc<Mutex<VecDeque<Connection>>>,
    free: Arc<Semaphore>,
}

impl Pool {
    pub(crate) fn new(connections: Vec<Connection>) -> Pool {
        let free = Arc::new(Semaphore::new(connections.len()));
        Pool { idle: Arc::new(Mutex::new(connections.into())), free }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, VecDeque<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request on the connection that has been idle for longest. One that fails is not used again.
    async fn get(&self, path: &str, gzip: bool) -> Option<usize> {
        let permit = self.free.acquire().await.ok()?;
        let mut connection = self.idle().pop_front()?;
        match connection.get(path, gzip).await {
            Ok(answer) => {
                self.idle().push_back(connection);
                drop(permit);
                answer.status.is_success().then_some(answer.length)
            }
            Err(_) => {
                permit.forget();
                None
            }
        }
    }

    /// So many requests a second, each sent when it is due.
    pub(crate) async fn steady(&self, path: &str, gzip: bool, rate: u32, time: Duration) -> Outcome {
        let (began, mut under_way) = (Instant::now(), JoinSet::new());
        let count = (f64::from(rate) * time.as_secs_f64()) as u32;
        for number in 0..count {
            let due = began + Duration::from_secs(1) * number / rate;
            tokio::time::sleep_until(due).await;
            let (pool, path) = (self.clone(), path.to_owned());
            under_way.spawn(async move { pool.get(&path, gzip).await.map(|length| (due.elapsed(), length)) });
        }
        outcome(under_way.join_all().await, began)
    }

    /// As many as there can be with so many under way.
    pub(crate) async fn most(&self, path: &str, gzip: bool, at_once: usize, time: Duration) -> Outcome {
        let (began, mut under_way) = (Instant::now(), JoinSet::new());
        for _ in 0..at_once {
            let (pool, path) = (self.clone(), path.to_owned());
            under_way.spawn(async move {
                let mut done = Vec::new();
                while began.elapsed() < time {
                    let asked = Instant::now();
                    done.push(pool.get(&path, gzip).await.map(|length| (asked.elapsed(), length)));
                }
                done
            });
        }
        outcome(under_way.join_all().await.into_iter().flatten().collect(), began)
    }
}

fn outcome(all: Vec<Option<(Duration, usize)>>, began: Instant) -> Outcome {
    let seconds = began.elapsed().as_secs_f64();
    let errors = all.iter().filter(|one| one.is_none()).count();
    let good: Vec<(Duration, usize)> = all.into_iter().flatten().collect();
    let length = good.iter().map(|(_, length)| length).sum::<usize>() / good.len().max(1);
    Outcome { times: Times::of(good.into_iter().map(|(time, _)| time)), errors, length, seconds }
}
