//! The thread that writes the audit. What is ordered while it writes comes to the disk together.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::error;

use super::Written;
use super::died;
use super::entry::Entry;
use super::files::Newest;
use super::flood::Flood;
use super::line::Line;

/// How many orders come to the disk together at the most.
const TOGETHER: usize = 256;

/// How many lines wait at the most for a disk that takes none.
const WAITING: usize = 4096;

/// What to write.
#[derive(Debug)]
pub(super) enum Order {
    Write(Line, Option<Written>),
    Denied(Box<Entry>, Written),
}

/// The changes that have begun and not ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Open(Arc<Mutex<HashSet<String>>>);

impl Open {
    pub(super) fn add(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }

    pub(super) fn remove(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(super) fn all(&self) -> HashSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes the lines.
#[derive(Debug)]
pub(super) struct Writer {
    newest: Newest,
    open: Open,
    flood: Flood,
    /// Lines of changes that have begun, which the disk did not take.
    waiting: VecDeque<Line>,
}

impl Writer {
    pub(super) fn open(folder: &Path, open: Open) -> io::Result<Writer> {
        let newest = Newest::open(folder)?;
        Ok(Writer { newest, open, flood: Flood::default(), waiting: VecDeque::new() })
    }

    #[cfg(test)]
    pub(super) fn with_largest(mut self, largest: u64) -> Writer {
        self.newest.set_largest(largest);
        self
    }

    /// Writes what it is sent, on a thread of its own, until nobody can send any more.
    pub(super) fn start(mut self) -> io::Result<Sender<Order>> {
        let (sender, orders) = mpsc::channel();
        std::thread::Builder::new().name("audit".to_owned()).spawn(move || self.run(&orders))?;
        Ok(sender)
    }

    fn run(&mut self, orders: &Receiver<Order>) {
        self.end_what_was_left();
        loop {
            let first = match self.flood.next() {
                None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => orders.recv_timeout(due.saturating_duration_since(Instant::now())),
            };
            let (mut lines, mut answers) = (Vec::new(), Vec::new());
            let last = matches!(first, Err(RecvTimeoutError::Disconnected));
            let more = orders.try_iter().take(TOGETHER);
            for order in first.into_iter().chain(more) {
                match order {
                    Order::Write(line, answer) => {
                        lines.push(line);
                        answers.extend(answer);
                    }
                    Order::Denied(entry, answer) => {
                        lines.extend(self.flood.denied(*entry, Instant::now()));
                        answers.push(answer);
                    }
                }
            }
            lines.extend(if last { self.flood.end() } else { self.flood.due(Instant::now()) });
            let written = self.write(lines);
            for answer in answers {
                // Nobody may wait any more.
                let _ = answer
                    .send(written.as_ref().copied().map_err(|e| io::Error::new(e.kind(), e.to_string())));
            }
            if last {
                return;
            }
        }
    }

    /// Ends what a node that died has left, before anything else is written.
    fn end_what_was_left(&mut self) {
        match died::endings(self.newest.folder()) {
            Ok(lines) => {
                let _ = self.write(lines); // it logs a failure, and writes them with what comes next
            }
            Err(error) => error!("cannot tell which changes have no end in the audit: {error}"),
        }
    }

    fn write(&mut self, lines: Vec<Line>) -> io::Result<()> {
        let lines: Vec<Line> = self.waiting.drain(..).chain(lines).collect();
        let text: String = lines.iter().map(|line| line.text.as_str()).collect();
        if text.is_empty() {
            return Ok(());
        }
        let written = self.newest.append(text.as_bytes());
        if let Err(error) = &written {
            error!("the audit cannot be written, and no change may begin: {error}");
            self.waiting = lines.into_iter().filter(|line| line.follows).take(WAITING).collect();
            return written;
        }
        for id in lines.iter().filter_map(|line| line.ends.as_ref()) {
            self.open.remove(id);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::access::audit::entry::Outcome;

    /// A writer whose disk is full.
    fn full(folder: &Path) -> Writer {
        symlink("/dev/full", folder.join("00000001.jsonl")).unwrap();
        Writer::open(folder, Open::default()).unwrap()
    }

    #[test]
    fn the_end_of_a_change_is_written_once_the_disk_takes_it_again() {
        let (bad, good) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut writer = full(bad.path());
        writer.open.add("a");
        let lost = Line { text: "denied\n".to_owned(), follows: false, ends: None };
        assert!(writer.write(vec![lost, Line::end("a".to_owned(), Vec::new(), Outcome::Done)]).is_err());
        assert!(writer.open.all().contains("a"));
        writer.newest = Newest::open(good.path()).unwrap();
        writer.write(Vec::new()).unwrap();
        assert!(writer.open.all().is_empty());
        let text = std::fs::read_to_string(good.path().join("00000001.jsonl")).unwrap();
        assert!(text.starts_with(r#"{"event":"done","id":"a""#) && text.lines().count() == 1, "{text}");
    }
}
