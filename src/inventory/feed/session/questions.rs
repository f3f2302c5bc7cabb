//! What is to be asked next.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use crate::inventory::feed::remote::{Ask, Scope};
use crate::inventory::model::Newer;
use crate::inventory::row::InstanceKey;

/// More instances than this are not asked for one by one.
const FEW: usize = 3;

/// No more questions than this are under way.
const UNDER_WAY: usize = 4;

/// How often all is asked for again when nothing happens: an event that was lost shows then.
const MOVING: Duration = Duration::from_secs(120);
const OTHERS: Duration = Duration::from_secs(300);

/// How often usage is asked for, and how often while somebody looks at it.
const USAGE: Duration = Duration::from_secs(60);
const USAGE_LIVE: Duration = Duration::from_secs(20);

/// How soon it is asked for again when somebody begins to look at it.
const USAGE_SOON: Duration = Duration::from_secs(3);

/// How old the addresses may be of what somebody looks at.
const STATE: Duration = Duration::from_secs(60);

/// As many requests of a minute are kept for what somebody begins to look at.
const FOR_LOOKS: usize = 2;

impl Session {
    /// What is to be asked now.
    pub(in crate::inventory::feed) fn asks(&mut self, now: Instant) -> Vec<Ask> {
        self.repair(now);
        if self.queue.is_empty() && self.first.is_empty() {
            self.background(now);
        }
        let mut asks = Vec::new();
        let mut later = VecDeque::new();
        while let Some(ask) = self.queue.pop_front() {
            if self.under_way.len() >= UNDER_WAY || self.under_way.contains_key(&ask) {
                later.push_back(ask);
                continue;
            }
            self.under_way.insert(ask.clone(), now);
            self.newer.insert(ask.clone(), Newer::default());
            asks.push(ask);
        }
        self.queue = later;
        asks
    }

    /// Asks for what events were about, once it has settled.
    fn repair(&mut self, now: Instant) {
        if self.relief > now || !self.queue.is_empty() {
            return;
        }
        let is_due = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        if is_due(&mut self.changed_at) {
            let changed = std::mem::take(&mut self.changed);
            self.ask_again(changed, false, now);
        }
        if is_due(&mut self.settled) {
            let dirty = std::mem::take(&mut self.dirty);
            self.ask_again(dirty, true, now);
            for list in std::mem::take(&mut self.dirty_lists) {
                self.enqueue(list);
            }
        }
    }

    /// Asks for instances once more: for each of a few, or for the lists that have them.
    fn ask_again(&mut self, instances: BTreeSet<InstanceKey>, full: bool, now: Instant) {
        self.repaired = Some(now);
        let is_few = instances.len() <= FEW;
        for key in instances {
            self.enqueue(if is_few {
                Ask::Instance(key.project, key.name, full)
            } else {
                Ask::Instances(self.scopes.instances_of(&key.project), false)
            });
        }
    }

    fn enqueue(&mut self, ask: Ask) {
        if !self.queue.contains(&ask) {
            self.queue.push_back(ask);
        }
    }

    /// Asks for what nobody has told of: usage, the state of what somebody looks at, and now and then all.
    fn background(&mut self, now: Instant) {
        if now >= self.look_at && self.pace.free(now) > 0 {
            self.look(now);
        }
        let reserved = self.reserved();
        if !self.queue.is_empty() || self.pace.free(now) <= reserved {
            return;
        }
        if self.usage_due(now) <= now {
            self.usage_soon = false;
            self.usage_at = Some(now);
            self.ask_for_usage(now);
            return;
        }
        if let Some((_, list)) = self.next_list(now).filter(|(due, _)| *due <= now) {
            self.answered.insert(list.clone(), now);
            self.pace.spend(now);
            self.queue.push_back(list);
        }
    }

    fn usage_due(&self, now: Instant) -> Instant {
        let every = match self.usage_soon {
            true => USAGE_SOON,
            false if self.looks.is_live() => USAGE_LIVE,
            false => USAGE,
        };
        self.usage_at.map_or(now, |at| at + every)
    }

    /// How many requests of a minute are not for what nobody waits for.
    fn reserved(&self) -> usize {
        if self.usage_soon { 0 } else { FOR_LOOKS }
    }

    fn ask_for_usage(&mut self, now: Instant) {
        if self.metrics {
            self.pace.spend(now);
            self.queue.push_back(Ask::Metrics);
            return;
        }
        // The list that was asked for longest ago.
        let lists = self.scopes.instances().into_iter().map(|scope| Ask::Instances(scope, true));
        if let Some(list) = lists.min_by_key(|list| self.answered.get(list).copied()) {
            self.answered.insert(list.clone(), now);
            self.pace.spend(now);
            self.queue.push_back(list);
        }
    }

    /// The list that is to be asked for next when nothing happens, and when.
    fn next_list(&self, now: Instant) -> Option<(Instant, Ask)> {
        let lists = self.lists().into_iter().chain([Ask::Projects]);
        let due = |list: &Ask| {
            let moving = matches!(list, Ask::Instances(..) | Ask::Operations(_));
            let every = if moving { MOVING } else { OTHERS };
            self.answered.get(list).map_or(now + every, |at| *at + every)
        };
        lists.map(|list| (due(&list), list)).min()
    }

    /// Asks for the state of what somebody looks at, and for its snapshots where they are not known.
    fn look(&mut self, now: Instant) {
        self.look_at = now + STATE / 4;
        self.states.retain(|_, at| now - *at < STATE);
        let wanted: Vec<InstanceKey> = {
            let model = self.store.read();
            let old = |key: &InstanceKey| !self.states.contains_key(key);
            let wanted = model
                .instances(&self.cloud)
                .filter(|row| row.snapshots.is_none() || (row.is_running() && old(&row.key)));
            self.looks.among(wanted.map(|row| &row.key)).into_iter().cloned().collect()
        };
        let free = self.pace.free(now);
        if wanted.len() <= FEW.min(free) {
            for key in wanted {
                self.pace.spend(now);
                self.states.insert(key.clone(), now);
                self.queue.push_back(Ask::Instance(key.project, key.name, true));
                self.usage_at = Some(now);
            }
            return;
        }
        let scopes: BTreeSet<Scope> =
            wanted.iter().map(|key| self.scopes.instances_of(&key.project)).collect();
        for scope in scopes.into_iter().take(free) {
            self.pace.spend(now);
            self.usage_at = Some(now);
            self.queue.push_back(Ask::Instances(scope, true));
        }
    }

    /// Somebody has begun to look at something.
    pub(in crate::inventory::feed) fn looked(&mut self, now: Instant) {
        self.look_at = now;
        self.usage_soon |= self.looks.take_begun();
    }

    /// When there is something to do, if nothing happens before.
    pub(in crate::inventory::feed) fn wake_at(&mut self, now: Instant) -> Instant {
        let mut at = now + Duration::from_secs(30); // to forget operations that have ended
        if !self.queue.is_empty() {
            return at; // an answer is waited for
        }
        for due in [self.changed_at, self.settled].into_iter().flatten() {
            at = at.min(due.max(self.relief));
        }
        if self.first.is_empty() {
            self.pace.free(now);
            let list = self.next_list(now).map_or(at, |(due, _)| due);
            at = at.min(self.usage_due(now).min(list).max(self.pace.next_free(self.reserved(), now)));
            at = at.min(self.look_at.max(self.pace.next_free(0, now)));
        }
        at
    }
}
