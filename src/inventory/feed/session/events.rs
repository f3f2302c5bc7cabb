//! What an event does to the model at once, and what is to be asked for because of it.

use std::time::Duration;

use lxd_client::{Event, Lifecycle, OperationState};
use tokio::time::Instant;

use super::{End, Session};
use crate::clock::now as seconds;
use crate::inventory::feed::action::{Meaning, What, instance_in, meaning};
use crate::inventory::feed::listed::operation_row;
use crate::inventory::feed::remote::Ask;
use crate::inventory::model::Newer;
use crate::inventory::row::{ImageKey, InstanceKey, InstanceRow};

/// After the first event of a burst, the instances that it was about are asked for after this time, all together.
const SETTLE: Duration = Duration::from_millis(250);

/// What shows only with the answer is asked for so soon after the first event of a burst.
const SOON: Duration = Duration::from_millis(10);

/// An instance that was started has its addresses after about this time.
const ADDRESSES: Duration = Duration::from_secs(3);

impl Session {
    /// Takes an event.
    pub(in crate::inventory::feed) fn event(&mut self, event: Event, now: Instant) -> Result<(), End> {
        match event {
            Event::Lifecycle(event) => self.lifecycle(&event, now),
            Event::Operation(state) => self.operation(state, now),
            Event::Lost | Event::Reconnected => return Err(End::Lost),
            _ => {}
        }
        Ok(())
    }

    fn operation(&mut self, state: OperationState, now: Instant) {
        for newer in self.newer.values_mut() {
            newer.operations.insert(state.id.clone());
        }
        let project = state.project.clone();
        let row = operation_row(&self.cloud, &project, state);
        // What a task has done shows, even where the lifecycle event was lost.
        if row.is_final() && row.class == "task" {
            for (own, name) in row.resources.iter().filter_map(|path| instance_in(path)) {
                let project = own.unwrap_or_else(|| project.clone());
                if !project.is_empty() {
                    self.touch(self.key(&project, &name), now);
                }
            }
        }
        self.store.change(|model| model.put_operation(row, seconds()));
    }

    fn lifecycle(&mut self, event: &Lifecycle, now: Instant) {
        match meaning(event) {
            Meaning::Instance { project, name, what } => {
                let key = self.key(&project, &name);
                self.happened(&key, &what, now);
                match what {
                    What::Changed => self.change(key, now),
                    What::Snapshots => {
                        self.touch(key, now);
                        self.settled = self.settled.min(Some(self.soon(now)));
                    }
                    _ => self.touch(key, now),
                }
            }
            Meaning::Image { project, deleted } => {
                let scope = self.scopes.images_of(&project);
                if let Some(fingerprint) = deleted {
                    let cloud = self.cloud.clone();
                    let project = scope.clone().unwrap_or(project);
                    self.store.change(|model| model.remove_image(&ImageKey { cloud, project, fingerprint }));
                }
                self.soil(Ask::Images(scope), now);
            }
            Meaning::Project => self.soil(Ask::Projects, now),
            Meaning::Profile { project } => {
                self.soil(Ask::Instances(self.scopes.instances_of(&project), false), now);
            }
            Meaning::Cluster => {
                for scope in self.scopes.instances() {
                    self.soil(Ask::Instances(scope, false), now);
                }
            }
            Meaning::Nothing => {}
        }
    }

    /// Changes the row of an instance by what an event tells, without asking the server.
    fn happened(&mut self, key: &InstanceKey, what: &What, now: Instant) {
        let deleted = |newer: &mut Newer, key: &InstanceKey, gone: bool| {
            if gone {
                newer.deleted.insert(key.clone())
            } else {
                newer.deleted.remove(key)
            };
        };
        let gone = matches!(what, What::Deleted | What::Renamed(_));
        self.newer.values_mut().for_each(|newer| deleted(newer, key, gone));
        match what {
            What::Is(status) => {
                if *status == "Running" {
                    self.states.remove(key);
                    self.look_at = self.look_at.min(now + ADDRESSES);
                }
                self.store.change(|model| {
                    model.update_instance(key, |row| row.status = (*status).to_owned());
                });
            }
            What::Created(kind) => {
                let row = InstanceRow {
                    key: key.clone(),
                    kind: kind.clone(),
                    status: "Stopped".to_owned(),
                    ..InstanceRow::default()
                };
                self.store.change(|model| {
                    if model.instance(key).is_none() {
                        model.put_instance(row);
                    }
                });
            }
            What::Deleted => self.store.change(|model| model.remove_instance(key)),
            What::Renamed(name) => {
                let to = self.key(&key.project, name);
                self.newer.values_mut().for_each(|newer| deleted(newer, &to, false));
                self.store.change(|model| model.rename_instance(key, &to));
                self.touch(to, now);
            }
            What::Snapshots => {
                // How many there are is known when it was read again.
                self.store.change(|model| model.update_instance(key, |row| row.snapshots = None));
            }
            What::Changed => {}
        }
    }

    /// The instance is to be read again with its state, and what is under way may be older than what is known.
    fn touch(&mut self, key: InstanceKey, now: Instant) {
        self.mark_newer(&key);
        self.dirty.insert(key);
        self.settled.get_or_insert(now + SETTLE);
    }

    /// The instance is to be read again at once, without its state, for which a server has to measure.
    fn change(&mut self, key: InstanceKey, now: Instant) {
        self.mark_newer(&key);
        let soon = self.soon(now);
        self.changed.insert(key);
        self.changed_at.get_or_insert(soon);
    }

    fn mark_newer(&mut self, key: &InstanceKey) {
        for newer in self.newer.values_mut() {
            newer.touched.insert(key.clone());
        }
    }

    /// At once, unless something was asked for because of events a moment ago.
    fn soon(&self, now: Instant) -> Instant {
        self.repaired.map_or(now, |at| now.max(at + SETTLE)) + SOON
    }

    /// The list is to be read again.
    fn soil(&mut self, list: Ask, now: Instant) {
        self.dirty_lists.insert(list);
        self.settled.get_or_insert(now + SETTLE);
    }
}
