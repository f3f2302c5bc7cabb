//! What is asked about access: who may do what, why, and which grant is missing.

use std::net::{IpAddr, SocketAddr};

use futures_util::{StreamExt, stream};
use http::Method;
use serde::Deserialize;
use tailnet::LocalApiError;

use super::decision::Decision;
use super::explain::{self, Destination};
use super::report::{AccessList, ExplainRequest, Explanation, Missing};
use super::{Access, AccessError, Caller, Wish};
use crate::node::AskError;

/// How many nodes are looked up at once.
const AT_ONCE: usize = 16;

impl Access {
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
        let rules = config.tailnet.iter().flat_map(|tailnet| tailnet.access.clone()).collect();
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
}
