//! The model: the rows of all clouds, and what happens to them. It does no I/O and knows no time but what it is told.
//!
//! Each change may be applied twice, which changes nothing the second time.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::change::{Item, Log, Revision};
use super::query::{Counts, Kind, Overview, Query, Snapshot};
use super::row::{
    CloudRow, ImageKey, ImageRow, InstanceKey, InstanceRow, InstanceUsage, OperationKey, OperationRow,
};
use super::table::Table;
use super::usage::Ring;

/// How long an operation that has ended is kept, in seconds.
const KEEP_ENDED: u64 = 300;

/// No more operations of a cloud that have ended are kept.
const MAX_ENDED: usize = 500;

/// The status code of an operation of which nobody can say how it ended. No server has it.
const UNKNOWN_END: u16 = 404;

#[derive(Debug)]
pub(super) struct Model {
    pub(super) log: Log,
    clouds: BTreeMap<String, Cloud>,
}

/// The rows of one cloud.
#[derive(Debug)]
struct Cloud {
    row: Arc<CloudRow>,
    revision: Revision,
    instances: Table<InstanceRow>,
    operations: Table<OperationRow>,
    images: Table<ImageRow>,
    usage: HashMap<InstanceKey, Ring>,
    /// The operations that have ended, with the time when that was seen, oldest first.
    ended: VecDeque<(u64, OperationKey)>,
}

/// What events have told since a list was asked for: the list may be older.
#[derive(Debug, Default)]
pub(super) struct Newer {
    /// The instances that an event was about.
    pub(super) touched: HashSet<InstanceKey>,
    /// Those of them that were deleted last.
    pub(super) deleted: HashSet<InstanceKey>,
    /// The numbers of the operations that an event was about.
    pub(super) operations: HashSet<String>,
}

impl Model {
    pub(super) fn new() -> Model {
        Model { log: Log::new(), clouds: BTreeMap::new() }
    }

    /// Adds a cloud, of which nothing is known yet.
    pub(super) fn add_cloud(&mut self, name: &str) {
        if self.clouds.contains_key(name) {
            return;
        }
        let row = Arc::new(CloudRow { name: name.to_owned(), ..CloudRow::default() });
        let revision = self.log.set(None, Item::Cloud(Arc::clone(&row)));
        let cloud = Cloud {
            row,
            revision,
            instances: Table::default(),
            operations: Table::default(),
            images: Table::default(),
            usage: HashMap::new(),
            ended: VecDeque::new(),
        };
        self.clouds.insert(name.to_owned(), cloud);
    }

    /// Removes a cloud with all its rows.
    pub(super) fn remove_cloud(&mut self, name: &str) {
        let Some(cloud) = self.clouds.remove(name) else { return };
        cloud.instances.forget(&mut self.log);
        cloud.operations.forget(&mut self.log);
        cloud.images.forget(&mut self.log);
        self.log.remove(cloud.revision, Item::CloudGone(name.to_owned()));
    }

    /// Changes what is said of a cloud.
    pub(super) fn update_cloud(&mut self, name: &str, change: impl FnOnce(&mut CloudRow)) {
        let Some(cloud) = self.clouds.get_mut(name) else { return };
        let mut row = CloudRow::clone(&cloud.row);
        change(&mut row);
        if row != *cloud.row {
            cloud.row = Arc::new(row);
            cloud.revision = self.log.set(Some(cloud.revision), Item::Cloud(Arc::clone(&cloud.row)));
        }
    }

    /// Says that the rows of a cloud are no longer kept up to date. The time is that of the first such message.
    pub(super) fn set_stale(&mut self, name: &str, now: u64, reason: &str) {
        self.update_cloud(name, |row| {
            row.stale_since.get_or_insert(now);
            row.stale_reason = Some(reason.to_owned());
        });
    }

    /// Says that they are up to date.
    pub(super) fn set_fresh(&mut self, name: &str) {
        self.update_cloud(name, |row| (row.filled, row.stale_since, row.stale_reason) = (true, None, None));
    }

    #[cfg(test)]
    pub(super) fn cloud(&self, name: &str) -> Option<&Arc<CloudRow>> {
        self.clouds.get(name).map(|cloud| &cloud.row)
    }

    pub(super) fn instance(&self, key: &InstanceKey) -> Option<&Arc<InstanceRow>> {
        self.clouds.get(&key.cloud)?.instances.get(key)
    }

    /// The instances of a cloud.
    pub(super) fn instances(&self, cloud: &str) -> impl Iterator<Item = &Arc<InstanceRow>> {
        self.clouds.get(cloud).into_iter().flat_map(|cloud| cloud.instances.rows())
    }

    /// Takes a list of all instances of a cloud, or of one project of it: what is not in it is gone. Rows that events
    /// have changed since the list was asked for keep their status, and those that events have deleted stay away.
    pub(super) fn list_instances(
        &mut self,
        cloud: &str,
        project: Option<&str>,
        rows: Vec<InstanceRow>,
        newer: &Newer,
    ) {
        let Some(Cloud { instances, usage, .. }) = self.clouds.get_mut(cloud) else { return };
        let listed: HashSet<&InstanceKey> = rows.iter().map(|row| &row.key).collect();
        let gone = instances.remove_where(&mut self.log, |row| {
            project.is_none_or(|project| project == row.key.project)
                && !listed.contains(&row.key)
                && !newer.touched.contains(&row.key)
        });
        for key in &gone {
            usage.remove(key);
        }
        for row in rows {
            self.take_instance(row, newer);
        }
    }

