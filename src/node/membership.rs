//! The node's place in its tailnet: joining, staying, and coming back by itself.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tailnet::{BackendState, State, Tailnet, UpError};
use tracing::{info, warn};

use super::{Joining, NodeError, Shared, blocking, exit_node, expiry};
use crate::api::Health;
use crate::config::{Config, Key};

/// How often a key's file is looked at, while a new key is needed.
const KEY_LOOK: Duration = Duration::from_secs(2);

/// A new key is made by a node that starts without an identity.
pub(super) const ONLY_AT_THE_START: &str = "an OAuth client or a workload identity lets a node in that has no identity yet: give it an auth key (kolaboree-node up --key-from FILE), or log it out and restart the service";

/// Starts the node in the tailnet, which then joins in the background.
pub(super) async fn begin(config: &Config, key: Option<&Key>) -> Result<Tailnet, NodeError> {
    let mut node = Tailnet::builder()
        .hostname(&config.hostname)
        .state_dir(&config.state_dir)
        .tags(&config.tags)
        .accept_routes(config.accept_routes)
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
    tokio::join!(join, follow, follow_exit_node, warn_of_expiry);
}

/// Waits until the node has joined, or until it is sure that it will not.
async fn join(tailnet: &Tailnet, config: &Config) -> Result<(), NodeError> {
    loop {
        let error = match tailnet.up().await {
            Ok(status) => {
                if !config.auth_once {
                    log_in_anew(tailnet, config).await?;
                }
                let ips: Vec<String> = status.ips.iter().map(ToString::to_string).collect();
                info!("Tailscale connected successfully: {}", ips.join(" "));
                return Ok(());
            }
            Err(error) => error,
        };
        match error {
            UpError::NeedsLogin { url } => {
                warn!("the node needs a login: open {url}, or give it a key (TAILSCALE_AUTH_KEY)");
            }
            UpError::NeedsApproval => {
                warn!("the node waits for an administrator's approval (Tailscale's admin console, Machines)");
            }
            UpError::ControlUnreachable { .. } | UpError::Timeout { .. } | UpError::KeyExpired { .. } => {
                warn!("not joined yet: {error}; trying on");
            }
            error => return Err(NodeError::Join(error)),
        }
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

/// TS_AUTH_ONCE=false: each start logs in.
async fn log_in_anew(tailnet: &Tailnet, config: &Config) -> Result<(), NodeError> {
    match super::read_key(config).await? {
        Some(Key::Auth(key)) => tailnet.login(&key).await.map(drop).map_err(NodeError::Join),
        Some(_) => {
            warn!("TS_AUTH_ONCE=false has no effect: only an auth key can be used again");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Keeps the newest state, says what changes, and logs in again where a key allows it.
async fn follow(shared: Weak<Shared>, tailnet: Tailnet) {
    let mut watch = tailnet.watch();
    let mut last = BackendState::NoState;
    let mut joined_once = false;
    let mut health: Vec<String> = Vec::new();
    let mut keys = Keys::default();
    let mut netmap = 0;
    let mut look = tokio::time::interval(KEY_LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let needs_key = last == BackendState::NeedsLogin && joined_once;
        let changed = tokio::select! {
            changed = watch.changed() => Some(changed),
            _ = look.tick(), if needs_key => None,
        };
        let Some(shared) = shared.upgrade() else { return };
        match changed {
            Some(Err(_)) => return,
            Some(Ok(state)) => {
                let down = matches!(
                    state.backend,
                    BackendState::Stopped | BackendState::NeedsLogin | BackendState::NeedsMachineAuth
                );
                if down && last == BackendState::Running {
                    shared.gate.shut();
                    shared.wake(|_| true);
                }
                if state.backend != last {
                    say(state.backend, joined_once, shared.logged_out.load(Ordering::Relaxed));
                    last = state.backend;
                }
                if state.health != health {
                    for line in state.health.iter().filter(|line| !health.contains(line)) {
                        tracing::debug!("Tailscale's health check: {line}");
                    }
                    health.clone_from(&state.health);
                }
                if state.backend == BackendState::Running {
                    joined_once = true;
                    keys = Keys::default();
                    if state.netmap != netmap {
                        netmap = state.netmap;
                        shared.wake(|health| health.reachable != Some(true));
                    }
                }
                shared.state.send_replace(Some(state));
            }
            None => {
                if !shared.logged_out.load(Ordering::Relaxed) {
                    let config = Arc::clone(&shared.config.read().unwrap_or_else(PoisonError::into_inner));
                    drop(shared);
                    keys.log_in(&tailnet, &config).await;
                }
            }
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
        let Key::Auth(auth) = &key else {
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

impl Shared {
    /// Has those clouds looked at now of which the newest look found that.
    pub(super) fn wake(&self, found: impl Fn(&Health) -> bool) {
        let clouds = self.clouds.read().unwrap_or_else(PoisonError::into_inner);
        for running in clouds.iter().filter(|running| found(&running.cloud.health())) {
            running.cloud.wake();
        }
    }
}
