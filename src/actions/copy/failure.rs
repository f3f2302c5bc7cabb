//! Why a copy between clouds failed, in clearer words than the servers': of a full disk and of a lost connection each knows
//! only what it has seen itself.

use indicatif::HumanBytes;
use lxd_client::Error;

use super::Place;
use crate::actions::ActionError;

/// What servers say whose connection to the other one is gone.
const LOST: [&str; 6] = [
    "connection timed out",
    "abnormal closure",
    "connection reset by peer",
    "no route to host",
    "use of closed network connection",
    "unexpected EOF",
];

/// The error with what is behind it. `pool` is that of the copy, and `needs` how many bytes the copy needs, if that can be
/// known.
pub(super) async fn explain(
    error: ActionError,
    from: &Place,
    to: &Place,
    pool: Option<&str>,
    needs: impl Future<Output = Option<u64>>,
) -> ActionError {
    match error {
        ActionError::HalfDone { error, left } => match *error {
            ActionError::Cloud(error) => {
                let error = Box::new(ActionError::Cloud(told(error, from, to, pool, needs).await));
                ActionError::HalfDone { error, left }
            }
            error => ActionError::HalfDone { error: Box::new(error), left },
        },
        ActionError::Cloud(error) => ActionError::Cloud(told(error, from, to, pool, needs).await),
        error => error,
    }
}

async fn told(
    error: Error,
    from: &Place,
    to: &Place,
    pool: Option<&str>,
    needs: impl Future<Output = Option<u64>>,
) -> Error {
    let Error::Operation { id, message, state } = error else { return error };
    let said = message.lines().map(str::trim).filter(|line| line.len() > 1).collect::<Vec<_>>().join("; ");
    let message = match cause(&message) {
        Cause::Full => format!("no space left on device at {}: {said}", to.cloud),
        Cause::NotWritten => format!("{}: {said}", not_written(to, pool, needs.await).await),
        Cause::Lost => {
            format!("the connection between {} and {} was lost: {said}", from.cloud, to.cloud)
        }
        Cause::Other => message,
    };
    Error::Operation { id, message, state }
}

#[derive(Debug, PartialEq, Eq)]
enum Cause {
    Full,
    /// The target could not write, and only the source had a word to say.
    NotWritten,
    Lost,
    Other,
}

fn cause(message: &str) -> Cause {
    if message.contains("No space left on device") {
        Cause::Full
    // The sending rsync passes on the receiving one's exit status 11, an error in file I/O.
    } else if message.contains("Rsync send failed") && message.contains("exit status 11") {
        Cause::NotWritten
    } else if LOST.iter().any(|words| message.contains(words)) {
        Cause::Lost
    } else {
        Cause::Other
    }
}

/// The target has removed the copy by now: what is free is what was free.
async fn not_written(to: &Place, pool: Option<&str>, needs: Option<u64>) -> String {
    let likely = format!("{} could not write all of it, most likely for no space left on device", to.cloud);
    let Some(pool) = pool else { return likely };
    let Ok(resources) = to.client.storage_pool(pool).resources().await else { return likely };
    let free = resources.space.total.saturating_sub(resources.space.used);
    match needs {
        Some(needs) if needs > free => format!(
            "no space left on device at {}: the copy needs {}, and the pool {pool} has {} free",
            to.cloud,
            HumanBytes(needs),
            HumanBytes(free)
        ),
        _ => format!("{likely}: the pool {pool} has {} free", HumanBytes(free)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_lost_connection() {
        for (message, expected) in [
            (
                "Rsync send failed: web: [exit status 11 read unix @: use of closed network connection] (rsync: [sender] write error: Broken pipe (32)\n)",
                Cause::NotWritten,
            ),
            (
                "Rsync receive failed: [exit status 11] (rsync: [receiver] write failed: No space left on device (28)",
                Cause::Full,
            ),
            (
                "Error transferring instance data: Got error reading migration source: read tcp 100.64.0.3:38286->100.64.0.3:8443: read: connection timed out",
                Cause::Lost,
            ),
            (
                "Got error reading migration source: websocket: close 1006 (abnormal closure): unexpected EOF",
                Cause::Lost,
            ),
            ("Failed creating instance on target: Storage volume exists already", Cause::Other),
        ] {
            assert_eq!(cause(message), expected, "{message}");
        }
    }
}
