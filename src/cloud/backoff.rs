//! How long to wait between probes.

use std::time::Duration;

/// The first pause after a failure.
const FIRST: Duration = Duration::from_secs(1);

/// The longest pause after failures, unless the cloud's own interval is longer.
const CEILING: Duration = Duration::from_secs(60);

/// Pauses that double with each failure, and are the cloud's interval after a success; each up to a fifth longer or shorter,
/// so that many nodes do not ask one server at the same moment.
#[derive(Debug)]
pub(crate) struct Backoff {
    interval: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(interval: Duration) -> Backoff {
        Backoff { interval, next: FIRST.min(interval) }
    }

    /// The pause after a probe.
    pub(crate) fn pause(&mut self, succeeded: bool) -> Duration {
        let pause = if succeeded {
            self.next = FIRST.min(self.interval);
            self.interval
        } else {
            let pause = self.next;
            self.next = (self.next * 2).min(CEILING.max(self.interval));
            pause
        };
        pause.mul_f64(0.8 + 0.4 * fastrand::f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_ceiling_and_start_anew_after_a_success() {
        let mut backoff = Backoff::new(Duration::from_secs(30));
        let near = |pause: Duration, seconds: f64| (0.79..1.21).contains(&(pause.as_secs_f64() / seconds));
        for seconds in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let pause = backoff.pause(false);
            assert!(near(pause, seconds), "{pause:?} for {seconds}");
        }
        assert!(near(backoff.pause(true), 30.0));
        assert!(near(backoff.pause(false), 1.0));
    }

    #[test]
    fn pauses_differ() {
        let mut backoff = Backoff::new(Duration::from_secs(30));
        let pauses: Vec<_> = (0..8).map(|_| backoff.pause(true)).collect();
        assert!(pauses.windows(2).any(|pair| pair[0] != pair[1]), "{pauses:?}");
    }
}
