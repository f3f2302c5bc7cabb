//! The rows of one kind.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::change::{Item, Log, Revision};
use super::row::{ImageKey, ImageRow, InstanceKey, InstanceRow, OperationKey, OperationRow};

/// A row that has a key and can be in a change.
pub(super) trait Row: PartialEq {
    type Key: Ord + Clone;

    fn key(&self) -> Self::Key;
    fn item(row: Arc<Self>) -> Item;
    fn gone(key: Self::Key) -> Item;

    /// Whether this row has other usage than the other one, and nothing else.
    fn differs_in_usage_alone(&self, _other: &Self) -> bool {
        false
    }
}

impl Row for InstanceRow {
    type Key = InstanceKey;

    fn key(&self) -> InstanceKey {
        self.key.clone()
    }

    fn item(row: Arc<Self>) -> Item {
        Item::Instance(row)
    }

    fn gone(key: InstanceKey) -> Item {
        Item::InstanceGone(key)
    }

    fn differs_in_usage_alone(&self, other: &InstanceRow) -> bool {
        let (Some(usage), Some(of_other)) = (&self.state, &other.state) else { return false };
        usage.is_where(of_other) && InstanceRow { state: other.state.clone(), ..self.clone() } == *other
    }
}

impl Row for OperationRow {
    type Key = OperationKey;

    fn key(&self) -> OperationKey {
        OperationKey { cloud: self.cloud.clone(), id: self.id.clone() }
    }

    fn item(row: Arc<Self>) -> Item {
        Item::Operation(row)
    }

    fn gone(key: OperationKey) -> Item {
        Item::OperationGone(key)
    }
}

impl Row for ImageRow {
    type Key = ImageKey;

    fn key(&self) -> ImageKey {
        ImageKey {
            cloud: self.cloud.clone(),
            project: self.project.clone(),
            fingerprint: self.fingerprint.clone(),
        }
    }

    fn item(row: Arc<Self>) -> Item {
        Item::Image(row)
    }

    fn gone(key: ImageKey) -> Item {
        Item::ImageGone(key)
    }
}

/// Rows by their keys, each with the number of its newest change.
#[derive(Debug)]
pub(super) struct Table<R: Row>(BTreeMap<R::Key, (Revision, Arc<R>)>);

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Table(BTreeMap::new())
    }
}

impl<R: Row> Table<R> {
    pub(super) fn get(&self, key: &R::Key) -> Option<&Arc<R>> {
        self.0.get(key).map(|(_, row)| row)
    }

    /// The rows in the order of their keys.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Arc<R>> {
        self.0.values().map(|(_, row)| row)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds a row, or replaces it. One that is equal to the row that is there is no change.
    pub(super) fn put(&mut self, log: &mut Log, row: R) {
        let key = row.key();
        let before = self.0.get(&key);
        if before.is_some_and(|(_, before)| **before == row) {
            return;
        }
        let usage_of = before.filter(|(_, before)| before.differs_in_usage_alone(&row));
        let row = Arc::new(row);
        let item = R::item(Arc::clone(&row));
        let revision = match usage_of {
            Some((revision, _)) => log.set_usage(*revision, item),
            None => log.set(before.map(|(revision, _)| *revision), item),
        };
        self.0.insert(key, (revision, row));
    }

    /// Removes a row, if it is there.
    pub(super) fn remove(&mut self, log: &mut Log, key: &R::Key) -> Option<Arc<R>> {
        let (revision, row) = self.0.remove(key)?;
        log.remove(revision, R::gone(key.clone()));
        Some(row)
    }

    /// Removes those rows that are to go.
    pub(super) fn remove_where(&mut self, log: &mut Log, goes: impl Fn(&R) -> bool) -> Vec<R::Key> {
        let gone: Vec<R::Key> =
            self.0.iter().filter(|(_, (_, row))| goes(row)).map(|(key, _)| key.clone()).collect();
        for key in &gone {
            self.remove(log, key);
        }
        gone
    }

    /// Takes the rows out of the log, as their whole cloud goes.
    pub(super) fn forget(self, log: &mut Log) {
        for (revision, _) in self.0.into_values() {
            log.forget(Some(revision));
        }
    }
}
