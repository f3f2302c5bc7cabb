//! The sessions of this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::session::{Kind, Session};
use crate::api::jobs::By;
use crate::api::needs::Asker;
use crate::api::problem::{Code, Problem};
use crate::inventory::InstanceKey;

/// How many sessions of one caller are kept after their end.
const ENDED: usize = 16;

/// Of how many instances it is remembered which shell they have.
const REMEMBERED: usize = 10_000;

/// The sessions of this node. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Terminals(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    sessions: Vec<Arc<Session>>,
    /// The numbers of the shells of instances that have not the first one.
    shells: HashMap<InstanceKey, usize>,
}

impl Terminals {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a session. Of consoles an instance has one: where there is another, that is taken away or this one refused. Gives
    /// the one that was taken.
    pub(super) fn add(&self, session: Arc<Session>, take: bool) -> Result<Option<Arc<Session>>, Problem> {
        let mut known = self.known();
        let rival = known.sessions.iter().rev().find(|other| {
            session.kind == Kind::Console
                && other.kind == Kind::Console
                && other.key == session.key
                && !other.gone.is_cancelled()
        });
        let rival = rival.cloned();
        match &rival {
            Some(other) if !take => {
                let told = format!("{} has the console of {}", *other.caller, session.key.name);
                let problem = Problem::new(Code::Conflict, told).of_cloud(&session.key.cloud);
                return Err(problem.remedy("ask with take=true, which takes it away from there"));
            }
            Some(other) => other.take(By::of(&session.caller)),
            None => {}
        }
        let mut ended =
            known.sessions.iter().filter(|other| other.is_of(&session.caller) && other.has_ended());
        if let (Some(oldest), true) = (ended.next(), ended.count() + 1 >= ENDED) {
            oldest.close();
        }
        known.sessions.push(session);
        Ok(rival)
    }

    /// The session of a caller by its ID.
    pub(super) fn find(
        &self,
        id: &str,
        caller: &Asker,
        kind: Kind,
        key: &InstanceKey,
    ) -> Option<Arc<Session>> {
        let known = self.known();
        let mut of_caller = known.sessions.iter().filter(|session| session.is_of(caller));
        of_caller.find(|session| session.id == id && session.kind == kind && session.key == *key).cloned()
    }

    pub(super) fn forget(&self, session: &Arc<Session>) {
        self.known().sessions.retain(|other| !Arc::ptr_eq(other, session));
    }

    /// The number of the shell that an instance has.
    pub(super) fn shell_of(&self, key: &InstanceKey) -> usize {
        self.known().shells.get(key).copied().unwrap_or_default()
    }

    pub(super) fn note_shell(&self, key: &InstanceKey, number: usize) {
        let shells = &mut self.known().shells;
        if number == 0 {
            shells.remove(key);
        } else if shells.len() < REMEMBERED {
            shells.insert(key.clone(), number);
        }
    }
}
