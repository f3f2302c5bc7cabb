use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::transport::NoConnection;
use crate::transport::tls::PinMismatch;
use crate::{Fingerprint, InvalidToken, OidcLogin, OperationState};

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a request to a server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client was given something that makes no sense.
    #[error("{message}")]
    Config {
        /// What.
        message: String,
    },
    /// There is no connection to the server. [`is_refused`](Error::is_refused) tells a port where nothing
    /// listens from a server that cannot be reached.
    #[error("cannot connect to {server}")]
    Connect {
        /// Which server.
        server: String,
        /// What the connector or TLS said.
        source: BoxError,
    },
    /// The server is not the one that was pinned: another machine, or a new certificate.
    #[error("the server's certificate has the fingerprint {actual}, not {expected}")]
    WrongFingerprint {
        /// The pin.
        expected: Fingerprint,
        /// What the server showed.
        actual: Fingerprint,
    },
    /// No answer within the deadline.
    #[error("{server} gave no answer within {} s", after.as_secs_f32())]
    Timeout {
        /// Which server.
        server: String,
        /// The deadline.
        after: Duration,
    },
    /// The server does not trust the client's certificate, or the client showed none.
    #[error("the server does not trust this client: {message}")]
    NotTrusted {
        /// What the server said.
        message: String,
    },
    /// The server trusts this client, and does not let it do that: its certificate is for some projects only,
    /// or for things other than this.
    #[error("{}", not_allowed(message, project, allowed))]
    NotAllowed {
        /// What the server said.
        message: String,
        /// The project that was asked for, by the client's [`project`](crate::Client::project) or by none.
        project: String,
        /// The projects that the client may use.
        allowed: Vec<String>,
    },
    /// The server refused the trust token: it was used before, has expired or was revoked.
    #[error("the server refused the trust token: {message}")]
    TokenRefused {
        /// What the server said.
        message: String,
    },
    /// The text given as a token is none.
    #[error(transparent)]
    InvalidToken(#[from] InvalidToken),
    /// The server answered with an error.
    #[error("{message} (code {code})")]
    Api {
        /// The `error_code`, an HTTP status.
        code: u16,
        /// The `error`.
        message: String,
    },
    /// The connection broke in the middle of a request.
    #[error("the connection to {server} broke")]
    Broken {
        /// Which server.
        server: String,
        /// What HTTP or the network said.
        source: BoxError,
    },
    /// The server does not have this part of the API. Nothing was sent.
    #[error("{server} does not have the API extension {extension}")]
    Unsupported {
        /// Which server.
        server: String,
        /// What it would need.
        extension: &'static str,
    },
    /// The server wants a login by OpenID Connect, or the token from one has expired.
    #[error("the server wants a login at {}", login.issuer)]
    LoginRequired {
        /// Where and how to log in.
        login: Box<OidcLogin>,
    },
    /// An operation on the server failed, or was cancelled.
    #[error("{message}")]
    Operation {
        /// Its number.
        id: String,
        /// What the server said.
        message: String,
        /// How it was when it ended, where the server still told.
        state: Option<Box<OperationState>>,
    },
    /// The server forgot an operation, which it does five seconds after its end, before this client could
    /// learn how it ended: the connection was lost for too long, or the server restarted.
    #[error("the server no longer knows the operation {id}: how it ended is unknown")]
    OperationLost {
        /// Its number.
        id: String,
    },
    /// A file or stream on this side failed.
    #[error("{what}")]
    Local {
        /// Which.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// The answer is not what the API promises.
    #[error("{server} answered with something that is not the LXD API: {message}")]
    Protocol {
        /// Which server.
        server: String,
        /// What was wrong.
        message: String,
    },
}

impl Error {
    /// Whether the server's machine refused the connection: nothing listens on that port.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::ConnectionRefused)
    }

    /// Whether the server does not know this client.
    #[must_use]
    pub fn is_not_trusted(&self) -> bool {
        matches!(self, Error::NotTrusted { .. })
    }

    /// Whether the thing asked for does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Api { code: 404, .. })
    }

    /// Whether what is to be changed was changed by somebody else since it was read (HTTP's 412).
    #[must_use]
    pub fn is_changed_meanwhile(&self) -> bool {
        matches!(self, Error::Api { code: 412, .. })
    }

    /// Whether what is to be created exists already.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        match self {
            Error::Api { code: 409, .. } => true,
            // LXD 5.0 says so with a 400 or 500, and Incus in the words of its database.
            Error::Api { message, .. } | Error::Operation { message, .. } => {
                ["already exists", "already in use", "UNIQUE constraint failed"]
                    .iter()
                    .any(|words| message.contains(words))
            }
            _ => false,
        }
    }

    /// What kind of I/O error stopped the connection, if one did.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        find::<io::Error>(self).map(io::Error::kind)
    }

    /// Sorts out what the HTTP client says when it could not even send the request.
    pub(crate) fn connecting(server: &str, source: BoxError) -> Error {
        if let Some(rustls::Error::InvalidCertificate(rustls::CertificateError::Other(other))) =
            find(&*source)
            && let Some(PinMismatch { expected, actual }) = other.0.downcast_ref()
        {
            return Error::WrongFingerprint { expected: *expected, actual: *actual };
        }
        if let Some(NoConnection { after }) = find(&*source) {
            return Error::Timeout { server: server.to_owned(), after: *after };
        }
        Error::Connect { server: server.to_owned(), source }
    }
}

