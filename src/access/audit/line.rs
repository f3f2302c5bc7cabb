//! The lines of the audit.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Outcome, cut};
use crate::clock;

/// What a line says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(super) enum Event {
    /// A change begins.
    Begun(Head),
    /// Somebody was not let do something.
    Denied(Head),
    /// And was not so many times more.
    Again { id: String, time: String, count: u64 },
    /// A change is made by these operations of the cloud's.
    Operations { id: String, operations: Vec<String> },
    /// A change is done.
    Done(Tail),
    /// A change has failed.
    Failed(Tail),
    /// A change was cancelled.
    Cancelled(Tail),
    /// The node stopped before a change had ended, or died; then the time is that of the next start.
    Unknown(Tail),
}

/// The first line of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) time: String,
    #[serde(flatten)]
    pub(super) entry: Entry,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { user, node, action, cloud, project, object, .. } = &self.entry;
        let who = user.as_ref().map_or(&*node.name, |user| &*user.login);
        write!(f, "{action} by {who} at {}", self.time)?;
        for (what, name) in [("cloud", cloud), ("project", project), ("object", object)] {
            if let Some(name) = name {
                write!(f, ", {what} {name}")?;
            }
        }
        Ok(())
    }
}

/// The last line of a record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Tail {
    pub(super) id: String,
    pub(super) time: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) operations: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// With which code a command has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) code: Option<i32>,
}

/// A line to write.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) text: String,
    /// Whether it is of a change that has begun, and is not to be lost.
    pub(super) follows: bool,
    /// The change that it ends.
    pub(super) ends: Option<String>,
}

impl Line {
    /// That of a change that begins, with its ID.
    pub(super) fn begun(entry: Entry) -> (String, Line) {
        let id = new_id();
        let event = Event::Begun(Head { id: id.clone(), time: now(), entry });
        (id, Line::of(&event))
    }

    /// That of what was denied, with its ID.
    pub(super) fn denied(entry: Entry) -> (String, Line) {
        let id = new_id();
        let event = Event::Denied(Head { id: id.clone(), time: now(), entry });
        (id, Line::of(&event))
    }

    /// That of what was denied so many times more.
    pub(super) fn again(id: String, count: u64) -> Line {
        Line::of(&Event::Again { id, time: now(), count })
    }

    pub(super) fn operations(id: &str, operations: &[String]) -> Line {
        let event = Event::Operations { id: id.to_owned(), operations: operations.to_owned() };
        Line { follows: true, ..Line::of(&event) }
    }

    /// That of a change that has ended.
    pub(super) fn end(id: String, operations: Vec<String>, outcome: Outcome) -> Line {
        let tail = Tail { id: id.clone(), time: now(), operations, error: None, code: None };
        let event = match outcome {
            Outcome::Done => Event::Done(tail),
            Outcome::Exited(code) => Event::Done(Tail { code: Some(code), ..tail }),
            Outcome::Failed(error) => Event::Failed(Tail { error: Some(cut(&error)), ..tail }),
            Outcome::Cancelled => Event::Cancelled(tail),
            Outcome::Unknown => Event::Unknown(tail),
        };
        Line { follows: true, ends: Some(id), ..Line::of(&event) }
    }

    fn of(event: &Event) -> Line {
        // Nothing in an event can fail to be written as JSON.
        let mut text = serde_json::to_string(event).unwrap_or_default();
        text.push('\n');
        Line { text, follows: false, ends: None }
    }
}

fn now() -> String {
    clock::rfc3339_millis(SystemTime::now())
}

/// An ID that no other record has.
fn new_id() -> String {
    format!("{:016x}", fastrand::u64(..))
}
