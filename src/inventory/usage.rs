//! What instances have used during the last hour, at a coarse step, in little memory.

use std::collections::VecDeque;

use super::row::InstanceUsage;

/// From one sample to the next, in seconds.
const STEP: u64 = 120;

/// As many as an hour has, and the newest.
const SAMPLES: usize = 31;

/// The usage of one instance during the last hour.
#[derive(Debug, Default)]
pub(super) struct Ring(VecDeque<Sample>);

/// [`InstanceUsage`] without its addresses, in 40 bytes.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: u32,
    processes: u32,
    /// In hundredths of a second.
    cpu: u32,
    memory_kib: u32,
    received: u64,
    sent: u64,
    disk_kib: u32,
}

impl Ring {
    /// Adds a sample, unless the newest one is too new.
    pub(super) fn add(&mut self, usage: &InstanceUsage) {
        if self.0.back().is_some_and(|newest| usage.at < u64::from(newest.at) + STEP) {
            return;
        }
        if self.0.len() == SAMPLES {
            self.0.pop_front();
        }
        if self.0.len() == self.0.capacity() {
            self.0.reserve_exact((SAMPLES - self.0.len()).min(8)); // doubling would take twice what is needed
        }
        self.0.push_back(Sample::of(usage));
    }

    /// The samples, oldest first.
    pub(super) fn samples(&self) -> Vec<InstanceUsage> {
        self.0.iter().map(|sample| sample.usage()).collect()
    }
}

impl Sample {
    fn of(usage: &InstanceUsage) -> Sample {
        let narrow = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Sample {
            at: narrow(usage.at),
            processes: u32::try_from(usage.processes).unwrap_or_default(),
            cpu: (usage.cpu_seconds * 100.0) as u32, // saturates after 497 days of one processor
            memory_kib: narrow(usage.memory / 1024),
            received: usage.received,
            sent: usage.sent,
            disk_kib: narrow(usage.disk / 1024),
        }
    }

    fn usage(self) -> InstanceUsage {
        InstanceUsage {
            at: u64::from(self.at),
            addresses: Vec::new(),
            pid: 0,
            processes: i64::from(self.processes),
            cpu_seconds: f64::from(self.cpu) / 100.0,
            memory: u64::from(self.memory_kib) * 1024,
            disk: u64::from(self.disk_kib) * 1024,
            received: self.received,
            sent: self.sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_kept_at_a_coarse_step() {
        let mut ring = Ring::default();
        for minute in 0..600 {
            let usage = InstanceUsage {
                at: 1_000_000 + minute * 20,
                cpu_seconds: minute as f64 / 10.0,
                memory: 1 << 20,
                received: 5,
                ..InstanceUsage::default()
            };
            ring.add(&usage);
        }
        let samples = ring.samples();
        assert_eq!(samples.len(), SAMPLES);
        assert!(samples.windows(2).all(|pair| pair[1].at == pair[0].at + STEP));
        assert_eq!(samples.last().map(|s| (s.memory, s.received)), Some((1 << 20, 5)));
        assert!(ring.0.capacity() <= SAMPLES + 1, "{}", ring.0.capacity());
    }
}
