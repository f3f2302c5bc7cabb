//! Servers that fall silent in the middle of a relayed copy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::{Client, Error, OperationState};

/// A server is asked after this part of the silence that ends a copy.
const PARTS: u32 = 3;

/// Ends when one of the servers has not answered for as long as its client lets a server be silent; with the error of the
/// last question.
pub(super) async fn of_either(servers: [(&Client, &str); 2], carried: &AtomicU64) -> Error {
    let [one, other] = servers.map(|(client, operation)| of(client, operation, carried));
    tokio::select! {
        error = one => error,
        error = other => error,
    }
}

/// While bytes are carried, both servers are there. When none are, one of them may be busy: it is asked for its operation.
async fn of(client: &Client, operation: &str, carried: &AtomicU64) -> Error {
    // On this machine the kernel reports a server that is gone.
    let Some(silence) = client.silence() else { return std::future::pending().await };
    let pause = silence / PARTS;
    let (mut heard, mut before) = (Instant::now(), 0);
    loop {
        tokio::time::sleep(pause).await;
        let now = carried.load(Ordering::Relaxed);
        if std::mem::replace(&mut before, now) != now {
            heard = Instant::now();
            continue;
        }
        let Err(error) = ask(client, operation, silence - pause).await else {
            heard = Instant::now();
            continue;
        };
        if heard.elapsed() >= silence {
            return error;
        }
    }
}

/// Fails when there is no answer; any will do.
async fn ask(client: &Client, operation: &str, within: Duration) -> Result<(), Error> {
    let asked = client.get(["operations", operation]).unscoped().timeout(within);
    match asked.fetch::<OperationState>().await {
        Err(error @ (Error::Connect { .. } | Error::Broken { .. } | Error::Timeout { .. })) => Err(error),
        _ => Ok(()),
    }
}
