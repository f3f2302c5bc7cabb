//! Joining the tailnet: tries again for as long as trying can help, and logs what a person has to do.

use std::time::Duration;

use tailnet::{BackendState, State, Tailnet, UpError};
use tracing::{info, warn};

use super::NodeError;
use super::identity::{key_place, read_key};
use crate::config::{Config, Key};

/// The shortest pause after a failed attempt to join.
const JOIN_PAUSE: Duration = Duration::from_secs(1);

/// Waits until the node has joined, or until an error shows that it cannot.
pub(super) async fn join(tailnet: &Tailnet, config: &Config) -> Result<(), NodeError> {
    let mut logged = String::new();
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
        let message = match error {
            UpError::NeedsLogin { url } => {
                format!("the node needs a login: open {url}, or give it a key (TAILSCALE_AUTH_KEY)")
            }
            UpError::NeedsApproval => {
                "the node waits for an administrator's approval (Tailscale's admin console, Machines)"
                    .to_owned()
            }
            // These may end by themselves: a captive portal is left behind, a certificate is renewed.
            UpError::ControlUntrusted { .. }
            | UpError::ControlUnreachable { .. }
            | UpError::Timeout { .. }
            | UpError::KeyExpired { .. } => {
                format!("not joined yet: {error}; trying on")
            }
            error => return Err(NodeError::Join(error)),
        };
        if logged != message {
            warn!("{message}");
            logged = message;
        }
        // Some errors come at once, before the state shows them.
        tokio::time::sleep(JOIN_PAUSE).await;
        if matches!(tailnet.watch().newest().await, Ok(state) if waits_for_people(&state)) {
            // Nothing changes before the state does.
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
                    key_place(config)
                );
            }
        }
        Ok(Some(_)) => warn!("TS_AUTH_ONCE=false has no effect: a workload identity is used once"),
        Ok(None) => {}
        Err(error) => warn!("TS_AUTH_ONCE=false: {error}{goes_on}"),
    }
}
