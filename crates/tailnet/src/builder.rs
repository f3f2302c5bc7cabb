//! The options of a node, and its start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use serde::Serialize;
use tracing::Instrument;

use crate::{AuthKey, StateStore, Tailnet, UpError, log};

/// The settings of a node to start, from [`Tailnet::builder`].
///
/// A [`state_dir`](Self::state_dir), a [`state_store`](Self::state_store) or [`ephemeral`](Self::ephemeral) is needed, so that a program
/// does not leave another node behind in the tailnet at each start.
#[derive(Clone)]
#[must_use = "a builder does nothing until `up` or `start`"]
pub struct TailnetBuilder {
    hostname: Option<String>,
    auth_key: Option<AuthKey>,
    client_secret: Option<AuthKey>,
    workload_identity: Option<(String, AuthKey)>,
    control_url: Option<Uri>,
    state_dir: Option<PathBuf>,
    pub(crate) state_store: Option<Arc<dyn StateStore>>,
    ephemeral: bool,
    tags: Vec<String>,
    port: u16,
    port_mapping: bool,
    own_proxies: Vec<SocketAddr>,
    accept_routes: bool,
    pub(crate) join_timeout: Duration,
    pub(crate) connect_timeout: Duration,
}

impl TailnetBuilder {
    pub(crate) fn new() -> TailnetBuilder {
        TailnetBuilder {
            hostname: None,
            auth_key: None,
            client_secret: None,
            workload_identity: None,
            control_url: None,
            state_dir: None,
            state_store: None,
            ephemeral: false,
            tags: Vec::new(),
            port: 0,
            port_mapping: true,
            own_proxies: Vec::new(),
            accept_routes: false,
            join_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(30),
        }
    }

    /// The name the node asks for. Default: the program's name.
    pub fn hostname(mut self, name: impl Into<String>) -> Self {
        self.hostname = Some(name.into());
        self
    }

    /// The key that lets the node in. It is not used when the state folder holds an identity already. Default: the
    /// environment's `TS_AUTHKEY` or `TS_AUTH_KEY`, as for every program with tsnet.
    pub fn auth_key(mut self, key: AuthKey) -> Self {
        self.auth_key = Some(key);
        self
    }

    /// An OAuth client secret (`tskey-client-…`), with which the node makes itself a key unless it has an identity
    /// already. It needs [`tags`](Self::tags), and takes the attributes of the `tailscale` command:
    /// `?ephemeral=…&preauthorized=…&baseURL=…`. Without the first, the key is for a node as [`ephemeral`](Self::ephemeral) says.
    /// Default, when there is no key either: the environment's `TS_CLIENT_SECRET`.
    pub fn client_secret(mut self, secret: AuthKey) -> Self {
        self.client_secret = Some(secret);
        self
    }

    /// A workload identity: the OAuth client that the tailnet has for it, and the token by which the workload's own
    /// provider (a cloud, a CI system) vouches for it. It needs [`tags`](Self::tags), and is not used when the node has an
    /// identity already. The client takes attributes: `?ephemeral=…&preauthorized=…`. Without the first, the key is for a
    /// node as [`ephemeral`](Self::ephemeral) says.
    pub fn workload_identity(mut self, client_id: impl Into<String>, id_token: AuthKey) -> Self {
        self.workload_identity = Some((client_id.into(), id_token));
        self
    }

    /// The control server. Default: the environment's `TS_CONTROL_URL`, else Tailscale's.
    pub fn control_url(mut self, url: Uri) -> Self {
        self.control_url = Some(url);
        self
    }

    /// Where the node keeps its identity. The folder is made if need be, and is locked while the node is open. A start
    /// waits, for 20 seconds at the most, for a node of this process that is closing, as after a drop; a folder that
    /// another process has, or a node that stays, is refused at once.
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// A place of the program's own for the node's identity, instead of a [`state_dir`](Self::state_dir).
    pub fn state_store(mut self, store: impl StateStore) -> Self {
        self.state_store = Some(Arc::new(store));
        self
    }

    /// Whether the control server forgets the node soon after it has gone. Without a
    /// [`state_dir`](Self::state_dir) its identity is then kept in memory only. With headscale the auth key decides what
    /// the server does: it has to be made as an ephemeral one, too.
    pub fn ephemeral(mut self, ephemeral: bool) -> Self {
        self.ephemeral = ephemeral;
        self
    }

    /// The ACL tags the node asks for, each `tag:name`.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// The UDP port for WireGuard. Default: any.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Whether to ask the network's gateway for a port (NAT-PMP, PCP, UPnP), which makes more direct
    /// paths. Default: yes. No switches it off for every node of the process.
    pub fn port_mapping(mut self, enabled: bool) -> Self {
        self.port_mapping = enabled;
        self
    }

