//! How long a cloud took to answer lately.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many probes are remembered.
const MOST: usize = 60;

/// What the newest probes took, in milliseconds; `None` for one that failed.
#[derive(Debug, Default)]
pub(super) struct Latencies(Mutex<VecDeque<Option<f64>>>);

impl Latencies {
    pub(super) fn add(&self, took: Option<f64>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() == MOST {
            all.pop_front();
        }
        all.push_back(took);
    }

    /// Oldest first.
    pub(super) fn all(&self) -> Vec<Option<f64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_in_order() {
        let latencies = Latencies::default();
        (0..MOST + 2).for_each(|number| latencies.add((number % 7 != 0).then_some(number as f64)));
        let all = latencies.all();
        assert_eq!((all.len(), all[0], all[5]), (MOST, Some(2.0), None));
        assert_eq!(all[MOST - 1], Some((MOST + 1) as f64));
    }
}
