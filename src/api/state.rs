//! What requests are answered from.

use std::sync::{Arc, PoisonError, RwLock};

use crate::access::Access;
use crate::access::audit::{Audit, Entry, Pending};
use crate::inventory::Inventory;
use crate::node::Node;

use super::answers::Answers;
use super::doctor::Doctor;
use super::frames::{Epoch, Frames};
use super::guard::{Limits, OwnNames};
use super::jobs::Jobs;
use super::problem::{Code, Problem};
use super::terminals::Terminals;

/// What requests are answered from. Clones share it.
#[derive(Clone, Debug)]
pub(in crate::api) struct Api(Arc<Shared>);

#[derive(Debug)]
pub(in crate::api) struct Shared {
    pub(in crate::api) node: Node,
    pub(in crate::api) inventory: Inventory,
    pub(in crate::api) access: Access,
    pub(in crate::api) audit: Audit,
    pub(in crate::api) limits: Limits,
    pub(in crate::api) jobs: Jobs,
    pub(in crate::api) terminals: Terminals,
    pub(in crate::api) epoch: Epoch,
    pub(in crate::api) frames: Frames,
    pub(in crate::api) answers: Answers,
    pub(in crate::api) doctor: Doctor,
    names: RwLock<Arc<OwnNames>>,
    name: RwLock<Arc<str>>,
}

impl std::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    pub(in crate::api) fn new(node: Node, inventory: Inventory, access: Access, audit: Audit) -> Api {
        Api(Arc::new(Shared {
            node,
            inventory,
            access,
            audit,
            limits: Limits::default(),
            jobs: Jobs::default(),
            terminals: Terminals::default(),
            epoch: Epoch::new(),
            frames: Frames::default(),
            answers: Answers::default(),
            doctor: Doctor::default(),
            names: RwLock::default(),
            name: RwLock::new("".into()),
        }))
    }

    /// The names by which the node may be asked now. There are none before it has joined.
    pub(in crate::api) fn names(&self) -> Arc<OwnNames> {
        Arc::clone(&self.names.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The node's own name in the tailnet, which no other node has: its short MagicDNS name. Empty before it has joined.
    pub(in crate::api) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes to the audit that something begins. It may begin once this has returned; else it is not `done`, such as "changed".
    pub(in crate::api) async fn pending(&self, entry: Entry, done: &str) -> Result<Pending, Problem> {
        self.audit.begin(entry).await.map_err(|error| {
            Problem::new(Code::Unavailable, format!("nothing is {done} that the audit cannot tell: {error}"))
        })
    }

    pub(in crate::api) fn set_names(&self, name: &str, names: OwnNames) {
        *self.name.write().unwrap_or_else(PoisonError::into_inner) = name.into();
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(names);
    }
}
