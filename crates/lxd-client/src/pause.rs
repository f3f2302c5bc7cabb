//! The pauses between attempts to reach a server.

use std::time::Duration;

/// Pauses that grow from 50 ms to 5 s. Each is up to half longer or shorter at random, so that many clients do not come
/// at once.
#[derive(Debug)]
pub(crate) struct Pause(Duration);

impl Pause {
    pub(crate) fn new() -> Pause {
        Pause(Duration::from_millis(50))
    }

    pub(crate) async fn next(&mut self) {
        tokio::time::sleep(self.0.mul_f64(0.5 + fastrand::f64())).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(5));
    }
}
