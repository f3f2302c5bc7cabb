//! Brings the node up and down, and logs it out, on request.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tailnet::{BackendState, PrefsEdit, StatusError};

use super::identity::read_key;
use super::report::Status;
use super::report::UpRequest;
use super::{AskError, Node};
use crate::config::Key;

impl Node {
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
                Some(_) => return Err(AskError::Invalid(super::relogin::ONLY_AT_THE_START.to_owned())),
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

    /// The status once the node is in that state.
    async fn after(&self, state: BackendState) -> Result<Status, AskError> {
        let mut watch = self.tailnet().watch();
        let reached = async {
            while watch.changed().await?.backend != state {}
            Ok::<_, StatusError>(())
        };
        // After a timeout the status shows the state that the node is in.
        if let Ok(reached) = tokio::time::timeout(Duration::from_secs(5), reached).await {
            reached?;
        }
        self.status().await
    }
}
