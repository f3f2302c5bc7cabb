//! The node's errors: why it did not start, and why it did not do what was asked.

use std::sync::Arc;

use lxd_client::IdentityError;
use tailnet::{BackendState, ConnectError, LocalApiError, StatusError, UpError};

use crate::cloud::CloudError;
use crate::config::KeyError;
use crate::failure_code::FailureCode;
use crate::listen::ServeError;

/// Why there is no node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The key that should let the node in cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The node did not join its tailnet, and trying on would not help.
    #[error("cannot join the tailnet: {0}")]
    Join(#[source] UpError),
    /// The exit node cannot be chosen, or one that an earlier start has chosen cannot be left.
    #[error("cannot choose the exit node: {0}")]
    ExitNode(#[source] AskError),
    /// The client certificate cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The client of a cloud cannot be made.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// Something cannot be served on this machine.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// The audit of what callers change cannot be written.
    #[error(transparent)]
    Audit(Box<dyn std::error::Error + Send + Sync>),
    /// The node was stopped meanwhile.
    #[error("the node was stopped")]
    Stopped,
    /// The error of a join for which several callers wait.
    #[error(transparent)]
    Shared(Arc<NodeError>),
}

impl NodeError {
    /// The error itself, where several callers share it.
    #[must_use]
    pub fn root(&self) -> &NodeError {
        match self {
            NodeError::Shared(error) => error.root(),
            error => error,
        }
    }
}

/// Why the node did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The node is not in its tailnet, whose nodes it does not know then.
    #[error("the node is not in its tailnet ({0})")]
    NotJoined(BackendState),
    /// Nobody of the tailnet has that name or address.
    #[error("the tailnet has no node with the name or address {0}")]
    NoSuchPeer(String),
    /// The configuration has no cloud of that name.
    #[error("no cloud is named {0:?}")]
    NoSuchCloud(String),
    /// No DNS server of the tailnet could look the name up.
    #[error("{0}")]
    NotLookedUp(String),
    /// The word for the kind of ping is not known.
    #[error("{0:?} is no kind of ping: it must be disco, tsmp or icmp")]
    NoSuchKind(String),
    /// The node gave no status.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// There is no connection to the address.
    #[error(transparent)]
    Connect(#[from] ConnectError),
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
    /// What kind of failure it is on the control socket.
    pub(crate) fn code(&self) -> FailureCode {
        match self {
            AskError::NotJoined(_) => FailureCode::NotRunning,
            AskError::NoSuchPeer(_) => FailureCode::NoSuchPeer,
            AskError::NotLookedUp(_) => FailureCode::Unreachable,
            AskError::NoSuchKind(_) | AskError::Invalid(_) | AskError::Key(_) => FailureCode::Invalid,
            AskError::Connect(error) => error.into(),
            AskError::Up(error) => match error {
                UpError::AuthRejected { .. } => FailureCode::AuthRejected,
                UpError::NeedsLogin { .. } => FailureCode::NeedsLogin,
                UpError::NeedsApproval => FailureCode::NeedsApproval,
                UpError::KeyExpired { .. } => FailureCode::KeyExpired,
                UpError::ControlUntrusted { .. } => FailureCode::ControlUntrusted,
                UpError::ControlUnreachable { .. } => FailureCode::ControlUnreachable,
                UpError::Timeout { .. } => FailureCode::Timeout,
                _ => FailureCode::Failed,
            },
            AskError::LocalApi(error) => match error {
                LocalApiError::Timeout { .. } => FailureCode::Timeout,
                LocalApiError::Refused { status: 404, .. } => FailureCode::NotFound,
                _ => FailureCode::Failed,
            },
            AskError::NoSuchCloud(_) => FailureCode::NotFound,
            AskError::Status(_) => FailureCode::Failed,
        }
    }
}