    /// Takes an instance that was asked for before events told something newer.
    pub(super) fn take_instance(&mut self, mut row: InstanceRow, newer: &Newer) {
        if newer.deleted.contains(&row.key) {
            return;
        }
        if newer.touched.contains(&row.key)
            && let Some(before) = self.instance(&row.key)
            && before.is_same_as(&row)
        {
            row.status.clone_from(&before.status);
        }
        self.put_instance(row);
    }

    /// Takes an instance as the server has it. Of what the server was not asked this time, what is known stays.
    pub(super) fn put_instance(&mut self, mut row: InstanceRow) {
        let Some(Cloud { instances, usage, .. }) = self.clouds.get_mut(&row.key.cloud) else { return };
        match instances.get(&row.key) {
            Some(before) if before.is_same_as(&row) => {
                row.snapshots = row.snapshots.or(before.snapshots);
                if row.state.is_none() && row.is_running() {
                    row.state.clone_from(&before.state);
                }
            }
            Some(_) => {
                instances.remove(&mut self.log, &row.key);
                usage.remove(&row.key);
            }
            None => {}
        }
        instances.put(&mut self.log, row);
    }

    /// Changes an instance, if it is there.
    pub(super) fn update_instance(&mut self, key: &InstanceKey, change: impl FnOnce(&mut InstanceRow)) {
        let Some(cloud) = self.clouds.get_mut(&key.cloud) else { return };
        let Some(before) = cloud.instances.get(key) else { return };
        let mut row = InstanceRow::clone(before);
        change(&mut row);
        if !row.is_running() {
            row.state = None;
        }
        cloud.instances.put(&mut self.log, row);
    }

    pub(super) fn remove_instance(&mut self, key: &InstanceKey) {
        let Some(cloud) = self.clouds.get_mut(&key.cloud) else { return };
        cloud.instances.remove(&mut self.log, key);
        cloud.usage.remove(key);
    }

    /// Gives an instance another name. Where it is known by the new name already, only the old one goes.
    pub(super) fn rename_instance(&mut self, from: &InstanceKey, to: &InstanceKey) {
        let Some(cloud) = self.clouds.get_mut(&from.cloud) else { return };
        let Some(row) = cloud.instances.remove(&mut self.log, from) else { return };
        if let Some(ring) = cloud.usage.remove(from) {
            cloud.usage.insert(to.clone(), ring);
        }
        if cloud.instances.get(to).is_none() {
            cloud.instances.put(&mut self.log, InstanceRow { key: to.clone(), ..InstanceRow::clone(&row) });
        }
    }

    /// Takes what an instance uses; into its row too, where somebody looks at it.
    pub(super) fn put_usage(&mut self, key: &InstanceKey, usage: InstanceUsage, looked_at: bool) {
        let Some(cloud) = self.clouds.get_mut(&key.cloud) else { return };
        if !cloud.instances.get(key).is_some_and(|row| row.is_running()) {
            return;
        }
        cloud.usage.entry(key.clone()).or_default().add(&usage);
        if looked_at {
            self.update_instance(key, |row| row.state = Some(usage));
        }
    }

    /// What an instance has used during the last hour, oldest first.
    pub(super) fn usage(&self, key: &InstanceKey) -> Vec<InstanceUsage> {
        let ring = self.clouds.get(&key.cloud).and_then(|cloud| cloud.usage.get(key));
        ring.map(Ring::samples).unwrap_or_default()
    }

    /// Takes the state of an operation. Servers tell states out of order, and several with the same time: one that has ended
    /// stays so, and none waits for its begin again, whatever comes later.
    pub(super) fn put_operation(&mut self, mut row: OperationRow, now: u64) {
        let Some(cloud) = self.clouds.get_mut(&row.cloud) else { return };
        let key = OperationKey { cloud: row.cloud.clone(), id: row.id.clone() };
        if let Some(before) = cloud.operations.get(&key) {
            let is_older = row.updated_at < before.updated_at || row.is_pending() && !before.is_pending();
            if before.is_final() || (!row.is_final() && is_older) {
                return;
            }
            if row.project.is_empty() {
                row.project.clone_from(&before.project);
            }
        }
        if row.is_final() {
            cloud.ended.push_back((now, key));
        }
        cloud.operations.put(&mut self.log, row);
        self.forget_ended(now);
    }

