//! Counts what is denied again and again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::line::Line;

/// For how long the same caller with the same action is one record.
const TOGETHER: Duration = Duration::from_secs(60);

/// How many callers and actions are counted at once.
const MOST: usize = 1024;

/// What was denied within the last minute.
#[derive(Debug, Default)]
pub(super) struct Flood(HashMap<Key, Seen>);

/// The node, the user and the action.
type Key = (String, Option<String>, String);

#[derive(Debug)]
struct Seen {
    id: String,
    since: Instant,
    more: u64,
}

impl Flood {
    /// The line of a denied action, unless it only counts.
    pub(super) fn denied(&mut self, entry: Entry, now: Instant) -> Vec<Line> {
        let login = entry.user.as_ref().map(|user| user.login.clone());
        let key = (entry.node.id.clone(), login, entry.action.clone());
        let mut lines = self.due(now);
        if let Some(seen) = self.0.get_mut(&key) {
            seen.more += 1;
            return lines;
        }
        if self.0.len() >= MOST
            && let Some(oldest) = self.0.iter().min_by_key(|(_, seen)| seen.since).map(|(key, _)| key.clone())
        {
            lines.extend(self.0.remove(&oldest).and_then(Seen::line));
        }
        let (id, line) = Line::denied(entry);
        self.0.insert(key, Seen { id, since: now, more: 0 });
        lines.push(line);
        lines
    }

    /// When the next count ends.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|seen| seen.since + TOGETHER).min()
    }

    /// The lines of the counts that have ended.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Line> {
        let ended = self.0.extract_if(|_, seen| now.duration_since(seen.since) >= TOGETHER);
        ended.filter_map(|(_, seen)| seen.line()).collect()
    }

    /// The lines of all counts.
    pub(super) fn end(&mut self) -> Vec<Line> {
        self.0.drain().filter_map(|(_, seen)| seen.line()).collect()
    }
}

impl Seen {
    fn line(self) -> Option<Line> {
        (self.more > 0).then(|| Line::again(self.id, self.more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::audit::tests::entry;

    #[test]
    fn a_caller_with_an_action_is_one_line_a_minute_and_its_count() {
        let (mut flood, now) = (Flood::default(), Instant::now());
        assert_eq!(flood.denied(entry("exec"), now).len(), 1);
        for _ in 0..10_000 {
            assert!(flood.denied(entry("exec"), now).is_empty());
        }
        assert_eq!(flood.denied(entry("start"), now).len(), 1, "another action");
        let mut other = entry("exec");
        other.node.id = "n2".to_owned();
        assert_eq!(flood.denied(other, now).len(), 1, "another node");
        assert_eq!(flood.next(), Some(now + TOGETHER));
        let lines = flood.denied(entry("exec"), now + TOGETHER);
        assert_eq!(lines.len(), 2, "the count of the minute before, and a new line");
        assert!(lines[0].text.contains(r#""count":10000"#), "{lines:?}");
        assert_eq!(flood.due(now + TOGETHER + TOGETHER).len(), 0, "what came once needs no count");
    }

    #[test]
    fn no_more_are_counted_than_there_is_room_for_and_no_count_is_lost() {
        let (mut flood, now) = (Flood::default(), Instant::now());
        let mut counted = 0;
        for number in 0..MOST * 2 {
            for _ in 0..3 {
                let lines =
                    flood.denied(entry(&number.to_string()), now + Duration::from_micros(number as u64));
                counted += lines.iter().filter(|line| line.text.contains("again")).count();
            }
            assert!(flood.0.len() <= MOST);
        }
        assert_eq!(counted + flood.end().len(), MOST * 2);
    }
}
