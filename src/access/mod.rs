//! Who may do what: callers are known by the tailnet itself (WhoIs), and have rights by the tailnet's policy and by the
//! configuration. Nobody has a right that nothing gives.
//!
//! Which entries count for which caller:
//!
//! | caller | `user:*` | `user:LOGIN` | `tag:NAME` | `node:NAME` | the policy's capability |
//! |---|---|---|---|---|---|
//! | a user of this tailnet, at a node of theirs | yes | their login | – | that node | yes |
//! | a node with tags | no | no | its tags | that node | yes |
//! | a node of another tailnet | no | exactly that login | no | that node | yes |
//! | a node that routes subnets, for which everybody behind it can speak | no | no | no | that node | yes |
//! | an address behind such a node | no | no | no | that node | no |
//!
//! The policy names the source to which it gives the capability [`CAPABILITY`], so that counts for each node itself. A
//! caller has the sum of what all entries give. An entry with a verb or field that is not known gives nothing.

mod asked;
pub(crate) mod audit;
mod cache;
mod caller;
mod decision;
mod explain;
pub(crate) mod report;
mod rights;
#[cfg(test)]
mod tests;
mod whois;

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Method;
use tailnet::{BackendState, LocalApiError, WhoIs};
use tokio::sync::watch;
use tracing::warn;

use cache::Cache;
use decision::Decision;
use whois::Known;

pub(crate) use caller::{Caller, CallerKind};
pub(crate) use explain::Wish;
pub(crate) use rights::Rights;

use crate::config::Config;
use crate::node::Node;

/// The capability by which the tailnet's policy gives rights.
pub(crate) const CAPABILITY: &str = "kolaboree.dev/cap/clouds";

/// How long the node may take to tell who has an address. It knows that by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many entries that are not understood are remembered, so that each is logged once.
const REMEMBERED: usize = 256;

/// Knows callers and their rights. Clones share what they know.
#[derive(Clone, Debug)]
pub(crate) struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    node: Node,
    callers: Cache<Result<Arc<Caller>, AccessError>, World>,
    development: Option<Arc<Caller>>,
    changes: watch::Sender<u64>,
    logged: Mutex<HashSet<String>>,
}

/// What an answer was found out from.
#[derive(Clone, Debug)]
struct World {
    backend: BackendState,
    netmap_version: u64,
    config: Arc<Config>,
}

impl PartialEq for World {
    fn eq(&self, other: &World) -> bool {
        (self.backend, self.netmap_version) == (other.backend, other.netmap_version)
            && Arc::ptr_eq(&self.config, &other.config)
    }
}

/// Why it is not known who calls.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum AccessError {
    /// No node of the tailnet has the address.
    #[error("no node of the tailnet has the address {0}")]
    Stranger(IpAddr),
    /// The node cannot tell now.
    #[error("cannot tell who calls: {reason}")]
    Unavailable {
        /// Why.
        reason: String,
    },
}

impl Access {
    /// Knows the callers of a node, until that stops.
    pub(crate) fn start(node: &Node) -> Access {
        let config = node.config();
        let development = config.tailnet.as_ref().and_then(|tailnet| tailnet.development.as_ref());
        let access = Access(Arc::new(Inner {
            node: node.clone(),
            callers: Cache::default(),
            development: development.map(Caller::of_development).map(Arc::new),
            changes: watch::Sender::new(0),
            logged: Mutex::default(),
        }));
        node.spawn(follow(access.clone()));
        access
    }

    /// Who calls from an address of the tailnet, and what they may do. The answer is not older than 10 seconds, nor than the
    /// network map and the configuration. Cancel safe.
    ///
    /// # Errors
    /// When nobody of the tailnet has the address, or the node cannot tell.
    pub(crate) async fn caller(&self, peer: SocketAddr) -> Result<Arc<Caller>, AccessError> {
        let address = peer.ip().to_canonical();
        let world = self.world();
        let config = Arc::clone(&world.config);
        // What could not be told a moment ago is asked for again.
        let kept = |answer: &Result<_, AccessError>| !matches!(answer, Err(AccessError::Unavailable { .. }));
        let find = async || self.find(address, &config).await.map(|(caller, _)| Arc::new(caller));
        self.0.callers.get(address, world, kept, find).await
    }

