//! What the node says of itself, and does when a command asks: the same whether the command asks the running node by its
//! control socket or has a node of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use http::Method;
use tailnet::{BackendState, ConnectError, LocalApiError, PingKind, PrefsEdit, StatusError, UpError};

use super::{Joining, Node, exit_node, read_key};
use crate::cloud::{now, path_text};
use crate::config::{Key, KeyError};
use crate::control::protocol::{Failure, Netcheck, Peer, PingRequest, Pong, Relay, Status, UpRequest, Whois};

/// How long a peer has to answer a ping.
const PING: Duration = Duration::from_secs(5);

/// What a ping of an address says that is of no node, service or accepted route.
const NOBODY: &str = "no matching peer";

/// Why the node did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The node is not in its tailnet, whose nodes it does not know then.
    #[error("the node is not in its tailnet ({0:?})")]
    NotJoined(BackendState),
    /// Nobody of the tailnet has that name or address.
    #[error("the tailnet has no node with the name or address {0}")]
    NoSuchPeer(String),
    /// The configuration has no cloud of that name.
    #[error("no cloud is named {0:?}")]
    NoSuchCloud(String),
    /// A DNS server of the tailnet does not say who has the name.
    #[error("{0}")]
    NotLookedUp(String),
    /// The word for the kind of ping is not known.
    #[error("{0:?} is no kind of ping: it must be disco, tsmp or icmp")]
    NoSuchKind(String),
    /// The node gave no status.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The node's LocalAPI refused.
    #[error(transparent)]
    LocalApi(#[from] LocalApiError),
    /// The node did not come up.
    #[error(transparent)]
    Up(#[from] UpError),
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The text is no auth key.
    #[error("{0}")]
    Invalid(String),
}

impl AskError {
    /// As it goes over the control socket.
    pub(crate) fn failure(&self) -> Failure {
        let code = match self {
            AskError::NotJoined(_) => "not_running",
            AskError::NoSuchPeer(_) => "no_such_peer",
            AskError::NotLookedUp(_) => "unreachable",
            AskError::NoSuchKind(_) | AskError::Invalid(_) | AskError::Key(_) => "invalid",
            AskError::Up(UpError::AuthRejected { .. }) => "auth_rejected",
            AskError::Up(UpError::NeedsLogin { .. }) => "needs_login",
            AskError::Up(UpError::ControlUntrusted { .. }) => "control_untrusted",
            AskError::LocalApi(LocalApiError::Timeout { .. }) | AskError::Up(UpError::Timeout { .. }) => {
                "timeout"
            }
            AskError::NoSuchCloud(_) | AskError::LocalApi(LocalApiError::Refused { status: 404, .. }) => {
                "not_found"
            }
            _ => "failed",
        };
        Failure { error: self.to_string(), code: code.to_owned() }
    }
}

impl Node {
    /// Why the node is not ready: it has not joined, or a required cloud is not reachable.
    #[must_use]
    pub fn not_ready(&self) -> Vec<String> {
        let backend = self.shared.state.borrow().as_ref().map(|state| state.backend);
        self.not_ready_in(backend.unwrap_or(BackendState::NoState))
    }

    fn not_ready_in(&self, backend: BackendState) -> Vec<String> {
        let mut reasons = Vec::new();
        let joined = matches!(*self.shared.joining.borrow(), Joining::Joined);
        if !joined || backend != BackendState::Running {
            let forgotten = self.shared.state.borrow().as_ref().is_some_and(|state| state.forgotten);
            let why = if forgotten { ": the control server no longer knows it" } else { "" };
            reasons.push(format!("the node is not in its tailnet ({backend:?}{why})"));
        }
        for cloud in self.clouds().iter().filter(|cloud| cloud.config().required) {
            let health = cloud.health();
            match health.reachable {
                Some(true) => {}
                Some(false) => {
                    reasons.push(format!("{}: {}", cloud.name(), health.error.unwrap_or_default()));
                }
                None => reasons.push(format!("{}: not looked at yet", cloud.name())),
            }
        }
        reasons
    }

    /// When the node's key expires.
    #[must_use]
    pub fn key_expiry(&self) -> Option<SystemTime> {
        self.shared.state.borrow().as_ref().and_then(|state| state.key_expiry)
    }

    /// The tailnet's newest state; `None` right after the start.
    #[must_use]
    pub fn state(&self) -> Option<tailnet::State> {
        self.shared.state.borrow().clone()
    }

    /// How the node and its clouds are. Cancel safe.
    ///
    /// # Errors
    /// Once the node is stopped.
    pub async fn status(&self) -> Result<Status, AskError> {
        let status = self.tailnet().status().await?;
        let state = self.state();
        let reasons = self.not_ready_in(status.backend_state);
        Ok(Status {
            version: crate::VERSION.to_owned(),
            pid: std::process::id(),
            state: format!("{:?}", status.backend_state),
            ready: reasons.is_empty(),
            reasons,
            login_url: state.as_ref().and_then(|s| s.login_url.clone()),
            health: status.health.clone(),
            key_expires: state.and_then(|s| s.key_expiry).map(seconds),
            exit_node: self.config().exit_node.as_ref().map(|exit| exit_node::report(&status, exit)),
            tailnet: status.magic_dns_suffix.clone(),
            this: peer(&status.this),
            // After a logout the backend still has one without a name.
            peers: status.peers().filter(|peer| !peer.ips.is_empty()).map(peer).collect(),
            clouds: self.clouds().iter().map(crate::Cloud::report).collect(),
        })
    }

    /// Looks at the cloud of that name now. Cancel safe.
    ///
    /// # Errors
    /// When there is none.
    pub async fn check(&self, name: &str) -> Result<crate::control::protocol::Cloud, AskError> {
        let cloud = self.cloud(name).ok_or_else(|| AskError::NoSuchCloud(name.to_owned()))?;
        cloud.check().await;
        Ok(cloud.report())
    }

    /// Asks a node of the tailnet for a sign of life, once. Cancel safe.
    ///
    /// # Errors
    /// When nobody has that name or address, or no answer came within five seconds.
    pub async fn ping(&self, request: &PingRequest) -> Result<Pong, AskError> {
        let kind = match request.kind.as_str() {
            "disco" => PingKind::Disco,
            "tsmp" => PingKind::Tsmp,
            "icmp" => PingKind::Icmp,
            other => return Err(AskError::NoSuchKind(other.to_owned())),
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
        let path = pong.path.as_ref().map(path_text).unwrap_or_default();
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
    async fn ip_of(&self, text: &str) -> Result<IpAddr, AskError> {
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

    /// Pings once more each second: a peer may not know a node yet that has just joined, and then says nothing.
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

    /// Brings the node (back) into its tailnet, and waits until it has joined.
    ///
    /// # Errors
    /// When it does not join within the configured time, or the key is refused.
    pub async fn bring_up(&self, request: &UpRequest) -> Result<Status, AskError> {
        let given = match &request.auth_key {
            Some(text) => {
                Some(text.parse().map_err(|e: tailnet::InvalidAuthKey| AskError::Invalid(e.to_string()))?)
            }
            None => None,
        };
        let backend = self.tailnet().watch().newest().await?.backend;
        let key = match (given, backend) {
            (None, BackendState::NeedsLogin) => match read_key(&self.config()).await? {
                Some(Key::Auth(key) | Key::ClientSecret(key)) => Some(key),
                Some(_) => return Err(AskError::Invalid(super::membership::ONLY_AT_THE_START.to_owned())),
                None => None,
            },
            (given, _) => given,
        };
        self.shared.logged_out.store(false, Ordering::Relaxed);
        match key {
            Some(key) => {
                self.tailnet().login(&key).await?;
            }
            None => {
                self.tailnet().edit_prefs(&PrefsEdit::new().want_running(true)).await?;
                self.tailnet().up().await?;
            }
        }
        self.shared.wake(|health| health.reachable != Some(true));
        self.status().await
    }

    /// Takes the node out of its tailnet until [`bring_up`](Node::bring_up); it keeps its identity.
    ///
    /// # Errors
    /// Once the node is stopped.
    pub async fn bring_down(&self) -> Result<Status, AskError> {
        self.tailnet().edit_prefs(&PrefsEdit::new().want_running(false)).await?;
        self.after(BackendState::Stopped).await
    }

    /// Takes the node out of its tailnet and forgets its identity.
    ///
    /// # Errors
    /// Once the node is stopped.
    pub async fn log_out(&self) -> Result<Status, AskError> {
        self.shared.logged_out.store(true, Ordering::Relaxed);
        self.tailnet().logout().await?;
        self.after(BackendState::NeedsLogin).await
    }

    /// The status once the node has come to a state.
    async fn after(&self, state: BackendState) -> Result<Status, AskError> {
        let mut watch = self.tailnet().watch();
        let reached = async {
            while watch.changed().await?.backend != state {}
            Ok::<_, StatusError>(())
        };
        // Where the state is slow to come, the status says which one it is.
        if let Ok(reached) = tokio::time::timeout(Duration::from_secs(5), reached).await {
            reached?;
        }
        self.status().await
    }

    /// What Tailscale counts of the node, in the text format of Prometheus.
    pub(crate) async fn tailscale_metrics(&self) -> String {
        self.tailnet().local_api(Method::GET, "/localapi/v0/usermetrics", "").await.unwrap_or_default()
    }
}

fn peer(peer: &tailnet::Peer) -> Peer {
    Peer {
        name: peer.short_name().to_owned(),
        dns_name: peer.dns_name.trim_end_matches('.').to_owned(),
        ips: peer.ips.clone(),
        online: peer.online,
        path: path_text(&peer.path()),
        routes: peer.routes().map(|route| route.to_string()).collect(),
        sent: peer.tx_bytes,
        received: peer.rx_bytes,
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or_else(|_| now(), |since| since.as_secs())
}
