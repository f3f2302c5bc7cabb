//! Counts the requests and connections that come to the node on this machine.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How many requests and connections there were, by target and outcome.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<BTreeMap<(String, &'static str), u64>>);

impl Requests {
    /// Counts one.
    pub(crate) fn count(&self, target: &str, outcome: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((target.to_owned(), outcome)).or_default() += 1;
    }

    /// All counts.
    pub(crate) fn all(&self) -> BTreeMap<(String, &'static str), u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
