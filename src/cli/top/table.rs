//! The instances as `top` shows them: what each uses, in an order, narrowed by a filter.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::source::News;
use crate::cli::tables::bytes;
use crate::clock::now;
use crate::inventory::{CloudRow, InstanceKey, InstanceRow, InstanceUsage, Item, Rates, Update};

pub(super) const HEADS: [&str; 9] =
    ["CLOUD", "NAME", "STATE", "CPU", "MEMORY", "DISK", "NETWORK", "PROCESSES", "ADDRESS"];

/// By what the instances are sorted, most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum By {
    /// Processor time.
    Cpu,
    /// Memory in use.
    Memory,
    /// Disk in use.
    Disk,
    /// Bytes over the network.
    Network,
}

/// An instance, and how fast it uses things.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) row: Arc<InstanceRow>,
    /// Between the last two looks.
    rates: Option<Rates>,
    /// Whether its cloud does not answer, so that it may be otherwise by now.
    pub(super) stale: bool,
}

/// All instances.
pub(super) struct Instances {
    rows: BTreeMap<InstanceKey, (Arc<InstanceRow>, Option<Rates>)>,
    clouds: BTreeMap<String, Arc<CloudRow>>,
    /// Since when, and why, there is no news at all.
    lost: Option<(u64, String)>,
    filled: bool,
    pub(super) by: By,
    pub(super) filter: String,
    selected: Option<InstanceKey>,
}

impl Instances {
    pub(super) fn new(by: By, filter: &str) -> Instances {
        Instances {
            rows: BTreeMap::new(),
            clouds: BTreeMap::new(),
            lost: None,
            filled: false,
            by,
            filter: filter.to_owned(),
            selected: None,
        }
    }

    /// Takes what a source tells.
    pub(super) fn apply(&mut self, news: News) {
        match news {
            News::Lost(why) => {
                let since = self.lost.as_ref().map_or_else(now, |(since, _)| *since);
                self.lost = Some((since, why));
                return;
            }
            News::Update(Update::Reset(all)) => {
                let before = std::mem::take(&mut self.rows);
                self.clouds = all.clouds.into_iter().map(|row| (row.name.clone(), row)).collect();
                for row in all.instances {
                    let before = before.get(&row.key);
                    self.put(row, before.cloned());
                }
                self.filled = true;
            }
            News::Update(Update::Changes(changes)) => {
                changes.into_iter().for_each(|change| self.change(change.item))
            }
        }
        self.lost = None;
    }

    fn change(&mut self, item: Item) {
        match item {
            Item::Instance(row) => {
                let before = self.rows.remove(&row.key);
                self.put(row, before);
            }
            Item::InstanceGone(key) => drop(self.rows.remove(&key)),
            Item::Cloud(row) => drop(self.clouds.insert(row.name.clone(), row)),
            Item::CloudGone(name) => {
                self.clouds.remove(&name);
                self.rows.retain(|key, _| key.cloud != name);
            }
            _ => {}
        }
    }

    fn put(&mut self, row: Arc<InstanceRow>, before: Option<(Arc<InstanceRow>, Option<Rates>)>) {
        let known = before.as_ref().and_then(|(_, rates)| *rates);
        let rates = match (before.as_ref().and_then(|(before, _)| before.state.as_ref()), &row.state) {
            (Some(before), Some(after)) if before.at < after.at => after.since(before),
            (_, Some(_)) => known,
            (_, None) => None,
        };
        self.rows.insert(row.key.clone(), (row, rates));
    }

    /// Whether all clouds have told their instances or cannot, and how much and how fast those have used things since then.
    pub(super) fn is_filled(&self, since: u64) -> bool {
        let settled = |cloud: &CloudRow| cloud.filled || cloud.stale_since.is_some();
        let answers = |cloud: &str| self.clouds.get(cloud).is_some_and(|cloud| cloud.stale_since.is_none());
        let known = |row: &InstanceRow, rates: Option<Rates>| {
            rates.is_some() && row.state.as_ref().is_some_and(|state| state.at >= since)
        };
        self.filled
            && self.clouds.values().all(|cloud| settled(cloud))
            && self
                .rows
                .values()
                .all(|(row, rates)| known(row, *rates) || !row.is_running() || !answers(&row.key.cloud))
    }

