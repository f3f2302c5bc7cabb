//! Reads the audit, the newest record first.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use super::entry::Entry;
use super::files;
use super::line::{Event, Head, Tail};

/// The most records at once.
const MOST: usize = 1000;

/// A change or what was denied, from all its lines.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Record {
    /// Its ID.
    pub(crate) id: String,
    /// When it began, in UTC.
    pub(crate) time: String,
    /// Who did what.
    #[serde(flatten)]
    pub(crate) entry: Entry,
    /// How it ended.
    pub(crate) result: RecordResult,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// With which code the command has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<i32>,
    /// The operations of the cloud's that made the change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) operations: Vec<String>,
    /// How often it was denied within the minute; 1 for all else.
    pub(crate) count: u64,
}

/// How a change ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecordResult {
    /// It has not ended yet.
    Running,
    Done,
    Failed,
    Cancelled,
    Denied,
    /// The node stopped or died before that; a cloud may have gone on with it.
    Unknown,
}

/// Records, and where the next ones begin.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    /// None where there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Cursor>,
}

/// A place in the audit. It stays the same whatever is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cursor {
    file: u64,
    at: u64,
}

/// A text that is no [`Cursor`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0:?} is no place in the audit")]
pub(crate) struct InvalidCursor(String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.file, self.at)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Cursor, InvalidCursor> {
        let parsed = text.split_once('-').and_then(|(file, at)| Some((file.parse().ok()?, at.parse().ok()?)));
        parsed.map(|(file, at)| Cursor { file, at }).ok_or_else(|| InvalidCursor(text.to_owned()))
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which records are wanted; without anything, all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Of this user, by login name.
    pub(crate) user: Option<String>,
    /// Of this node, by ID or full name.
    pub(crate) node: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) cloud: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) object: Option<String>,
    pub(crate) result: Option<RecordResult>,
}

impl Filter {
    fn lets_through(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, value: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| value == Some(wanted))
        };
        let entry = &record.entry;
        let node = |wanted: &String| *wanted == entry.node.id || *wanted == entry.node.name;
        is(&self.user, entry.user.as_ref().map(|user| user.login.as_str()))
            && self.node.as_ref().is_none_or(node)
            && is(&self.action, Some(&entry.action))
            && is(&self.cloud, entry.cloud.as_deref())
            && is(&self.project, entry.project.as_deref())
            && is(&self.object, entry.object.as_deref())
            && self.result.is_none_or(|result| result == record.result)
    }
}

/// The records before a cursor. `open` has the IDs of the changes that have not ended. This waits for the disk.
pub(super) fn page(
    folder: &Path,
    before: Option<Cursor>,
    limit: usize,
    filter: &Filter,
    open: &HashSet<String>,
) -> io::Result<Page> {
    let limit = limit.clamp(1, MOST);
    let mut later = Later::default();
    let mut records = Vec::new();
    for (number, path) in files::all(folder)?.into_iter().rev() {
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue, // it was the oldest
            Err(error) => return Err(error),
        };
        for (at, line) in backwards(&text) {
            let here = Cursor { file: number, at };
            // A record's first line is its place; what follows it may be behind the cursor.
            if begins_record(line) && before.is_some_and(|before| here >= before) {
                continue;
            }
            let Ok(event) = serde_json::from_slice(line) else { continue };
            let Some(record) = later.take(event, open) else { continue };
            if filter.lets_through(&record) {
                records.push(record);
                if records.len() == limit {
                    return Ok(Page { records, next: Some(here) });
                }
            }
        }
    }
    Ok(Page { records, next: None })
}

/// The whole lines of a text with their places, the last one first.
fn backwards(text: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let mut end = text.iter().rposition(|byte| *byte == b'\n');
    std::iter::from_fn(move || {
        let last = end?;
        let before = text[..last].iter().rposition(|byte| *byte == b'\n');
        end = before;
        let start = before.map_or(0, |before| before + 1);
        Some((start as u64, &text[start..last]))
    })
}

fn begins_record(line: &[u8]) -> bool {
    [&br#"{"event":"begun""#[..], br#"{"event":"denied""#].iter().any(|start| line.starts_with(start))
}

/// What later lines said of records whose first line is still to come.
#[derive(Default)]
struct Later {
    ends: HashMap<String, (RecordResult, Tail)>,
    operations: HashMap<String, Vec<String>>,
    counts: HashMap<String, (String, u64)>,
}

impl Later {
    /// The record, where this is its first line.
    fn take(&mut self, event: Event, open: &HashSet<String>) -> Option<Record> {
        match event {
            Event::Begun(head) => Some(self.change(head, open)),
            Event::Denied(head) => {
                let (ended, more) = self.counts.remove(&head.id).unzip();
                let record = Record::of(head, RecordResult::Denied);
                Some(Record { ended, count: 1 + more.unwrap_or(0), ..record })
            }
            Event::Again { id, time, count } => {
                self.counts.insert(id, (time, count));
                None
            }
            Event::Operations { id, operations } => {
                self.operations.entry(id).or_insert(operations);
                None
            }
            Event::Done(tail) => self.end(RecordResult::Done, tail),
            Event::Failed(tail) => self.end(RecordResult::Failed, tail),
            Event::Cancelled(tail) => self.end(RecordResult::Cancelled, tail),
            Event::Unknown(tail) => self.end(RecordResult::Unknown, tail),
        }
    }

    fn end(&mut self, result: RecordResult, tail: Tail) -> Option<Record> {
        self.ends.insert(tail.id.clone(), (result, tail));
        None
    }

    fn change(&mut self, head: Head, open: &HashSet<String>) -> Record {
        let operations = self.operations.remove(&head.id).unwrap_or_default();
        match self.ends.remove(&head.id) {
            // When it has ended is not known either.
            Some((RecordResult::Unknown, tail)) => {
                let operations = if tail.operations.is_empty() { operations } else { tail.operations };
                Record { operations, ..Record::of(head, RecordResult::Unknown) }
            }
            Some((result, tail)) => Record {
                ended: Some(tail.time),
                error: tail.error,
                code: tail.code,
                operations: tail.operations,
                ..Record::of(head, result)
            },
            None => {
                let running = open.contains(&head.id);
                let result = if running { RecordResult::Running } else { RecordResult::Unknown };
                Record { operations, ..Record::of(head, result) }
            }
        }
    }
}

impl Record {
    fn of(head: Head, result: RecordResult) -> Record {
        let Head { id, time, entry } = head;
        let (ended, error, code) = (None, None, None);
        Record { id, time, entry, result, ended, error, code, operations: Vec::new(), count: 1 }
    }
}
