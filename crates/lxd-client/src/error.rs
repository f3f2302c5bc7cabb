//! The error of a request, its predicates, and errors as one line.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use crate::fingerprint::PinMismatch;
use crate::transport::NoConnection;
use crate::{Fingerprint, InvalidToken, OidcLogin, OperationState};

pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a request to a server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller gave the client something that cannot work. Nothing was sent.
    #[error("{message}")]
    Config {
        /// What is wrong with it.
        message: String,
        /// The error behind it, where there is one.
        source: Option<BoxError>,
    },
    /// No connection to the server could be made. [`is_refused`](Error::is_refused) says whether the reason is a port
    /// where nothing listens.
    #[error("cannot connect to {server}")]
    Connect {
        /// Which server.
        server: String,
        /// The connector's error, or that of TLS.
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
    /// The server trusts this client, but does not let it do this: its certificate is restricted to some projects, or to
    /// some actions.
    #[error("{}", not_allowed(message, project, allowed))]
    NotAllowed {
        /// What the server said.
        message: String,
        /// The project of the request: the one of [`Client::project`](crate::Client::project), or `default`.
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
    /// A text that was given as a trust token is not one.
    #[error(transparent)]
    InvalidToken(#[from] InvalidToken),
    /// The server answered with an error that has no variant of its own.
    #[error("{message} (code {code})")]
    Api {
        /// The answer's `error_code`, which is an HTTP status.
        code: u16,
        /// The answer's `error`.
        message: String,
    },
    /// The connection broke during a request, or on a websocket. The server may have done what was asked, or not.
    #[error("the connection to {server} broke")]
    Broken {
        /// Which server.
        server: String,
        /// The error of HTTP or of the network.
        source: BoxError,
    },
    /// The server does not have this part of the API. The request was not sent.
    #[error("{server} does not have the API extension {extension}")]
    Unsupported {
        /// Which server.
        server: String,
        /// The name of the API extension.
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
        /// Its last state, where the server still knew it.
        state: Option<Box<OperationState>>,
    },
    /// The server no longer knows an operation, so nobody can say how it ended. Servers forget an operation five seconds
    /// after its end, and when they restart; the connection was lost for longer.
    #[error("the server no longer knows the operation {id}: how it ended is unknown")]
    OperationLost {
        /// Its number.
        id: String,
    },
    /// A file or a stream on this machine failed.
    #[error("{message}")]
    Local {
        /// The path of the file, or what could not be done with the stream.
        message: String,
        /// Why.
        source: io::Error,
    },
    /// The answer is not what the API promises.
    #[error("{server} answered with something that is not the LXD API: {message}")]
    Protocol {
        /// Which server.
        server: String,
        /// What was wrong with the answer.
        message: String,
        /// The error behind it, where there is one.
        source: Option<BoxError>,
    },
}

/// Predicates for what callers decide on.
impl Error {
    /// Whether something did not happen in time: the client's deadline passed ([`Error::Timeout`]), or an I/O error of
    /// the kind `TimedOut` is behind this, such as that of a silent websocket or of the connector.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        matches!(self, Error::Timeout { .. })
            || chain(self).filter_map(|error| error.downcast_ref()).any(timed_out)
    }

    /// Whether the same request may succeed later though nobody changes anything: the connection could not be made or
    /// broke, an answer did not come in time, or the server said that it cannot answer now (429, 502, 503, 504). An
    /// error of TLS, such as a certificate that no authority vouches for, does not pass.
    ///
    /// It does not say whether the server has done what was asked. Send a request again only where doing it twice does
    /// no harm, such as a GET.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Connect { .. } => find::<rustls::Error>(self).is_none(),
            Error::Timeout { .. } | Error::Broken { .. } => true,
            Error::Api { code, .. } => matches!(code, 429 | 502..=504),
            _ => false,
        }
    }

    /// Whether the server's machine refused the connection: nothing listens on that port.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::ConnectionRefused)
    }

    /// Whether the server's certificate is not the right one: it is not the one that is pinned, no authority vouches for it, or
    /// its time is over.
    #[must_use]
    pub fn is_wrong_certificate(&self) -> bool {
        matches!(self, Error::WrongFingerprint { .. })
            || matches!(find(self), Some(rustls::Error::InvalidCertificate(_)))
    }

    /// Whether the server does not trust this client's certificate, or the client showed none
    /// ([`Error::NotTrusted`]). A client that is trusted for other things only has [`Error::NotAllowed`].
    #[must_use]
    pub fn is_not_trusted(&self) -> bool {
        matches!(self, Error::NotTrusted { .. })
    }

    /// Whether the server answered that what was asked for does not exist (404).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Error::Api { code: 404, .. })
    }

    /// Whether the update was refused because somebody else changed the value after it was read (412).
    #[must_use]
    pub fn is_changed_meanwhile(&self) -> bool {
        matches!(self, Error::Api { code: 412, .. })
    }

    /// Whether what was to be created exists already (409, or the server's words for it).
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        match self {
            Error::Api { code: 409, .. } => true,
            // LXD 5.0 answers with 400 or 500, and Incus with the words of its database.
            Error::Api { message, .. } | Error::Operation { message, .. } => {
                ["already exists", "already in use", "UNIQUE constraint failed"]
                    .iter()
                    .any(|words| message.contains(words))
            }
            _ => false,
        }
    }

    /// The kind of the first I/O error behind this one, where there is one.
    #[must_use]
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        find::<io::Error>(self).map(io::Error::kind)
    }

    pub(crate) fn config(message: impl Into<String>) -> Error {
        Error::Config { message: message.into(), source: None }
    }

    pub(crate) fn config_because(message: impl Into<String>, source: impl Into<BoxError>) -> Error {
        Error::Config { message: message.into(), source: Some(source.into()) }
    }

    /// The error for a connection that could not be made, by what is behind it.
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

