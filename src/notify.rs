//! What systemd is told (sd_notify): when the service is ready, reloads and stops. Nothing happens where nobody asks.

use sd_notify::NotifyState;

pub(crate) fn status(text: &str) {
    tell(&[NotifyState::Status(text)]);
}

pub(crate) fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("in the tailnet")]);
}

/// A reload begins; [`ready`] says that it is over.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("cannot tell systemd: {error}");
    }
}
