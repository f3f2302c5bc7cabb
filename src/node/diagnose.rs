//! What the node finds out about the tailnet on request: ping, whois, netcheck.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tailnet::{BackendState, ConnectError, LocalApiError, PingKind};

use super::report::{self, Netcheck, PingRequest, Pong, Relay, Whois};
use super::{AskError, Node};
use crate::cloud::report::NetworkPath;

/// How long a peer has to answer a ping.
const PING: Duration = Duration::from_secs(5);

/// Tailscale's error for a ping of an address that belongs to no node, service or accepted route.
const NOBODY: &str = "no matching peer";

impl Node {
    /// Pings a node of the tailnet once. Cancel safe.
    ///
    /// # Errors
    /// When nobody has that name or address, or no answer came within five seconds.
    pub async fn ping(&self, request: &PingRequest) -> Result<Pong, AskError> {
        let kind = match &request.kind {
            report::PingKind::Disco => PingKind::Disco,
            report::PingKind::Tsmp => PingKind::Tsmp,
            report::PingKind::Icmp => PingKind::Icmp,
            report::PingKind::Other(name) => return Err(AskError::NoSuchKind(name.clone())),
        };
        let ip = self.ip_of(&request.peer).await?;
        let pong = tokio::time::timeout(PING, self.ping_until_answered(ip, kind));
        let pong = pong.await.map_err(|_| LocalApiError::Timeout { after: PING })?;
        let pong = pong.map_err(|error| match error {
            LocalApiError::Other { message } if message == NOBODY => {
                AskError::NoSuchPeer(request.peer.clone())
            }
            error => error.into(),
        })?;
        let path = pong.path.map(NetworkPath::from).unwrap_or_default();
        let ms = (pong.latency.as_secs_f64() * 100_000.0).round() / 100.0;
        Ok(Pong { ip, node_ip: pong.node_ip.unwrap_or(ip), name: pong.node, ms, path })
    }

    /// The tailnet's status, if the node is in it.
    async fn tailnet_status(&self) -> Result<tailnet::Status, AskError> {
        let status = self.tailnet().status().await?;
        match status.backend_state {
            BackendState::Running => Ok(status),
            other => Err(AskError::NotJoined(other)),
        }
    }

    /// The address of a node, or of any name of the tailnet.
    pub(crate) async fn ip_of(&self, text: &str) -> Result<IpAddr, AskError> {
        let status = self.tailnet_status().await?;
        if let Ok(ip) = text.parse() {
            return Ok(ip);
        }
        if let Some(ip) = status.peer_named(text).and_then(|peer| peer.ips.first()) {
            return Ok(*ip);
        }
        match self.tailnet().lookup_host((text, 1)).await.as_deref() {
            Ok([first, ..]) => Ok(first.ip()),
            Err(ConnectError::Unreachable { message, .. }) => Err(AskError::NotLookedUp(message.clone())),
            Err(ConnectError::Timeout { .. }) => {
                Err(AskError::NotLookedUp(format!("cannot look up {text} in time")))
            }
            _ => Err(AskError::NoSuchPeer(text.to_owned())),
        }
    }

    /// Pings again each second, because a peer does not answer a node that it does not know yet, having just joined.
    async fn ping_until_answered(&self, ip: IpAddr, kind: PingKind) -> Result<tailnet::Pong, LocalApiError> {
        let mut next = tokio::time::interval(Duration::from_secs(1));
        let mut under_way = FuturesUnordered::new();
        loop {
            tokio::select! {
                _ = next.tick() => under_way.push(self.tailnet().ping(ip, kind)),
                Some(pong) = under_way.next() => return pong,
            }
        }
    }

    /// Who has an address, with or without a port, or a name. Cancel safe.
    ///
    /// # Errors
    /// When nobody of the tailnet has it.
    pub async fn whois(&self, address: &str) -> Result<Whois, AskError> {
        let address = match address.parse::<SocketAddr>() {
            Ok(address) => address,
            Err(_) => SocketAddr::new(self.ip_of(address).await?, 1),
        };
        let found = self.tailnet().whois(address).await;
        let found = found.map_err(|error| match error {
            LocalApiError::Refused { status: 404, .. } => AskError::NoSuchPeer(address.ip().to_string()),
            error => error.into(),
        })?;
        Ok(Whois {
            node: found.node.name.trim_end_matches('.').to_owned(),
            tags: found.node.tags,
            user: found.user.login_name,
            display_name: found.user.display_name,
        })
    }

    /// The network around the node. Cancel safe.
    ///
    /// # Errors
    /// When there was no check within 30 seconds.
    pub async fn netcheck(&self) -> Result<Netcheck, AskError> {
        let found = self.tailnet().netcheck().await?;
        let map = self.tailnet().derp_map().await?;
        let region = |number: u32| map.regions.get(&number);
        let mut relays: Vec<Relay> = found
            .region_latencies()
            .filter_map(|(number, latency)| {
                let region = region(number)?;
                let ms = (latency.as_secs_f64() * 100_000.0).round() / 100.0;
                Some(Relay { code: region.region_code.clone(), name: region.region_name.clone(), ms })
            })
            .collect();
        relays.sort_by(|a, b| a.ms.total_cmp(&b.ms));
        let public = [found.public_v4, found.public_v6];
        Ok(Netcheck {
            udp: found.udp,
            ipv4: found.ipv4,
            ipv6: found.ipv6,
            public: public.into_iter().flatten().map(|a| a.to_string()).collect(),
            mapping_varies: found.mapping_varies_by_dest_ip,
            preferred_relay: region(found.preferred_derp).map(|r| r.region_code.clone()),
            relays,
        })
    }
}
