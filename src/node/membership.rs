//! The node's place in its tailnet: joining, staying, and coming back by itself.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tailnet::{BackendState, State, Tailnet, UpError};
use tokio::sync::watch;
use tracing::{info, warn};

use super::identity::read_key;
use super::{Joining, NodeError, Shared, blocking, exit_node, expiry};
use crate::config::{Config, Key};

/// How often a key's file is looked at, while a new key is needed.
const KEY_LOOK: Duration = Duration::from_secs(2);

/// How long after a try to join that failed the next one begins, at the least.
const JOIN_PAUSE: Duration = Duration::from_secs(1);

/// A workload's token makes a key for a node that starts without an identity.
pub(super) const ONLY_AT_THE_START: &str = "a workload identity lets a node in that has no identity yet: give it an auth key (kolaboree-node up --key-from FILE), or log it out and restart the service";

/// Starts the node in the tailnet, which then joins in the background.
pub(super) async fn begin(config: &Config, key: Option<&Key>) -> Result<Tailnet, NodeError> {
    let mut node = Tailnet::builder()
        .hostname(&config.hostname)
        .state_dir(&config.state_dir)
        .tags(&config.tags)
        .accept_routes(config.accept_routes)
        .own_proxies(config.socks5.into_iter().chain(config.http_proxy))
        .ephemeral(config.ephemeral)
        .connect_timeout(config.connect_timeout)
        .join_timeout(config.join_timeout);
    if std::env::var_os("TS_DISABLE_PORTMAPPER").is_some() {
        node = node.port_mapping(false);
    }
    if let Some(url) = &config.control_url {
        node = node.control_url(url.clone());
    }
    node = match key {
        Some(Key::Auth(key)) => node.auth_key(key.clone()),
        Some(Key::ClientSecret(secret)) => node.client_secret(secret.clone()),
        Some(Key::Workload { client_id, id_token }) => node.workload_identity(client_id, id_token.clone()),
        None => node,
    };
    info!("Authenticating with Tailscale");
    let node = node.start().await.map_err(NodeError::Join)?;
    if let Err(error) = exit_node::choose(&node, config.exit_node.as_ref()).await {
        super::close(&node).await;
        return Err(NodeError::ExitNode(error));
    }
    Ok(node)
}

/// Joins, and then follows the node's state for as long as it lives.
pub(super) async fn keep(shared: Weak<Shared>, tailnet: Tailnet) {
    let Some(strong) = shared.upgrade() else { return };
    let follow = follow(Weak::clone(&shared), tailnet.clone());
    let come_back = come_back(Weak::clone(&shared), tailnet.clone(), strong.state.subscribe());
    let follow_exit_node = exit_node::follow(Weak::clone(&shared), tailnet.clone(), strong.state.subscribe());
    let warn_of_expiry = expiry::watch(strong.state.subscribe());
    let config = Arc::clone(&strong.config.read().unwrap_or_else(PoisonError::into_inner));
    drop(strong);
    let join = async {
        let outcome = join(&tailnet, &config).await;
        let Some(shared) = shared.upgrade() else { return };
        shared.joining.send_replace(match outcome {
            Ok(()) => Joining::Joined,
            Err(error) => Joining::Failed(Arc::new(error)),
        });
    };
    tokio::join!(join, follow, come_back, follow_exit_node, warn_of_expiry);
}

/// Waits until the node has joined, or until it is sure that it will not.
async fn join(tailnet: &Tailnet, config: &Config) -> Result<(), NodeError> {
    let mut said = String::new();
    loop {
        let error = match tailnet.up().await {
            Ok(status) => {
                if !config.auth_once {
                    log_in_anew(tailnet, config).await;
                }
                let ips: Vec<String> = status.ips.iter().map(ToString::to_string).collect();
                info!("Tailscale connected successfully: {}", ips.join(" "));
                return Ok(());
            }
            Err(error) => error,
        };
        let told = match error {
            UpError::NeedsLogin { url } => {
                format!("the node needs a login: open {url}, or give it a key (TAILSCALE_AUTH_KEY)")
            }
            UpError::NeedsApproval => {
                "the node waits for an administrator's approval (Tailscale's admin console, Machines)"
                    .to_owned()
            }
            // A captive portal is left behind and a certificate renewed, also while nobody looks after the service.
            UpError::ControlUntrusted { .. }
            | UpError::ControlUnreachable { .. }
            | UpError::Timeout { .. }
            | UpError::KeyExpired { .. } => {
                format!("not joined yet: {error}; trying on")
            }
            error => return Err(NodeError::Join(error)),
        };
        if said != told {
            warn!("{told}");
            said = told;
        }
        // Some errors come at once, and before the state says what they say.
        tokio::time::sleep(JOIN_PAUSE).await;
        if matches!(tailnet.watch().newest().await, Ok(state) if waits_for_people(&state)) {
            // It has said so at once; nothing changes before its state does.
            let mut watch = tailnet.watch();
            while let Ok(state) = watch.changed().await {
                if !waits_for_people(&state) {
                    break;
                }
            }
        }
    }
}

fn waits_for_people(state: &State) -> bool {
    matches!(state.backend, BackendState::NeedsLogin | BackendState::NeedsMachineAuth)
}

