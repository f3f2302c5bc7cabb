//! The node's status: whether it is ready, and how it and its clouds are.

use std::time::SystemTime;

use tailnet::BackendState;

use super::report::{Peer, Status};
use super::{AskError, Joining, Node, exit_node};
use crate::clock::now;
use crate::cloud::Cloud;
use crate::version::VERSION;

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
            reasons.push(format!("the node is not in its tailnet ({backend}{why})"));
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
            version: VERSION.to_owned(),
            pid: std::process::id(),
            state: status.backend_state,
            ready: reasons.is_empty(),
            reasons,
            login_url: state.as_ref().and_then(|s| s.login_url.clone()),
            health: status.health.clone(),
            key_expires: state.and_then(|s| s.key_expiry).map(seconds),
            exit_node: self.config().exit_node.as_ref().map(|exit| exit_node::report(&status, exit)),
            tailnet: status.magic_dns_suffix.clone(),
            page: self.page(&status.this),
            this: peer(&status.this),
            // After a logout the backend still lists one peer, without name or address.
            peers: status.peers().filter(|peer| !peer.ips.is_empty()).map(peer).collect(),
            clouds: self.clouds().iter().map(Cloud::report).collect(),
        })
    }
}

impl Node {
    /// The address of the page. By plain HTTP where it listens for that too, as HTTPS takes a certificate that may not be there.
    fn page(&self, this: &tailnet::Peer) -> Option<String> {
        let config = self.config();
        let tailnet = config.tailnet.as_ref()?;
        let (scheme, port, usual) = match (tailnet.listen, tailnet.tls) {
            (Some(port), _) => ("http", port, 80),
            (None, Some(port)) => ("https", port, 443),
            (None, None) => return None,
        };
        let host = Some(this.dns_name.trim_end_matches('.')).filter(|name| !name.is_empty())?;
        let port = if port == usual { String::new() } else { format!(":{port}") };
        Some(format!("{scheme}://{host}{port}/"))
    }
}

fn peer(peer: &tailnet::Peer) -> Peer {
    Peer {
        name: peer.short_name().to_owned(),
        dns_name: peer.dns_name.trim_end_matches('.').to_owned(),
        ips: peer.ips.clone(),
        online: peer.online,
        path: peer.path().into(),
        routes: peer.routes().map(|route| route.to_string()).collect(),
        sent: peer.tx_bytes,
        received: peer.rx_bytes,
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or_else(|_| now(), |since| since.as_secs())
}
