//! The kinds of failures, for programs.

use serde::{Deserialize, Serialize};
use tailnet::ConnectError;

/// What kind of failure it was; in JSON as `not_running`, `no_such_peer` and so on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FailureCode {
    /// The node is not in its tailnet.
    NotRunning,
    /// The address is not in the tailnet.
    NotInTailnet,
    /// The tailnet has no node with that name or address.
    NoSuchPeer,
    /// No DNS server of the tailnet has the name.
    NoSuchHost,
    /// There is no such thing otherwise.
    NotFound,
    /// The request, the key or the configuration makes no sense.
    Invalid,
    /// The control server refused the key.
    AuthRejected,
    /// The node needs a login.
    NeedsLogin,
    /// The node waits for an administrator's approval.
    NeedsApproval,
    /// The node's key has expired.
    KeyExpired,
    /// The control server does not answer.
    ControlUnreachable,
    /// The control server's certificate is not trusted.
    ControlUntrusted,
    /// Nothing listens on the port.
    Refused,
    /// The peer, or a DNS server of the tailnet, is not reached.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// Anything else.
    Failed,
    /// A kind that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl From<&ConnectError> for FailureCode {
    fn from(error: &ConnectError) -> FailureCode {
        match error {
            ConnectError::InvalidAddress(_) => FailureCode::Invalid,
            ConnectError::NotInTailnet { .. } => FailureCode::NotInTailnet,
            ConnectError::NoSuchHost { .. } => FailureCode::NoSuchHost,
            ConnectError::Refused { .. } => FailureCode::Refused,
            ConnectError::Timeout { .. } => FailureCode::Timeout,
            ConnectError::NotRunning { .. } | ConnectError::Closed { .. } => FailureCode::NotRunning,
            _ => FailureCode::Unreachable,
        }
    }
}