    /// What keeps the table from being that of now, a line each.
    pub(super) fn troubles(&self) -> Vec<String> {
        let ago = |since: u64| format!("{} s", now().saturating_sub(since));
        let node = self.lost.iter().map(|(since, why)| format!("no news for {}: {why}", ago(*since)));
        let clouds = self.clouds.values().filter_map(|cloud| {
            let why = cloud.stale_reason.as_deref().unwrap_or("it does not answer");
            Some(format!("{}: no answer for {}: {why}", cloud.name, ago(cloud.stale_since?)))
        });
        node.chain(clouds).collect()
    }

    /// How many instances there are, and how many of them run.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.rows.len(), self.rows.values().filter(|(row, _)| row.is_running()).count())
    }

    /// The instances that fit the filter, in the order that was chosen.
    pub(super) fn lines(&self) -> Vec<Line> {
        let filter = self.filter.to_lowercase();
        let fits = |row: &InstanceRow| place(&row.key).to_lowercase().contains(&filter);
        let stale = |cloud: &str| {
            self.lost.is_some() || self.clouds.get(cloud).is_some_and(|cloud| cloud.stale_since.is_some())
        };
        let rows = self.rows.values().filter(|(row, _)| fits(row));
        let mut lines: Vec<Line> = rows
            .map(|(row, rates)| Line { row: Arc::clone(row), rates: *rates, stale: stale(&row.key.cloud) })
            .collect();
        // The sort is stable: what is equal stays in the order of names.
        lines.sort_by(|a, b| b.amount(self.by).total_cmp(&a.amount(self.by)));
        lines
    }

    /// The place of the selected instance among these lines.
    pub(super) fn selected(&self, lines: &[Line]) -> usize {
        let place = lines.iter().position(|line| Some(&line.row.key) == self.selected.as_ref());
        place.unwrap_or_default()
    }

    /// Selects the instance so many lines further down.
    pub(super) fn move_by(&mut self, lines_down: isize) {
        let lines = self.lines();
        let place = self.selected(&lines).saturating_add_signed(lines_down);
        self.selected = lines.get(place.min(lines.len().saturating_sub(1))).map(|line| line.row.key.clone());
    }

    /// The selected instance.
    pub(super) fn chosen(&self) -> Option<InstanceKey> {
        let lines = self.lines();
        Some(lines.get(self.selected(&lines))?.row.key.clone())
    }
}

fn place(key: &InstanceKey) -> String {
    format!("{}:{}", key.cloud, key.name)
}

impl Line {
    fn amount(&self, by: By) -> f64 {
        let state = self.row.state.as_ref();
        let amount = match by {
            // Where nobody knows yet how fast, what was used since the start.
            By::Cpu => self.rates.map(|rates| 1.0 + rates.cpu_percent),
            By::Network => self.rates.map(|rates| 1.0 + rates.received + rates.sent),
            By::Memory => state.map(|state| state.memory as f64),
            By::Disk => state.map(|state| state.disk as f64),
        };
        amount.unwrap_or(if self.row.is_running() { 0.0 } else { -1.0 })
    }

