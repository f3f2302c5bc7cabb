//! Open streams of events, and how long a change takes to them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::value::RawValue;
use tailnet::Tailnet;
use tokio::task::JoinSet;

use crate::callers::{Connection, Way, nothing};
use crate::report::Times;

/// How many streams one caller may have.
pub(crate) const EACH: usize = 4;

/// A change: the cloud, the instance, and what is new of it.
pub(crate) type Change = (String, String, String);

/// The changes that are waited for, and when they happened. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Changes(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    numbers: HashMap<Change, usize>,
    happened: Vec<Instant>,
}

impl Changes {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that it happens now, and gives its number. Of equal changes the newest counts.
    pub(crate) fn happens(&self, change: Change) -> usize {
        let mut known = self.known();
        let number = known.happened.len();
        known.numbers.insert(change, number);
        known.happened.push(Instant::now());
        number
    }

    /// Says that it was at another time.
    pub(crate) fn happened(&self, number: usize, at: Instant) {
        self.known().happened[number] = at;
    }

    pub(crate) fn count(&self) -> usize {
        self.known().happened.len()
    }
}

/// Streams that are open.
pub(crate) struct Streams {
    tasks: JoinSet<()>,
    changes: Changes,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// The numbers of changes, and when each came to a stream.
    arrived: Vec<(usize, Instant)>,
    /// How many streams ended, and how many were told that they have missed something.
    ended: usize,
    resets: usize,
}

#[derive(Deserialize)]
struct Told<'a> {
    kind: &'a str,
    #[serde(borrow)]
    row: &'a RawValue,
}

#[derive(Deserialize)]
struct Row<'a> {
    cloud: &'a str,
    name: &'a str,
    status: &'a str,
    description: &'a str,
}

impl Streams {
    /// Opens as many as each caller may have, and waits until all follow.
    pub(crate) async fn open(callers: &[Tailnet], to: &str, count: usize, changes: &Changes) -> Streams {
        let (mut tasks, seen) = (JoinSet::new(), Arc::<Mutex<Seen>>::default());
        let mut opening = JoinSet::new();
        for number in 0..count {
            let way = Way::Tailnet(callers[number / EACH].clone(), to.to_owned());
            opening.spawn(open(way));
        }
        for (connection, body) in opening.join_all().await {
            tasks.spawn(follow(connection, body, changes.clone(), Arc::clone(&seen)));
        }
        Streams { tasks, changes: changes.clone(), seen }
    }

    /// How long the changes took to each stream, since this was asked last.
    pub(crate) fn take(&self) -> Times {
        let arrived = std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).arrived);
        let known = self.changes.known();
        Times::of(
            arrived.into_iter().map(|(number, at)| at.saturating_duration_since(known.happened[number])),
        )
    }

    /// How often changes came, since the times were taken last.
    pub(crate) fn arrived(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).arrived.len()
    }

    /// How many streams ended or missed something.
    pub(crate) fn broken(&self) -> usize {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.ended + seen.resets
    }

    pub(crate) async fn close(mut self) {
        self.tasks.shutdown().await;
    }
}

async fn open(way: Way) -> (Connection, Incoming) {
    let mut connection = Connection::open(&way).await.unwrap();
    let answer = connection.send(Method::GET, "/api/v1/events", &[], nothing()).await.unwrap();
    assert!(answer.status().is_success(), "a stream of events: {}", answer.status());
    let mut body = answer.into_body();
    body.frame().await.unwrap().unwrap(); // it follows from here on
    (connection, body)
}

async fn follow(_connection: Connection, mut body: Incoming, changes: Changes, seen: Arc<Mutex<Seen>>) {
    let (mut text, mut known) = (Vec::new(), HashSet::new());
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        let (arrived, before) = (Instant::now(), text.len());
        text.extend_from_slice(data);
        // Only what is new can have an end of a line in it.
        let Some(end) = text[before..].iter().rposition(|byte| *byte == b'\n') else { continue };
        let rest = text.split_off(before + end + 1);
        let lines = std::mem::replace(&mut text, rest);
        let (mut numbers, mut resets) = (Vec::new(), 0);
        for line in String::from_utf8_lossy(&lines).lines() {
            resets += usize::from(line == "event: reset");
            let Some(json) = line.strip_prefix("data: ") else { continue };
            for told in serde_json::from_str::<Vec<Told<'_>>>(json).unwrap_or_default() {
                if told.kind != "instance" {
                    continue;
                }
                let Ok(row) = serde_json::from_str::<Row<'_>>(told.row.get()) else { continue };
                for what in [row.status, row.description] {
                    let change = (row.cloud.to_owned(), row.name.to_owned(), what.to_owned());
                    let number = changes.known().numbers.get(&change).copied();
                    numbers.extend(number.filter(|number| known.insert(*number)));
                }
            }
        }
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.resets += resets;
        seen.arrived.extend(numbers.into_iter().map(|number| (number, arrived)));
    }
    seen.lock().unwrap_or_else(PoisonError::into_inner).ended += 1;
}
