//! The ways that bytes can take from one server to another, and the choice among them.

use lxd_client::{Error, Route};
use serde::{Deserialize, Serialize};

use super::Place;

/// How the bytes of a copy between clouds are to travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = CopyMode)]
pub(crate) enum Mode {
    /// The first of the others that works, in their order.
    #[default]
    Auto,
    /// The target fetches them from the source.
    Pull,
    /// The source sends them to the target.
    Push,
    /// Through this node.
    Relay,
}

/// The way that a copy took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Way {
    /// The server's own copy, inside a cloud.
    Server,
    /// The target fetched it from the source.
    Pull,
    /// The source sent it to the target.
    Push,
    /// Through this node.
    Relay,
}

impl Way {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Way::Server => "server",
            Way::Pull => "pull",
            Way::Push => "push",
            Way::Relay => "relay",
        }
    }
}

/// A way that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    pub(crate) way: Way,
    pub(crate) why: String,
}

/// The ways to try, in their order, and those that need no try.
pub(in crate::actions) fn to_try(mode: Mode, from: &Place, to: &Place) -> (Vec<(Way, Route)>, Vec<Refused>) {
    let wanted: &[Way] = match mode {
        Mode::Auto => &[Way::Pull, Way::Push, Way::Relay],
        Mode::Pull => &[Way::Pull],
        Mode::Push => &[Way::Push],
        Mode::Relay => &[Way::Relay],
    };
    let (mut routes, mut refused) = (Vec::new(), Vec::new());
    for &way in wanted {
        let route = match way {
            Way::Pull => from.url.clone().map(Route::Pull),
            Way::Push => to.url.clone().map(Route::Push),
            Way::Relay | Way::Server => Ok(Route::Relay),
        };
        match route {
            Ok(route) => routes.push((way, route)),
            Err(why) => refused.push(Refused { way, why }),
        }
    }
    (routes, refused)
}

/// What servers say when one cannot reach the other, or is not let in. Nothing has been copied then.
const UNREACHED: [&str; 11] = [
    "Unable to connect to",
    "dial tcp",
    "connection refused",
    "i/o timeout",
    "no route to host",
    "network is unreachable",
    "Failed connecting to",
    "Failed to connect",
    "bad handshake",
    "x509:",
    "tls:",
];

/// Whether a server could not reach the other one, so that another way may work.
pub(in crate::actions) fn is_unreached(error: &Error) -> bool {
    // A source that is to push says it at once.
    let (Error::Operation { message, .. } | Error::Api { message, .. }) = error else { return false };
    UNREACHED.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_cannot_reach_the_other_is_told_from_a_copy_that_failed() {
        let failed =
            |message: &str| Error::Operation { id: String::new(), message: message.to_owned(), state: None };
        for (message, unreached) in [
            (
                "Error transferring instance data: Unable to connect to: 100.64.0.1:8443 ([dial tcp 100.64.0.1:8443: connect: connection refused])",
                true,
            ),
            ("Failed getting migration source: dial tcp 100.64.0.1:8443: i/o timeout", true),
            ("Rsync receive failed: write failed: No space left on device (28)", false),
            ("websocket: close 1006 (abnormal closure): unexpected EOF", false),
        ] {
            assert_eq!(is_unreached(&failed(message)), unreached, "{message}");
        }
        assert!(!is_unreached(&Error::OperationLost { id: String::new() }));
    }
}
