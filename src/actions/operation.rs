//! What an operation of a server says of its things.

use lxd_client::OperationState;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// The name of the first of these things, such as that of an instance that the server chose: the last part of its URL.
pub(crate) fn name_of(operation: &OperationState, things: &str) -> Option<String> {
    let url = operation.resources.get(things)?.get(0).and_then(Value::as_str)?;
    let name = url.split('?').next()?.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(percent_decode_str(name).decode_utf8_lossy().into_owned())
}
