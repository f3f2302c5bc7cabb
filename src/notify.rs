//! Notifies systemd (sd_notify) when the service is ready, reloads and stops. Without systemd nothing happens.

use sd_notify::NotifyState;

/// A line for `systemctl status`.
pub(crate) fn status(text: &str) {
    notify(&[NotifyState::Status(text)]);
}

/// The node has joined its tailnet.
pub(crate) fn ready() {
    notify(&[NotifyState::Ready, NotifyState::Status("in the tailnet")]);
}

/// A reload starts; [`ready`] ends it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// The service is about to stop.
pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("cannot tell systemd: {error}");
    }
}