    /// Who acts at the address for development, where the node was started with one.
    pub(crate) fn development_caller(&self) -> Option<Arc<Caller>> {
        self.0.development.clone()
    }

    /// A number that changes when the network map or the configuration does: then who was let in may have lost a right.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    fn world(&self) -> World {
        let (backend, netmap_version) = self.0.node.backend_and_netmap();
        World { backend, netmap_version, config: self.0.node.config() }
    }

    /// Asks who has an address, and decides what they may do.
    async fn find(&self, address: IpAddr, config: &Config) -> Result<(Caller, Decision), AccessError> {
        let unavailable = |reason: String| AccessError::Unavailable { reason };
        let (backend, _) = self.0.node.backend_and_netmap();
        if backend != BackendState::Running {
            return Err(unavailable(format!("the node is not in its tailnet ({backend})")));
        }
        let asked = tokio::time::timeout(PATIENCE, self.ask(address, config)).await;
        let known = match asked {
            Ok(Ok(known)) => known,
            Ok(Err(error)) if error.is_not_found() => return Err(AccessError::Stranger(address)),
            Ok(Err(error)) => return Err(unavailable(error.to_string())),
            Err(_) => return Err(unavailable(format!("no answer within {} s", PATIENCE.as_secs()))),
        };
        let Known { mut caller, policy } = known;
        let rules = config.tailnet.as_ref().map(|tailnet| &*tailnet.access).unwrap_or_default();
        let decision = Decision::of(&caller, rules, policy.as_deref());
        self.log_void(&caller, &decision);
        caller.rights = Arc::new(decision.rights());
        Ok((caller, decision))
    }

    /// Asks without a port: a port could only lead to a proxy of the node's own.
    async fn ask(&self, address: IpAddr, config: &Config) -> Result<Known, LocalApiError> {
        let tailnet = self.0.node.tailnet();
        let whois = tailnet.whois(SocketAddr::new(address, 0)).await?;
        let service = config.tailnet.as_ref().and_then(|tailnet| tailnet.service.as_ref());
        let to_service = match service {
            None => None,
            Some(service) => {
                let path = format!("/localapi/v0/whois?addr={address}&svc_name={service}");
                let answer = tailnet.local_api(Method::GET, &path, "").await?;
                let malformed =
                    |error: serde_json::Error| LocalApiError::Other { message: error.to_string() };
                Some(serde_json::from_str::<WhoIs>(&answer).map_err(malformed)?)
            }
        };
        Ok(Known::of(address, whois, to_service.as_ref()))
    }

    /// Logs each entry of the policy that is not understood, once.
    fn log_void(&self, caller: &Caller, decision: &Decision) {
        for void in &decision.void {
            let text = format!("{CAPABILITY}: {}: {}", void.entry, void.why);
            let mut logged = self.0.logged.lock().unwrap_or_else(PoisonError::into_inner);
            if logged.len() < REMEMBERED && logged.insert(text.clone()) {
                warn!("an entry of the tailnet's policy gives nothing, first to {caller}: {text}");
            }
        }
    }
}

/// Counts the changes of the network map and of the configuration.
async fn follow(access: Access) {
    let node = &access.0.node;
    let (mut states, mut configs) = (node.watch_state(), node.watch_config());
    let mut last = access.world();
    loop {
        let more = tokio::select! {
            more = states.changed() => more,
            more = configs.changed() => more,
        };
        if more.is_err() {
            return;
        }
        let now = access.world();
        if now != last {
            access.0.changes.send_modify(|count| *count += 1);
            last = now;
        }
    }
}