/// TS_AUTH_ONCE=false: each start logs in. A node that has joined is in its tailnet without that too.
async fn log_in_anew(tailnet: &Tailnet, config: &Config) {
    let goes_on = "; the node goes on with the identity that it has";
    match read_key(config).await {
        Ok(Some(Key::Auth(key) | Key::ClientSecret(key))) => {
            if let Err(error) = tailnet.login(&key).await {
                warn!(
                    "TS_AUTH_ONCE=false: cannot log in with the key of {}: {error}{goes_on}",
                    name_of(config)
                );
            }
        }
        Ok(Some(_)) => warn!("TS_AUTH_ONCE=false has no effect: a workload identity is used once"),
        Ok(None) => {}
        Err(error) => warn!("TS_AUTH_ONCE=false: {error}{goes_on}"),
    }
}

/// Keeps the newest state and says what changes.
async fn follow(shared: Weak<Shared>, tailnet: Tailnet) {
    let mut watch = tailnet.watch();
    let mut last = BackendState::NoState;
    let (mut joined_once, mut is_in, mut forgotten) = (false, false, false);
    let mut health: Vec<String> = Vec::new();
    let mut netmap_version = 0;
    while let Ok(state) = watch.changed().await {
        let Some(shared) = shared.upgrade() else { return };
        if state.forgotten && !forgotten {
            warn!(
                "the control server no longer knows this node, which was perhaps deleted in the admin console: no \
                 cloud can be reached until it is let in anew"
            );
        }
        forgotten = state.forgotten;
        let down = matches!(
            state.backend,
            BackendState::Stopped | BackendState::NeedsLogin | BackendState::NeedsMachineAuth
        );
        if down && is_in {
            is_in = false;
            shared.scope.end_connections();
            shared.wake(|_| true);
        }
        if state.backend != last {
            // Why a forgotten node needs a login has been said.
            if !(forgotten && state.backend == BackendState::NeedsLogin) {
                say(state.backend, joined_once, shared.logged_out.load(Ordering::Relaxed));
            }
            last = state.backend;
        }
        if state.health != health {
            for line in state.health.iter().filter(|line| !health.contains(line)) {
                tracing::debug!("Tailscale's health check: {line}");
            }
            health.clone_from(&state.health);
        }
        if state.backend == BackendState::Running {
            (joined_once, is_in) = (true, true);
            if state.netmap_version != netmap_version {
                netmap_version = state.netmap_version;
                shared.wake(|health| health.reachable != Some(true));
            }
        }
        shared.state.send_replace(Some(state));
    }
}

/// Logs a node in again that has joined once, where a key allows it.
async fn come_back(shared: Weak<Shared>, tailnet: Tailnet, mut state: watch::Receiver<Option<State>>) {
    let mut keys = Keys::default();
    let (mut joined_once, mut needs_key) = (false, false);
    let mut look = tokio::time::interval(KEY_LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            _ = look.tick(), if needs_key => {
                let Some(strong) = shared.upgrade() else { return };
                if !strong.logged_out.load(Ordering::Relaxed) {
                    let config = Arc::clone(&strong.config.read().unwrap_or_else(PoisonError::into_inner));
                    drop(strong);
                    keys.log_in(&tailnet, &config).await;
                }
            }
        }
        let backend = state.borrow_and_update().as_ref().map(|state| state.backend);
        if backend == Some(BackendState::Running) {
            joined_once = true;
            keys = Keys::default();
        }
        let needed = needs_key;
        needs_key = joined_once && backend == Some(BackendState::NeedsLogin);
        if needs_key && !needed {
            look.reset(); // the key of the start is used without this
        }
    }
}

fn say(backend: BackendState, joined_once: bool, by_command: bool) {
    match backend {
        BackendState::Running if joined_once => info!("connected to the tailnet again"),
        BackendState::NeedsLogin if joined_once && !by_command => {
            warn!(
                "the node's key has expired or was revoked: no cloud can be reached until there is a new auth key"
            );
        }
        BackendState::NeedsLogin if joined_once => warn!("the node was logged out: no cloud can be reached"),
        BackendState::Stopped if joined_once => warn!("the node is down: no cloud can be reached"),
        _ => {}
    }
}

/// The keys that were tried since the node last had joined.
#[derive(Default)]
struct Keys {
    refused: Vec<Key>,
    said: String,
}

impl Keys {
    /// Logs in with the key of this moment, once for each key.
    async fn log_in(&mut self, tailnet: &Tailnet, config: &Config) {
        let source = config.key.clone();
        let key = match blocking(move || source.read()).await {
            Ok(Some(key)) if !self.refused.contains(&key) => key,
            Ok(_) => return,
            Err(error) => return self.say(error.to_string()),
        };
        let (Key::Auth(auth) | Key::ClientSecret(auth)) = &key else {
            return self.say(ONLY_AT_THE_START.to_owned());
        };
        info!("logging in again with the key of {}", name_of(config));
        match tailnet.login(auth).await {
            Ok(_) => info!("logged in again"),
            Err(error @ UpError::AuthRejected { .. }) => {
                self.refused.push(key);
                self.say(format!("{error}; put a new key into {}", name_of(config)));
            }
            Err(error) => self.say(error.to_string()),
        }
    }

    /// Says what has not been said just before.
    fn say(&mut self, text: String) {
        if self.said != text {
            warn!("cannot log in again: {text}");
            self.said = text;
        }
    }
}

fn name_of(config: &Config) -> String {
    config.key.secret().map_or_else(|| "the configuration".to_owned(), crate::config::Secret::place)
}