fn not_allowed(message: &str, project: &str, allowed: &[String]) -> String {
    match allowed {
        [] => format!("the server lets this client use no project: {message}"),
        allowed if allowed.iter().any(|name| name == project) => {
            format!("the server does not let this client do that: {message}")
        }
        [one] => format!("the server lets this client use the project {one}, and not {project}: {message}"),
        several => {
            let names = several.join(", ");
            format!("the server lets this client use the projects {names}, and not {project}: {message}")
        }
    }
}

/// Finds an error of type `T` in the chain that begins with `error`.
///
/// The connector's own error, such as the tailnet's, is found this way too:
///
/// ```
/// let inner = std::io::Error::from(std::io::ErrorKind::TimedOut);
/// let outer = std::io::Error::other(inner);
/// let found: Vec<_> = lxd_client::chain(&outer).filter_map(|e| e.downcast_ref::<std::io::Error>()).collect();
/// assert_eq!(found.len(), 2);
/// ```
pub fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn StdError + 'static) = *error;
        // An io::Error passes over what it holds when it is asked for its source.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// An error and what is behind it, in one line, each text once: many a library's error repeats that of its source.
///
/// ```
/// let inner = std::io::Error::other("tls handshake eof");
/// assert_eq!(lxd_client::one_line(&std::io::Error::other(inner)), "tls handshake eof");
/// ```
#[must_use]
pub fn one_line(error: &(dyn StdError + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for cause in chain(error) {
        let cause = cause.to_string();
        let cause = cause.trim();
        if told.iter().any(|before| before.contains(cause)) {
            continue;
        }
        // A source that says more than what is above it says it in its place.
        told.retain(|before| !cause.contains(before.as_str()));
        told.push(cause.to_owned());
    }
    told.join(": ")
}

/// An [`Error`] as an I/O error of the right kind, for streams.
impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match &error {
            Error::Timeout { .. } => io::ErrorKind::TimedOut,
            Error::Broken { .. } => io::ErrorKind::ConnectionReset,
            Error::NotTrusted { .. } | Error::NotAllowed { .. } | Error::LoginRequired { .. } => {
                io::ErrorKind::PermissionDenied
            }
            Error::Api { code: 404, .. } => io::ErrorKind::NotFound,
            Error::Protocol { .. } => io::ErrorKind::InvalidData,
            Error::Unsupported { .. } => io::ErrorKind::Unsupported,
            Error::Config { .. } => io::ErrorKind::InvalidInput,
            _ => error.io_kind().unwrap_or(io::ErrorKind::Other),
        };
        io::Error::new(kind, error)
    }
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).find_map(|e| e.downcast_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    fn line(texts: &[&'static str]) -> String {
        let link = |source, text: &&'static str| Some(Box::new(Link { text, source }));
        one_line(&*texts.iter().rev().fold(None, link).unwrap())
    }

    #[test]
    fn each_text_is_told_once() {
        let eof = "tls handshake eof";
        assert_eq!(line(&["connect", eof, eof, eof]), "connect: tls handshake eof");
        assert_eq!(line(&["cannot read: no such file", "no such file"]), "cannot read: no such file");
        assert_eq!(line(&["top", "eof", "unexpected eof at 3", "eof"]), "top: unexpected eof at 3");
        assert_eq!(line(&["alone"]), "alone");
        assert_eq!(line(&["a line", "", "its end\n"]), "a line: its end");
    }
}