    /// What stands in the columns.
    pub(super) fn cells(&self) -> [String; HEADS.len()] {
        let state = self.row.state.as_ref();
        let size =
            |of: fn(&InstanceUsage) -> u64| state.map(of).filter(|n| *n > 0).map(bytes).unwrap_or_default();
        let cpu = match (self.rates, state) {
            (Some(rates), _) => format!("{:.1}%", rates.cpu_percent),
            (None, Some(state)) => format!("{:.0} s", state.cpu_seconds),
            (None, None) => String::new(),
        };
        let network = match (self.rates, state) {
            (Some(rates), _) => format!("{}/s", bytes((rates.received + rates.sent) as u64)),
            (None, Some(state)) => bytes(state.received + state.sent),
            (None, None) => String::new(),
        };
        let address = state.and_then(|state| state.addresses.first());
        [
            self.row.key.cloud.clone(),
            self.row.key.name.clone(),
            self.row.status.to_uppercase(),
            cpu,
            size(|state| state.memory),
            size(|state| state.disk),
            network,
            state.map(|state| state.processes.to_string()).unwrap_or_default(),
            address.map(|address| address.address.clone()).unwrap_or_default(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Change, Revision, Snapshot};

    fn row(cloud: &str, name: &str, at: u64, cpu: f64, memory: u64, bytes: u64) -> Arc<InstanceRow> {
        Arc::new(InstanceRow {
            key: InstanceKey {
                cloud: cloud.to_owned(),
                project: "default".to_owned(),
                name: name.to_owned(),
            },
            status: "Running".to_owned(),
            state: Some(InstanceUsage {
                at,
                cpu_seconds: cpu,
                memory,
                received: bytes,
                ..InstanceUsage::default()
            }),
            ..InstanceRow::default()
        })
    }

    fn cloud(name: &str, stale: Option<&str>) -> Arc<CloudRow> {
        Arc::new(CloudRow {
            name: name.to_owned(),
            filled: true,
            stale_since: stale.map(|_| 1),
            stale_reason: stale.map(str::to_owned),
            ..CloudRow::default()
        })
    }

    fn changes(items: Vec<Item>) -> News {
        let change = |item| Change { revision: Revision::default(), is_news: true, item };
        News::Update(Update::Changes(items.into_iter().map(change).collect()))
    }

    /// Two clouds with an instance of the same name, and how much they use since.
    fn two() -> Instances {
        let mut instances = Instances::new(By::Cpu, "");
        assert!(!instances.is_filled(100));
        instances.apply(News::Update(Update::Reset(Snapshot {
            clouds: vec![cloud("berlin", None), cloud("paris", None)],
            instances: vec![row("berlin", "web", 100, 5.0, 10, 0), row("paris", "web", 100, 1.0, 30, 0)],
            ..Snapshot::default()
        })));
        assert!(!instances.is_filled(100)); // how fast is not known
        instances
    }

    fn names(instances: &Instances) -> Vec<String> {
        instances.lines().iter().map(|line| place(&line.row.key)).collect()
    }

    #[test]
    fn instances_are_sorted_by_what_they_use_now() {
        let mut instances = two();
        instances.apply(changes(vec![
            Item::Instance(row("berlin", "web", 110, 6.0, 20, 1024 * 10)),
            Item::Instance(row("paris", "web", 110, 8.0, 30, 0)),
        ]));
        assert!(instances.is_filled(110) && !instances.is_filled(111));
        assert_eq!(names(&instances), ["paris:web", "berlin:web"]);
        assert_eq!(instances.lines()[0].cells()[3], "70.0%");
        instances.by = By::Network;
        assert_eq!(names(&instances), ["berlin:web", "paris:web"]);
        assert_eq!(instances.lines()[0].cells()[6], "1.0 KiB/s");
        instances.by = By::Memory;
        assert_eq!(names(&instances), ["paris:web", "berlin:web"]);

        // The same figures again, and a start anew.
        instances.apply(changes(vec![Item::Instance(row("paris", "web", 110, 8.0, 30, 0))]));
        assert_eq!(instances.lines()[0].cells()[3], "70.0%");
        instances.apply(changes(vec![Item::Instance(row("paris", "web", 120, 0.5, 30, 0))]));
        assert_eq!(instances.lines()[0].cells()[3], "0 s");
    }

    #[test]
    fn the_selection_stays_with_its_instance_and_the_filter_narrows() {
        let mut instances = two();
        let chosen = |instances: &Instances| instances.chosen().map(|key| place(&key));
        instances.move_by(1);
        assert_eq!(chosen(&instances).as_deref(), Some("paris:web"));
        instances.by = By::Memory; // it is first now
        assert_eq!(chosen(&instances).as_deref(), Some("paris:web"));
        instances.move_by(100);
        assert_eq!(chosen(&instances).as_deref(), Some("berlin:web"));
        instances.filter = "PARIS".to_owned();
        assert_eq!(names(&instances), ["paris:web"]);
        assert_eq!(chosen(&instances).as_deref(), Some("paris:web"));
        instances.filter = "none".to_owned();
        assert_eq!(chosen(&instances), None);
        instances.move_by(-1);
    }

    #[test]
    fn a_cloud_that_does_not_answer_keeps_its_rows_and_says_why() {
        let mut instances = two();
        instances.apply(changes(vec![Item::Cloud(cloud("paris", Some("no way to it")))]));
        let stale =
            |instances: &Instances| instances.lines().iter().map(|line| line.stale).collect::<Vec<_>>();
        assert_eq!(stale(&instances), [false, true]);
        assert!(instances.troubles()[0].contains("paris: no answer for"), "{:?}", instances.troubles());
        assert!(instances.troubles()[0].contains("no way to it"));
        instances.apply(changes(vec![Item::CloudGone("paris".to_owned())]));
        assert_eq!((names(&instances), instances.troubles().len()), (vec!["berlin:web".to_owned()], 0));

        // The node itself.
        instances.apply(News::Lost("it has stopped".to_owned()));
        assert_eq!(stale(&instances), [true]);
        assert!(instances.troubles()[0].contains("it has stopped"));
        instances.apply(changes(Vec::new()));
        assert_eq!(stale(&instances), [false]);
    }
}
