//! How much one caller may have under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::api) enum Held {
    Connection,
    Request,
    Events,
    Transfer,
    Terminal,
}

impl Held {
    /// How many one caller may have at once.
    fn most(self) -> usize {
        match self {
            Held::Connection => 64,
            Held::Request => 128,
            Held::Events => 4,
            Held::Transfer | Held::Terminal => 16,
        }
    }

    /// Of what there are too many.
    pub(in crate::api) fn what(self) -> &'static str {
        match self {
            Held::Connection => "connections",
            Held::Request => "requests",
            Held::Events => "event streams",
            Held::Transfer => "transfers of files",
            Held::Terminal => "terminals",
        }
    }
}

type Counts = Mutex<HashMap<(Held, String), usize>>;

/// What each caller has under way. Clones share it.
#[derive(Clone, Debug, Default)]
pub(in crate::api) struct Limits(Arc<Counts>);

/// One thing under way. Dropping it ends the count.
#[derive(Debug)]
pub(in crate::api) struct Permit {
    counts: Arc<Counts>,
    key: (Held, String),
}

impl Limits {
    /// Counts one more, unless the caller has as many as one may have.
    pub(in crate::api) fn take(&self, held: Held, caller: &str) -> Option<Permit> {
        let key = (held, caller.to_owned());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key.clone()).or_default();
        if *count >= held.most() {
            return None;
        }
        *count += 1;
        Some(Permit { counts: Arc::clone(&self.0), key })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_a_number_of_its_own_and_nothing_stays_behind() {
        let limits = Limits::default();
        let held: Vec<Permit> = (0..4).map_while(|_| limits.take(Held::Events, "alice")).collect();
        assert_eq!(held.len(), 4);
        assert!(limits.take(Held::Events, "alice").is_none());
        assert!(limits.take(Held::Events, "bob").is_some() && limits.take(Held::Transfer, "alice").is_some());
        drop(held);
        assert!(limits.0.lock().unwrap().is_empty());
        assert!(limits.take(Held::Events, "alice").is_some());
    }
}
