//! Logs the node in again when its key has expired or was revoked, as soon as there is a new auth key.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tailnet::{BackendState, State, Tailnet, UpError};
use tokio::sync::watch;
use tracing::{info, warn};

use super::Shared;
use super::identity::{key_place, read_key};
use crate::config::{Config, Key};

/// How often the key is read while a new one is needed.
const KEY_POLL: Duration = Duration::from_secs(2);

/// Why a workload identity cannot log a running node in again: its token makes a key for a node without an identity.
pub(super) const ONLY_AT_THE_START: &str = "a workload identity lets a node in that has no identity yet: give it an auth key (kolaboree-node up --key-from FILE), or log it out and restart the service";

/// Logs a node in again that has joined before, for as long as it lives.
pub(super) async fn watch(shared: Weak<Shared>, tailnet: Tailnet, mut state: watch::Receiver<Option<State>>) {
    let mut keys = Keys::default();
    let (mut joined_once, mut needs_key) = (false, false);
    let mut poll = tokio::time::interval(KEY_POLL);
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            _ = poll.tick(), if needs_key => {
                let Some(strong) = shared.upgrade() else { return };
                if !strong.logged_out.load(Ordering::Relaxed) {
                    let config = Arc::clone(&strong.config.borrow());
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
            poll.reset(); // the key of the start is used without this
        }
    }
}

/// The keys that were refused since the node was last in its tailnet.
#[derive(Default)]
struct Keys {
    refused: Vec<Key>,
    logged: String,
}

impl Keys {
    /// Logs in with the current key, unless it was refused before.
    async fn log_in(&mut self, tailnet: &Tailnet, config: &Config) {
        let key = match read_key(config).await {
            Ok(Some(key)) if !self.refused.contains(&key) => key,
            Ok(_) => return,
            Err(error) => return self.log(error.to_string()),
        };
        let (Key::Auth(auth) | Key::ClientSecret(auth)) = &key else {
            return self.log(ONLY_AT_THE_START.to_owned());
        };
        info!("logging in again with the key of {}", key_place(config));
        match tailnet.login(auth).await {
            Ok(_) => info!("logged in again"),
            Err(error @ UpError::AuthRejected { .. }) => {
                self.refused.push(key);
                self.log(format!("{error}; put a new key into {}", key_place(config)));
            }
            Err(error) => self.log(error.to_string()),
        }
    }

    /// Logs a failure, unless it is the same as the one before.
    fn log(&mut self, text: String) {
        if self.logged != text {
            warn!("cannot log in again: {text}");
            self.logged = text;
        }
    }
}