    /// Where this process itself serves proxies into the tailnet (`Tailnet::serve_socks5`,
    /// `Tailnet::serve_http_proxy`), for programs that are told of them by `HTTP_PROXY`, `HTTPS_PROXY` or `ALL_PROXY`.
    /// The node's own connections to the control server and the relays heed these variables, too, and would never get out
    /// by a proxy that needs the node: a variable that names one of these addresses is left out. That holds for every node
    /// of the process, from the first start with it on.
    pub fn own_proxies(mut self, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.own_proxies = addresses.into_iter().collect();
        self
    }

    /// Whether to use the subnet routes that other nodes offer, as `tailscale up --accept-routes` does.
    /// Default: no, and then an address behind one is not in the tailnet.
    pub fn accept_routes(mut self, accept: bool) -> Self {
        self.accept_routes = accept;
        self
    }

    /// How long [`up`](Self::up) may take. Default: a minute.
    pub fn join_timeout(mut self, timeout: Duration) -> Self {
        self.join_timeout = timeout;
        self
    }

    /// How long [`Tailnet::connect`] may take. Default: 30 seconds.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Starts the node and waits until it has joined its tailnet.
    ///
    /// Cancel safe: dropping the future closes the node in the background.
    ///
    /// # Errors
    /// Says why it did not join within the [`join_timeout`](Self::join_timeout). The node is closed then.
    pub async fn up(self) -> Result<Tailnet, UpError> {
        let span = log::up_span(self.name());
        let joined = async {
            let tailnet = self.start().await?;
            if let Err(error) = tailnet.join().await {
                // So that the state folder is free for the next try.
                if let Err(timeout) = tailnet.close().await {
                    tracing::warn!("{timeout}");
                }
                return Err(error);
            }
            Ok(tailnet)
        };
        joined.instrument(span).await
    }

    /// Starts the node, which joins in the background: [`Tailnet::up`] waits for that and
    /// [`Tailnet::watch`] follows it.
    ///
    /// # Errors
    /// When the configuration or the state folder is unusable.
    pub async fn start(self) -> Result<Tailnet, UpError> {
        Tailnet::start(self).await
    }

    /// The node's name in log lines.
    pub(crate) fn name(&self) -> &str {
        self.hostname.as_deref().unwrap_or_default()
    }

    /// The configuration as `tailscale_configure` takes it. It holds the key: not for printing.
    pub(crate) fn to_json(&self) -> Result<String, UpError> {
        let invalid = |message: &str| UpError::Config { message: message.to_owned() };
        let state_dir = self.state_dir.as_deref().map(|path| {
            path.to_str()
                .filter(|p| !p.is_empty())
                .ok_or_else(|| invalid("the state folder's path is empty or not UTF-8"))
        });
        let config = Config {
            hostname: self.hostname.as_deref().unwrap_or_default(),
            auth_key: self.auth_key.as_ref().map_or("", AuthKey::reveal),
            client_secret: self.client_secret.as_ref().map_or("", AuthKey::reveal),
            client_id: self.workload_identity.as_ref().map_or("", |(client, _)| client),
            id_token: self.workload_identity.as_ref().map_or("", |(_, token)| token.reveal()),
            control_url: self
                .control_url
                .as_ref()
                .map(|url| url.to_string().trim_end_matches('/').to_owned())
                .unwrap_or_default(),
            state_dir: state_dir.transpose()?.unwrap_or_default(),
            ephemeral: self.ephemeral,
            tags: &self.tags,
            port: self.port,
            port_mapping: self.port_mapping,
            own_proxies: &self.own_proxies,
            accept_routes: self.accept_routes,
        };
        serde_json::to_string(&config).map_err(|e| invalid(&e.to_string()))
    }
}

impl fmt::Debug for TailnetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TailnetBuilder")
            .field("hostname", &self.hostname)
            .field("control_url", &self.control_url)
            .field("state_dir", &self.state_dir)
            .field("ephemeral", &self.ephemeral)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// The keys of `tailscale_configure`.
#[derive(Serialize)]
struct Config<'a> {
    hostname: &'a str,
    auth_key: &'a str,
    client_secret: &'a str,
    client_id: &'a str,
    id_token: &'a str,
    control_url: String,
    state_dir: &'a str,
    ephemeral: bool,
    tags: &'a [String],
    port: u16,
    port_mapping: bool,
    own_proxies: &'a [SocketAddr],
    accept_routes: bool,
}