    /// Takes a list of all operations of a cloud, or of one project of it. Servers forget an operation a few seconds after
    /// its end: one that is not listed has ended, and nobody can say how.
    pub(super) fn list_operations(
        &mut self,
        cloud: &str,
        project: Option<&str>,
        rows: Vec<OperationRow>,
        newer: &Newer,
        now: u64,
    ) {
        let listed: HashSet<String> = rows.iter().map(|row| row.id.clone()).collect();
        for row in rows {
            self.put_operation(row, now);
        }
        let Some(known) = self.clouds.get(cloud) else { return };
        let is_lost = |row: &&Arc<OperationRow>| {
            !row.is_final()
                && project.is_none_or(|project| project == row.project || row.project.is_empty())
                && !listed.contains(&row.id)
                && !newer.operations.contains(&row.id)
        };
        let lost: Vec<OperationRow> =
            known.operations.rows().filter(is_lost).map(|row| OperationRow::clone(row)).collect();
        for mut row in lost {
            row.status = "Unknown".to_owned();
            row.status_code = UNKNOWN_END;
            row.error = "it ended while the connection to the cloud was lost: how is unknown".to_owned();
            self.put_operation(row, now);
        }
    }

    /// Forgets operations that ended some time ago.
    pub(super) fn forget_ended(&mut self, now: u64) {
        for cloud in self.clouds.values_mut() {
            while let Some((at, _)) = cloud.ended.front()
                && (at + KEEP_ENDED <= now || cloud.ended.len() > MAX_ENDED)
            {
                if let Some((_, key)) = cloud.ended.pop_front() {
                    cloud.operations.remove(&mut self.log, &key);
                }
            }
        }
    }

    /// Takes a list of all images of a cloud, or of one project of it.
    pub(super) fn list_images(&mut self, cloud: &str, project: Option<&str>, rows: Vec<ImageRow>) {
        let Some(cloud) = self.clouds.get_mut(cloud) else { return };
        let listed: HashSet<(&str, &str)> =
            rows.iter().map(|row| (row.project.as_str(), row.fingerprint.as_str())).collect();
        cloud.images.remove_where(&mut self.log, |row| {
            project.is_none_or(|project| project == row.project)
                && !listed.contains(&(row.project.as_str(), row.fingerprint.as_str()))
        });
        for row in rows {
            cloud.images.put(&mut self.log, row);
        }
    }

    pub(super) fn remove_image(&mut self, key: &ImageKey) {
        if let Some(cloud) = self.clouds.get_mut(&key.cloud) {
            cloud.images.remove(&mut self.log, key);
        }
    }

    /// Sets the projects that the node may see. The rows of others go; where it may see `all`, those of a project that is
    /// newer than this list stay.
    pub(super) fn set_projects(&mut self, name: &str, projects: Vec<String>, all: bool) {
        if let Some(cloud) = self.clouds.get_mut(name) {
            let known = Arc::clone(&cloud.row);
            let is_newer = |project: &String| all && !known.projects.contains(project);
            let hidden = |project: &String| !projects.contains(project) && !is_newer(project);
            let gone = cloud.instances.remove_where(&mut self.log, |row| hidden(&row.key.project));
            for key in &gone {
                cloud.usage.remove(key);
            }
            cloud.operations.remove_where(&mut self.log, |row| hidden(&row.project));
            cloud.images.remove_where(&mut self.log, |row| hidden(&row.project));
        }
        self.update_cloud(name, |row| row.projects = projects);
    }

    /// The rows of the clouds themselves.
    pub(super) fn clouds<'a>(&'a self, query: &'a Query) -> impl Iterator<Item = &'a Arc<CloudRow>> {
        self.clouds.iter().filter(|(name, _)| query.has_cloud(name)).map(|(_, cloud)| &cloud.row)
    }

    pub(super) fn snapshot(&self, query: &Query) -> Snapshot {
        let mut snapshot = Snapshot { revision: self.log.revision(), ..Snapshot::default() };
        for (_, cloud) in self.clouds.iter().filter(|(name, _)| query.has_cloud(name)) {
            snapshot.clouds.push(Arc::clone(&cloud.row));
            if query.has_kind(Kind::Instances) {
                let rows = cloud.instances.rows().filter(|row| query.has_project(&row.key.project));
                snapshot.instances.extend(rows.cloned());
            }
            if query.has_kind(Kind::Operations) {
                let rows = cloud.operations.rows().filter(|row| query.has_project(&row.project));
                snapshot.operations.extend(rows.cloned());
            }
            if query.has_kind(Kind::Images) {
                let rows = cloud.images.rows().filter(|row| query.has_project(&row.project));
                snapshot.images.extend(rows.cloned());
            }
        }
        snapshot
    }

    pub(super) fn overview(&self) -> Overview {
        let mut overview = Overview { revision: self.log.revision(), ..Overview::default() };
        for (name, cloud) in &self.clouds {
            let mut counts = Counts {
                name: name.clone(),
                stale: !cloud.row.filled || cloud.row.stale_since.is_some(),
                instances: cloud.instances.len(),
                statuses: BTreeMap::new(),
                operations: cloud.operations.rows().filter(|row| !row.is_final()).count(),
                images: cloud.images.len(),
            };
            for row in cloud.instances.rows() {
                match counts.statuses.get_mut(&row.status) {
                    Some(count) => *count += 1,
                    None => drop(counts.statuses.insert(row.status.clone(), 1)),
                }
            }
            overview.clouds.push(counts);
        }
        overview
    }
}
