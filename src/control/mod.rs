//! The control socket: its protocol, the client and the connector in the commands, the server in the node.

mod access;
mod answer;
pub(crate) mod client;
pub(crate) mod connector;
mod fields;
mod inventory;
mod names;
pub mod protocol;
pub(crate) mod server;
