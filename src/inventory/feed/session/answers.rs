//! What an answer does to the model.

use std::collections::HashSet;

use lxd_client::{Error, Project};
use tokio::time::Instant;

use super::{End, Session};
use crate::clock::now as seconds;
use crate::inventory::feed::listed::{ListedInstance, operation_row};
use crate::inventory::feed::metrics;
use crate::inventory::feed::remote::{Answer, Ask, Scope};
use crate::inventory::model::Newer;
use crate::inventory::row::{InstanceKey, InstanceRow, InstanceUsage};

/// A pause after a list is this many times as long as the list took.
const RELIEF: u32 = 4;

impl Session {
    /// Takes the answer to a question.
    pub(in crate::inventory::feed) fn answer(
        &mut self,
        ask: &Ask,
        answer: Result<Answer, Error>,
        now: Instant,
    ) -> Result<(), End> {
        let asked = self.under_way.remove(ask).unwrap_or(now);
        let newer = self.newer.remove(ask).unwrap_or_default();
        match answer {
            Ok(answer) => self.take(ask, answer, &newer, asked, now)?,
            Err(error) => self.refused(ask, error, &newer)?,
        }
        if self.first.remove(ask) && self.first.is_empty() {
            self.store.change(|model| model.set_fresh(&self.cloud));
        }
        Ok(())
    }

    fn take(
        &mut self,
        ask: &Ask,
        answer: Answer,
        newer: &Newer,
        asked: Instant,
        now: Instant,
    ) -> Result<(), End> {
        let of = |scope: &Scope| scope.clone().unwrap_or_else(|| "default".to_owned());
        match (ask, answer) {
            (Ask::Instances(scope, full), Answer::Instances(list)) => {
                self.answered.insert(Ask::Instances(scope.clone(), *full), now);
                self.answered.insert(Ask::Instances(scope.clone(), false), now);
                self.relief = now + RELIEF * (now - asked);
                self.take_instances(scope, *full, list, newer, now);
            }
            (Ask::Instance(project, ..), Answer::Instance(listed)) => {
                let (row, usage) = split(listed.row(&self.cloud, project, seconds()));
                let looked_at = self.looks.has(&row.key);
                if looked_at && usage.is_some() {
                    self.states.insert(row.key.clone(), now);
                }
                self.store.change(|model| {
                    let key = row.key.clone();
                    model.take_instance(row, newer);
                    if let Some(usage) = usage {
                        model.put_usage(&key, usage, looked_at);
                    }
                });
            }
            (Ask::Operations(scope), Answer::Operations(list)) => {
                self.answered.insert(ask.clone(), now);
                let rows =
                    list.into_iter().map(|state| operation_row(&self.cloud, &of(scope), state)).collect();
                self.store.change(|model| {
                    model.list_operations(&self.cloud, scope.as_deref(), rows, newer, seconds());
                });
            }
            (Ask::Images(scope), Answer::Images(list)) => {
                self.answered.insert(ask.clone(), now);
                let rows = list.into_iter().map(|image| image.row(&self.cloud, &of(scope))).collect();
                self.store.change(|model| model.list_images(&self.cloud, scope.as_deref(), rows));
            }
            (Ask::Projects, Answer::Projects(list)) => {
                self.answered.insert(ask.clone(), now);
                self.take_projects(&list)?;
            }
            (Ask::Metrics, Answer::Metrics(text)) => self.take_metrics(&text),
            _ => {}
        }
        Ok(())
    }

    fn take_instances(
        &mut self,
        scope: &Scope,
        full: bool,
        list: Vec<ListedInstance>,
        newer: &Newer,
        now: Instant,
    ) {
        let at = seconds();
        let project = scope.as_deref().unwrap_or("default");
        let (rows, usages): (Vec<_>, Vec<_>) =
            list.into_iter().map(|listed| split(listed.row(&self.cloud, project, at))).unzip();
        let used: Vec<(InstanceKey, InstanceUsage)> = rows
            .iter()
            .zip(usages)
            .filter_map(|(row, usage)| usage.map(|usage| (row.key.clone(), usage)))
            .collect();
        let looked_at = self.looked_at(used.iter().map(|(key, _)| key));
        if full {
            self.states.extend(looked_at.iter().map(|key| (key.clone(), now)));
        }
        self.store.change(|model| {
            model.list_instances(&self.cloud, scope.as_deref(), rows, newer);
            for (key, usage) in used {
                model.put_usage(&key, usage, looked_at.contains(&key));
            }
        });
    }

    /// Those of these instances that somebody looks at.
    fn looked_at<'a>(&self, keys: impl Iterator<Item = &'a InstanceKey>) -> HashSet<InstanceKey> {
        self.looks.among(keys).into_iter().cloned().collect()
    }

    fn take_metrics(&mut self, text: &str) {
        let all = metrics::read(text, seconds());
        let all: Vec<(InstanceKey, InstanceUsage)> =
            all.into_iter().map(|((project, name), usage)| (self.key(&project, &name), usage)).collect();
        let looked_at = self.looked_at(all.iter().map(|(key, _)| key));
        self.store.change(|model| {
            for (key, mut usage) in all {
                // The figures have no addresses and no process, and not each disk.
                if let Some(before) = model.instance(&key).and_then(|row| row.state.as_ref()) {
                    usage.addresses.clone_from(&before.addresses);
                    usage.pid = before.pid;
                    usage.disk = if usage.disk == 0 { before.disk } else { usage.disk };
                }
                model.put_usage(&key, usage, looked_at.contains(&key));
            }
        });
    }

    fn take_projects(&mut self, list: &[Project]) -> Result<(), End> {
        let before = self.scopes.clone();
        self.scopes.set_projects(list);
        if self.scopes == before {
            return Ok(());
        }
        if !self.scopes.all_events() && self.scopes.projects != before.projects {
            return Err(End::OtherProjects);
        }
        let projects = self.scopes.projects.clone();
        self.store.change(|model| model.set_projects(&self.cloud, projects, self.scopes.all_events()));
        let known: HashSet<Ask> = self.answered.keys().cloned().collect();
        self.queue.extend(self.lists().into_iter().filter(|list| !known.contains(list)));
        // A project that was renamed has taken its instances with it.
        self.queue.extend(self.scopes.instances().into_iter().map(|scope| Ask::Instances(scope, false)));
        Ok(())
    }

    /// Takes the error of a question. What passes by itself ends the session, as the rows can no longer be kept.
    fn refused(&mut self, ask: &Ask, error: Error, newer: &Newer) -> Result<(), End> {
        match ask {
            Ask::Instance(project, name, _) if error.is_not_found() => {
                let key = self.key(project, name);
                if !newer.touched.contains(&key) {
                    self.store.change(|model| model.remove_instance(&key));
                }
                Ok(())
            }
            Ask::Metrics if !error.is_retryable() => {
                self.metrics = false; // the certificate may not read them
                self.usage_at = None;
                Ok(())
            }
            // LXD 5.0 lets it listen to all projects all the same.
            Ask::Instances(None, _) if matches!(error, Error::NotAllowed { .. }) => Err(End::Restricted),
            Ask::Instances(..) | Ask::Projects => Err(End::Failed(error)),
            _ if error.is_retryable() => Err(End::Failed(error)),
            _ => {
                tracing::debug!(cloud = self.cloud, ?ask, %error, "the inventory was refused something");
                Ok(())
            }
        }
    }
}
/// A row without its usage, and that.
fn split(mut row: InstanceRow) -> (InstanceRow, Option<InstanceUsage>) {
    let usage = row.state.take();
    (row, usage)
}
