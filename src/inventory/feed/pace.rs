//! How many requests a feed makes when nothing happens.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// No more than this many requests in any minute.
const REQUESTS: usize = 5;

/// A minute as it is kept here: a second longer, as one request may take longer to its server than a later one.
const MINUTE: Duration = Duration::from_secs(61);

/// The requests of the last minute.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Instant>);

impl Pace {
    /// How many requests may be made now.
    pub(super) fn free(&mut self, now: Instant) -> usize {
        while self.0.front().is_some_and(|sent| now - *sent >= MINUTE) {
            self.0.pop_front();
        }
        REQUESTS.saturating_sub(self.0.len())
    }

    /// A request is made.
    pub(super) fn spend(&mut self, now: Instant) {
        self.0.push_back(now);
    }

    /// When one more than that many may be made.
    pub(super) fn next_free(&self, reserved: usize, now: Instant) -> Instant {
        let most = REQUESTS - reserved.min(REQUESTS - 1);
        match self.0.len().checked_sub(most) {
            Some(over) => self.0.get(over).map_or(now, |sent| *sent + MINUTE),
            None => now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_minute_has_more_requests_than_it_may() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut sent = Vec::new();
        for second in 0..610 {
            let now = start + Duration::from_secs(second);
            if pace.free(now) > 0 {
                assert!(pace.next_free(0, now) <= now);
                pace.spend(now);
                sent.push(now);
            } else {
                assert!(pace.next_free(0, now) > now);
            }
        }
        for from in &sent {
            let within = sent.iter().filter(|at| *at >= from && **at - *from < MINUTE).count();
            assert!(within <= REQUESTS);
        }
        assert!(sent.len() >= 10 * REQUESTS);
    }
}
