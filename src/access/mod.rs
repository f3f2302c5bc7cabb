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

use futures_util::{StreamExt, stream};
use http::Method;
use serde::Deserialize;
use tailnet::{BackendState, LocalApiError, WhoIs};
use tokio::sync::watch;
use tracing::warn;

use cache::Cache;
use decision::Decision;
use explain::Destination;
use report::{AccessList, ExplainRequest, Explanation, Missing, Rule};
use whois::Known;

pub(crate) use caller::{Caller, CallerKind};
pub(crate) use explain::Wish;
pub(crate) use rights::Rights;

use crate::config::Config;
use crate::node::{AskError, Node};

/// The capability by which the tailnet's policy gives rights.
pub(crate) const CAPABILITY: &str = "kolaboree.dev/cap/clouds";

/// How long the node may take to tell who has an address. It knows that by itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many nodes are looked up at once for a list of all.
const AT_ONCE: usize = 16;

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
    netmap_version: u64,
    config: Arc<Config>,
}

impl PartialEq for World {
    fn eq(&self, other: &World) -> bool {
        self.netmap_version == other.netmap_version && Arc::ptr_eq(&self.config, &other.config)
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

    /// The grant that a caller needs to do something, to paste; none where it has that right.
    pub(crate) async fn missing(&self, caller: &Caller, wish: Wish<'_>) -> Option<Missing> {
        let destination = self.destination().await;
        explain::explain(caller.clone(), Decision::default(), wish, &destination).missing
    }

    /// Who may do what: the rules of the configuration, and each node that is online.
    ///
    /// # Errors
    /// Once the node is stopped.
    pub(crate) async fn list(&self) -> Result<AccessList, AskError> {
        let config = self.0.node.config();
        let status = self.0.node.status().await?;
        let online = status.peers.into_iter().filter(|peer| peer.online);
        let mut asked = stream::iter(online)
            .map(async |peer| {
                let address = peer.ips.first().copied()?;
                let found = self.caller(SocketAddr::new(address, 0)).await;
                Some(found.map_err(|error| format!("{}: {error}", peer.name)))
            })
            .buffered(AT_ONCE);
        let (mut callers, mut unknown) = (Vec::new(), Vec::new());
        while let Some(found) = asked.next().await {
            match found {
                Some(Ok(caller)) => callers.push(Caller::clone(&caller)),
                Some(Err(error)) => unknown.push(error),
                None => {}
            }
        }
        let rules = config.tailnet.iter().flat_map(|tailnet| &tailnet.access).map(Rule::from).collect();
        let tags = self.0.node.tailnet().status().await?.this.tags;
        let https_names = self.https_names().await?;
        Ok(AccessList { enabled: config.tailnet.is_some(), tags, https_names, rules, callers, unknown })
    }

    /// The names for which this node can get a certificate.
    async fn https_names(&self) -> Result<Vec<String>, LocalApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Status {
            cert_domains: Option<Vec<String>>,
        }
        let status =
            self.0.node.tailnet().local_api(Method::GET, "/localapi/v0/status?peers=false", "").await?;
        let read = serde_json::from_str::<Status>(&status);
        let status = read.map_err(|error| LocalApiError::Other { message: error.to_string() })?;
        Ok(status.cert_domains.unwrap_or_default())
    }

    /// What a node may do and why, by its name or address; by a user's login name, of each of the user's nodes.
    ///
    /// # Errors
    /// When the tailnet has no such node or user.
    pub(crate) async fn explain(&self, request: &ExplainRequest) -> Result<Vec<Explanation>, AskError> {
        let config = self.0.node.config();
        let addresses = self.addresses_of(&request.peer).await?;
        let destination = self.destination().await;
        let mut explanations = Vec::new();
        for address in addresses {
            let (caller, decision) = self.find(address, &config).await.map_err(|error| match error {
                AccessError::Stranger(_) => AskError::NoSuchPeer(request.peer.clone()),
                AccessError::Unavailable { reason } => AskError::NotLookedUp(reason),
            })?;
            explanations.push(explain::explain(caller, decision, Wish::of(request), &destination));
        }
        Ok(explanations)
    }

    /// The addresses of a node, or of the nodes of a user.
    async fn addresses_of(&self, peer: &str) -> Result<Vec<IpAddr>, AskError> {
        let node = &self.0.node;
        let unknown = match node.ip_of(peer).await {
            Ok(address) => return Ok(vec![address.to_canonical()]),
            Err(error @ (AskError::NoSuchPeer(_) | AskError::NotLookedUp(_))) => error,
            Err(error) => return Err(error),
        };
        let status = node.status().await?;
        let all = std::iter::once(status.this).chain(status.peers);
        let addresses = all.filter_map(|peer| peer.ips.first().copied());
        let of_user: Vec<IpAddr> = stream::iter(addresses)
            .map(async |address| {
                let caller = self.caller(SocketAddr::new(address, 0)).await.ok()?;
                (caller.login() == Some(peer)).then_some(address)
            })
            .buffered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await;
        if of_user.is_empty() { Err(unknown) } else { Ok(of_user) }
    }

    /// How the tailnet's policy names this node.
    async fn destination(&self) -> Destination {
        let config = self.0.node.config();
        let tailnet = config.tailnet.as_ref();
        let status = self.0.node.tailnet().status().await;
        let (tags, address) = match &status {
            Ok(status) => (&status.this.tags, status.ips.first().map(ToString::to_string)),
            Err(_) => (&config.tags, None),
        };
        Destination::of(tailnet, tags, address)
    }

    fn world(&self) -> World {
        World { netmap_version: self.0.node.netmap_version(), config: self.0.node.config() }
    }

    /// Asks who has an address, and decides what they may do.
    async fn find(&self, address: IpAddr, config: &Config) -> Result<(Caller, Decision), AccessError> {
        let unavailable = |reason: String| AccessError::Unavailable { reason };
        let backend = self.0.node.state().map_or(BackendState::NoState, |state| state.backend);
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
    let node = access.0.node.clone();
    let (mut states, mut configs) = (node.watch_state(), node.watch_config());
    let mut last = None;
    loop {
        let state = states.borrow_and_update().as_ref().map(|state| (state.backend, state.netmap_version));
        let now = (state, configs.borrow_and_update().clone());
        let changed = |last: &(_, Arc<Config>)| last.0 != now.0 || !Arc::ptr_eq(&last.1, &now.1);
        if last.as_ref().is_some_and(changed) {
            access.0.changes.send_modify(|count| *count += 1);
        }
        last = Some(now);
        let more = tokio::select! {
            more = states.changed() => more,
            more = configs.changed() => more,
        };
        if more.is_err() {
            return;
        }
    }
}
