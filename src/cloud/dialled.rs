//! To which address a cloud's newest connection leads.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// The address, once there was a connection. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Dialled(Arc<Mutex<Option<IpAddr>>>);

impl Dialled {
    pub(super) fn get(&self) -> Option<IpAddr> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self, ip: IpAddr) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ip);
    }
}
