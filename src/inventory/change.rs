//! The changes of the inventory: numbered, remembered up to a bound, and given to who follows them.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::row::{CloudRow, ImageKey, ImageRow, InstanceKey, InstanceRow, OperationKey, OperationRow};

/// The number of a change: of two changes the later one has the higher number, also over restarts of the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Revision(pub(crate) u64);

/// A change of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) revision: Revision,
    /// Whether more than its usage has changed since the change that was asked from. It stays in this process.
    #[serde(skip)]
    pub(crate) is_news: bool,
    #[serde(flatten)]
    pub(crate) item: Item,
}

/// What has changed, as it is now. A cloud that is gone has taken all its rows with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "row", rename_all = "kebab-case")]
pub(crate) enum Item {
    Instance(Arc<InstanceRow>),
    InstanceGone(InstanceKey),
    Operation(Arc<OperationRow>),
    OperationGone(OperationKey),
    Image(Arc<ImageRow>),
    ImageGone(ImageKey),
    Cloud(Arc<CloudRow>),
    CloudGone(String),
}

/// No more removals than this are remembered.
const REMOVALS: usize = 10_000;

/// The newest change of each row, and the newest removals. A row that changes again leaves its earlier place, so that the
/// log is no longer than the rows are many, however fast they change and however late somebody reads it.
#[derive(Debug)]
pub(super) struct Log {
    revision: Revision,
    /// Changes after this one are remembered.
    horizon: Revision,
    changes: BTreeMap<Revision, Entry>,
    /// The removals among them, oldest first.
    removals: VecDeque<Revision>,
}

#[derive(Debug)]
struct Entry {
    /// The newest change of the row that was of more than its usage.
    news: Revision,
    item: Item,
}

impl Log {
    /// An empty one, whose numbers are higher than those of a process that began earlier.
    pub(super) fn new() -> Log {
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        // Exact in JavaScript too, whose numbers have 53 bits.
        let first = Revision(since_1970.as_secs() * 1_000_000);
        Log { revision: first, horizon: first, changes: BTreeMap::new(), removals: VecDeque::new() }
    }

    /// The newest change.
    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// Adds the change of a row, whose change before was that one.
    pub(super) fn set(&mut self, before: Option<Revision>, row: Item) -> Revision {
        self.forget(before);
        self.push(row, None)
    }

    /// Adds the change of a row in its usage alone, whose change before was that one.
    pub(super) fn set_usage(&mut self, before: Revision, row: Item) -> Revision {
        let news = self.changes.remove(&before).map(|entry| entry.news);
        self.push(row, news)
    }

    /// Adds the removal of a row, whose change before was that one.
    pub(super) fn remove(&mut self, before: Revision, gone: Item) {
        self.forget(Some(before));
        let revision = self.push(gone, None);
        self.removals.push_back(revision);
        if self.removals.len() > REMOVALS
            && let Some(oldest) = self.removals.pop_front()
        {
            self.changes.remove(&oldest);
            self.horizon = oldest;
        }
    }

    /// Forgets a change without another in its place, as the whole cloud goes.
    pub(super) fn forget(&mut self, change: Option<Revision>) {
        if let Some(change) = change {
            self.changes.remove(&change);
        }
    }

    fn push(&mut self, item: Item, news: Option<Revision>) -> Revision {
        self.revision.0 += 1;
        self.changes.insert(self.revision, Entry { news: news.unwrap_or(self.revision), item });
        self.revision
    }

    /// Up to that many changes after this one, oldest first. `None` when they are not known: it is too long ago, or of
    /// another process.
    pub(super) fn since(&self, since: Revision, limit: usize) -> Option<Vec<Change>> {
        if since < self.horizon || since > self.revision {
            return None;
        }
        let later = self.changes.range((Bound::Excluded(since), Bound::Unbounded));
        let change = |(revision, entry): (&Revision, &Entry)| Change {
            revision: *revision,
            is_news: entry.news > since,
            item: entry.item.clone(),
        };
        Some(later.take(limit).map(change).collect())
    }
}
