//! The numbers of events, and changes as text that is made once for all who follow them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::inventory::{Change, InstanceRow, Item, Revision};

/// What tells this process' numbers of changes from those of others.
#[derive(Clone, Copy, Debug)]
pub(in crate::api) struct Epoch(u32);

impl Epoch {
    pub(in crate::api) fn new() -> Epoch {
        Epoch(fastrand::u32(..))
    }

    /// The number of an event.
    pub(in crate::api) fn id_of(self, revision: Revision) -> String {
        format!("{:08x}-{}", self.0, revision.0)
    }

    /// The change of an event's number. `None` for that of another process.
    pub(in crate::api) fn revision_of(self, id: &str) -> Option<Revision> {
        let (epoch, number) = id.split_once('-')?;
        let is_own = u32::from_str_radix(epoch, 16).ok()? == self.0;
        number.parse().ok().filter(|_| is_own).map(Revision)
    }
}

/// How many changes are remembered as text.
const MOST: usize = 2_000;

/// The newest changes as text. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Frames(Arc<Mutex<Known>>);

/// In the order of their numbers.
type Known = VecDeque<(Revision, Arc<str>)>;

impl Frames {
    /// A change as JSON, without the settings of instances, as the list has it by default.
    pub(in crate::api) fn of(&self, change: &Change) -> Option<Arc<str>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(found) = known.binary_search_by_key(&change.revision, |(revision, _)| *revision) {
            return Some(Arc::clone(&known[found].1));
        }
        let text: Arc<str> = text(change).ok()?.into();
        // The numbers stay in order: an older change, of somebody who is behind, is made for that one alone.
        if known.back().is_none_or(|(newest, _)| *newest < change.revision) {
            known.push_back((change.revision, Arc::clone(&text)));
            if known.len() > MOST {
                known.pop_front();
            }
        }
        Some(text)
    }
}

#[derive(Serialize)]
struct Plain<'a> {
    revision: Revision,
    #[serde(flatten)]
    item: &'a Item,
}

fn text(change: &Change) -> serde_json::Result<String> {
    let item = match &change.item {
        Item::Instance(row) => {
            &Item::Instance(Arc::new(InstanceRow { config: Arc::default(), ..InstanceRow::clone(row) }))
        }
        item => item,
    };
    serde_json::to_string(&Plain { revision: change.revision, item })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_an_event_is_known_to_its_own_process_alone() {
        let (own, other) = (Epoch(7), Epoch(8));
        let id = own.id_of(Revision(41));
        assert_eq!(own.revision_of(&id), Some(Revision(41)));
        assert_eq!(other.revision_of(&id), None);
        for rubbish in ["", "-", "7", "00000007-", "00000007-x", "x-41", "00000007-41-1"] {
            assert_eq!(own.revision_of(rubbish), None, "{rubbish}");
        }
    }
}
