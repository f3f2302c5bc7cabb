//! One connection to a cloud, from its first list to the loss of its events: what each event and answer does to the model,
//! and what is to be asked next. It does no I/O.

mod answers;
mod events;
mod questions;

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use lxd_client::{Error, Server};
use tokio::time::Instant;

use super::pace::Pace;
use super::remote::Ask;
use super::scopes::Scopes;
use crate::clock::now as seconds;
use crate::inventory::looks::Looks;
use crate::inventory::model::Newer;
use crate::inventory::row::InstanceKey;
use crate::inventory::store::Store;

/// Why a session ends.
#[derive(Debug)]
pub(super) enum End {
    /// The server cannot be reached, or does not answer as it should.
    Failed(Error),
    /// The connection for events is lost.
    Lost,
    /// The projects are others, and so the connections.
    OtherProjects,
    /// The certificate is restricted to some projects: each is to be asked for alone.
    Restricted,
}

pub(super) struct Session {
    store: Store,
    cloud: String,
    looks: Arc<Looks>,
    scopes: Scopes,
    /// Whether the server tells the figures of all instances in one answer.
    metrics: bool,
    pace: Pace,
    /// What is under way, with when it was asked.
    under_way: HashMap<Ask, Instant>,
    /// What events told meanwhile, for each of them.
    newer: HashMap<Ask, Newer>,
    /// What is to be asked at once.
    queue: VecDeque<Ask>,
    /// How many of the first lists are yet to come; the rows are up to date after them.
    first: HashSet<Ask>,
    /// The instances whose settings may differ from those at the server, and when these are asked for.
    changed: BTreeSet<InstanceKey>,
    changed_at: Option<Instant>,
    /// The instances of which anything may differ.
    dirty: BTreeSet<InstanceKey>,
    /// The lists that events have made out of date.
    dirty_lists: BTreeSet<Ask>,
    /// When the latter two are asked for.
    settled: Option<Instant>,
    /// When something was asked for because of events last.
    repaired: Option<Instant>,
    /// Not before this.
    relief: Instant,
    /// When each list was last answered.
    answered: HashMap<Ask, Instant>,
    usage_at: Option<Instant>,
    /// Whether usage is asked for once more soon: it takes two figures to tell how fast things are used.
    usage_soon: bool,
    /// When the state was last read of an instance that somebody looked at.
    states: HashMap<InstanceKey, Instant>,
    /// When to see what somebody looks at.
    look_at: Instant,
}

impl Session {
    pub(super) fn new(
        store: Store,
        cloud: &str,
        looks: Arc<Looks>,
        server: &Server,
        scopes: Scopes,
        now: Instant,
    ) -> Session {
        let environment = server.environment.as_ref();
        let clustered = environment.and_then(|e| e.rest.get("server_clustered"));
        let mut session = Session {
            store,
            cloud: cloud.to_owned(),
            looks,
            // A member of a cluster has the figures of its own instances alone.
            metrics: server.has_extension("metrics") && clustered != Some(&true.into()),
            pace: Pace::default(),
            under_way: HashMap::new(),
            newer: HashMap::new(),
            queue: VecDeque::new(),
            first: HashSet::new(),
            changed: BTreeSet::new(),
            changed_at: None,
            dirty: BTreeSet::new(),
            dirty_lists: BTreeSet::new(),
            settled: None,
            repaired: None,
            relief: now,
            answered: HashMap::new(),
            usage_at: None,
            usage_soon: false,
            states: HashMap::new(),
            look_at: now,
            scopes,
        };
        session.queue = session.lists().into();
        session.answered =
            session.queue.iter().cloned().chain([Ask::Projects]).map(|list| (list, now)).collect();
        session.first = session.queue.iter().cloned().collect();
        if session.first.is_empty() {
            session.store.change(|model| model.set_fresh(cloud));
        }
        session
    }

    /// All lists.
    fn lists(&self) -> Vec<Ask> {
        let instances = self.scopes.instances().into_iter().map(|scope| Ask::Instances(scope, false));
        let operations = self.scopes.operations().into_iter().map(Ask::Operations);
        let images = self.scopes.images().into_iter().map(Ask::Images);
        instances.chain(operations).chain(images).collect()
    }

    /// Some time has passed.
    pub(super) fn tick(&mut self) {
        self.store.change(|model| model.forget_ended(seconds()));
    }

    fn key(&self, project: &str, name: &str) -> InstanceKey {
        InstanceKey { cloud: self.cloud.clone(), project: project.to_owned(), name: name.to_owned() }
    }
}
