//! Files and sockets that have their permissions from the first moment, and come to their place whole.

mod file;
mod socket;

pub(crate) use file::{make_folder, replace, write_once};
pub use socket::{PrivateSocket, SocketFile};
