//! What requests are answered from, and how.

use axum::Json;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::names::AskedNames;
use super::protocol::{Failure, FailureCode};
use crate::access::Access;
use crate::inventory::Inventory;
use crate::node::{AskError, Node};

/// What the requests are answered from.
#[derive(Clone, Debug)]
pub(super) struct Served {
    pub(super) node: Node,
    pub(super) inventory: Inventory,
    pub(super) access: Access,
    pub(super) names: AskedNames,
}

impl FromRef<Served> for AskedNames {
    fn from_ref(served: &Served) -> AskedNames {
        served.names.clone()
    }
}

impl FromRef<Served> for Access {
    fn from_ref(served: &Served) -> Access {
        served.access.clone()
    }
}

impl FromRef<Served> for Node {
    fn from_ref(served: &Served) -> Node {
        served.node.clone()
    }
}

impl FromRef<Served> for Inventory {
    fn from_ref(served: &Served) -> Inventory {
        served.inventory.clone()
    }
}

/// An answer of the control socket.
pub(super) type Answer<T> = Result<Json<T>, Refusal>;

pub(super) struct Refusal(pub(super) StatusCode, pub(super) Failure);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(self.1)).into_response()
    }
}

impl From<AskError> for Refusal {
    fn from(error: AskError) -> Refusal {
        refusal(error.code(), error.to_string())
    }
}

/// The answer to a request that failed, with the HTTP status for its code.
pub(super) fn refusal(code: FailureCode, error: String) -> Refusal {
    let status = match code {
        FailureCode::Invalid => StatusCode::BAD_REQUEST,
        FailureCode::NotInTailnet => StatusCode::FORBIDDEN,
        FailureCode::NoSuchPeer | FailureCode::NoSuchHost | FailureCode::NotFound => StatusCode::NOT_FOUND,
        FailureCode::NotRunning => StatusCode::SERVICE_UNAVAILABLE,
        FailureCode::Timeout => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    Refusal(status, Failure { error, code })
}
