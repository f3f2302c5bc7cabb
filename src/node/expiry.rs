//! Warns ahead of the time when the node's key expires.

use std::time::{Duration, SystemTime};

use tailnet::State;
use tokio::sync::watch;
use tracing::warn;

/// How many days before the expiry there is a warning.
const DAYS: [u32; 3] = [14, 3, 1];

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often the clock is read again: it may be set, and the machine may sleep.
const CHECK: Duration = Duration::from_secs(10 * 60);

/// Warns once at each of these days, for as long as the node lives.
pub(super) async fn watch(mut state: watch::Receiver<Option<State>>) {
    let mut warned: Option<(SystemTime, u32)> = None;
    loop {
        let expiry = state.borrow_and_update().as_ref().filter(|s| !s.expired).and_then(|s| s.key_expiry);
        if let Some(expiry) = expiry {
            let left = expiry.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
            // A renewed key has warnings of its own.
            let before = warned.filter(|(of, _)| *of == expiry).map(|(_, days)| days);
            if let Some(days) = due(left, before) {
                warn!("{}", text(left));
                warned = Some((expiry, days));
            }
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(CHECK) => {}
        }
    }
}

/// The number of days whose warning is due and was not logged yet.
fn due(left: Duration, warned: Option<u32>) -> Option<u32> {
    let passed = DAYS.into_iter().filter(|days| left <= DAY * *days).min()?;
    warned.is_none_or(|warned| passed < warned).then_some(passed)
}

fn text(left: Duration) -> String {
    let hours = left.as_secs() / 3600;
    let left = if hours >= 48 { format!("{} days", hours / 24) } else { format!("{hours} hours") };
    format!(
        "the node's key expires in {left}: put a new auth key where the old one is, or disable key expiry for this \
         machine in Tailscale's admin console"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mark_is_warned_of_once_and_a_late_start_only_of_the_nearest() {
        let hours = |h: u32| Duration::from_secs(u64::from(h) * 3600);
        assert_eq!(due(hours(15 * 24), None), None);
        assert_eq!(due(hours(14 * 24), None), Some(14));
        assert_eq!(due(hours(13 * 24), Some(14)), None);
        assert_eq!(due(hours(3 * 24), Some(14)), Some(3));
        assert_eq!(due(hours(20), Some(3)), Some(1));
        assert_eq!(due(hours(1), Some(1)), None);
        assert_eq!(due(hours(1), None), Some(1));
        assert!(text(hours(72)).contains("3 days") && text(hours(20)).contains("20 hours"));
    }
}
