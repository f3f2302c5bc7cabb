//! What an operation of a server says of its things.

use lxd_client::OperationState;
use serde_json::Value;

/// The last part of the first URL of these things, such as the name of an instance that the server chose.
pub(crate) fn name_of(operation: &OperationState, things: &str) -> Option<String> {
    let url = operation.resources.get(things)?.get(0).and_then(Value::as_str)?;
    let path = url.split('?').next()?;
    path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
}
