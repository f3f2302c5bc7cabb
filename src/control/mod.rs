//! The control socket: its protocol, the client in the commands, the server in the node.

pub(crate) mod client;
pub mod protocol;
pub(crate) mod server;