/// An error, the error behind it, the one behind that, and so on.
///
/// It finds the connector's own error, such as that of the crate `tailnet`, or an I/O error:
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
        // The source of an io::Error is that of the error in it: the error itself would be left out.
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

/// An error and the errors behind it as one line. Each text is in it once, though the errors of many libraries repeat
/// that of their source.
///
/// ```
/// let inner = std::io::Error::other("tls handshake eof");
/// assert_eq!(lxd_client::one_line(&std::io::Error::other(inner)), "tls handshake eof");
/// ```
#[must_use]
pub fn one_line(error: &(dyn StdError + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in chain(error) {
        let cause = error.to_string();
        let cause = cause.trim();
        // hyper-util names its own step there, "client error (Connect)"; what went wrong stands behind it.
        let is_step = cause.starts_with("client error (") && error.source().is_some();
        if is_step || texts.iter().any(|text| text.contains(cause)) {
            continue;
        }
        // A source that repeats the text above it and says more takes its place.
        texts.retain(|text| !cause.contains(text.as_str()));
        texts.push(cause.to_owned());
    }
    texts.join(": ")
}

/// The first error of type `T` in the chain.
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
    fn each_text_is_in_the_line_once() {
        let eof = "tls handshake eof";
        assert_eq!(line(&["connect", eof, eof, eof]), "connect: tls handshake eof");
        assert_eq!(line(&["cannot read: no such file", "no such file"]), "cannot read: no such file");
        assert_eq!(line(&["top", "eof", "unexpected eof at 3", "eof"]), "top: unexpected eof at 3");
        assert_eq!(line(&["alone"]), "alone");
        assert_eq!(line(&["a line", "", "its end\n"]), "a line: its end");
    }

    #[test]
    fn what_is_a_timeout_and_what_may_pass_is_told_from_the_rest() {
        let connect = |source: BoxError| Error::Connect { server: "s".to_owned(), source };
        let api = |code| Error::Api { code, message: String::new() };
        let late = |kind| io::Error::other(io::Error::from(kind));
        let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let broken = |kind| Error::Broken { server: "s".to_owned(), source: late(kind).into() };
        for (error, timeout, retryable) in [
            (Error::Timeout { server: "s".to_owned(), after: Duration::from_secs(1) }, true, true),
            (connect(late(io::ErrorKind::TimedOut).into()), true, true),
            (connect(late(io::ErrorKind::ConnectionRefused).into()), false, true),
            (connect(io::Error::other(untrusted).into()), false, false),
            (broken(io::ErrorKind::TimedOut), true, true),
            (broken(io::ErrorKind::ConnectionReset), false, true),
            (api(503), false, true),
            (api(404), false, false),
            (api(500), false, false),
            (Error::config("x"), false, false),
            (Error::OperationLost { id: String::new() }, false, false),
        ] {
            assert_eq!((error.is_timeout(), error.is_retryable()), (timeout, retryable), "{error:?}");
            assert_eq!(error.is_wrong_certificate(), one_line(&error).contains("certificate"), "{error:?}");
        }
    }
}
