//! One error enum an operation, each with the cases that a caller would act on.

use std::io;
use std::time::Duration;

use libtailscale_sys as sys;

use crate::address::{Address, InvalidAddress};
use crate::ffi::Failure;

/// Why a node did not join its tailnet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UpError {
    /// The builder was given something that makes no sense.
    #[error("{message}")]
    Config {
        /// What, and why.
        message: String,
    },
    /// There is no usable key: somebody has to open the URL and log in.
    #[error("the node needs a login: open {url}")]
    NeedsLogin {
        /// Where.
        url: String,
    },
    /// The node's own key has expired: [`Tailnet::login`](crate::Tailnet::login) renews it.
    #[error("{message}")]
    KeyExpired {
        /// When, and what to do.
        message: String,
    },
    /// An administrator has to approve the node, and did not within the deadline.
    #[error("the node waits for an administrator's approval")]
    NeedsApproval,
    /// The control server refused the node or its key.
    #[error("{message}")]
    AuthRejected {
        /// What the control server said.
        message: String,
    },
    /// The control server gave no answer within the deadline.
    #[error("{message}")]
    ControlUnreachable {
        /// What was tried last.
        message: String,
    },
    /// The control server's certificate is not one to trust: its authority is unknown, it is for another name, or it has
    /// expired. This is told at once.
    #[error("{message}")]
    ControlUntrusted {
        /// Which server, what is wrong with its certificate, and what to do.
        message: String,
    },
    /// The state folder cannot be used, or another node uses it.
    #[error("{message}")]
    StateFolder {
        /// Which folder, and why.
        message: String,
        /// The error of a [`StateStore`](crate::StateStore) that could not be read.
        source: Option<io::Error>,
    },
    /// The deadline passed for another reason.
    #[error("{message} ({} s)", after.as_secs_f32())]
    Timeout {
        /// The deadline.
        after: Duration,
        /// What the node was doing.
        message: String,
    },
    /// The node was closed meanwhile.
    #[error("the node was closed")]
    Closed,
    /// The archive that was linked is not of the sources that this crate was built with. No node was made.
    #[error(
        "the linked libtailscale.a has version {found} of the interface, and this program was built for version \
         {needed}: build the archive from the same sources, or unset LIBTAILSCALE_LIB_DIR, and build the program again"
    )]
    WrongLibrary {
        /// The version that this crate was built for.
        needed: u32,
        /// The archive's.
        found: u32,
    },
    /// The node's status was not understood.
    #[error("the node's status was not understood")]
    Malformed(#[from] MalformedAnswer),
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What.
        message: String,
    },
}

impl UpError {
    pub(crate) fn wrong_library(found: u32) -> UpError {
        UpError::WrongLibrary { needed: sys::TAILSCALE_ABI_VERSION, found }
    }

    pub(crate) fn of(failure: Failure, after: Duration) -> UpError {
        let message = failure.message;
        match failure.code {
            sys::TAILSCALE_INVALID_ARGUMENT => UpError::Config { message },
            sys::TAILSCALE_NEEDS_LOGIN => UpError::NeedsLogin { url: failure.data },
            sys::TAILSCALE_KEY_EXPIRED => UpError::KeyExpired { message },
            sys::TAILSCALE_NEEDS_APPROVAL => UpError::NeedsApproval,
            sys::TAILSCALE_AUTH_REJECTED => UpError::AuthRejected { message },
            sys::TAILSCALE_CONTROL_UNREACHABLE => UpError::ControlUnreachable { message },
            sys::TAILSCALE_CONTROL_UNTRUSTED => UpError::ControlUntrusted { message },
            sys::TAILSCALE_STATE_FOLDER => UpError::StateFolder { message, source: None },
            sys::TAILSCALE_TIMEOUT => UpError::Timeout { after, message },
            sys::TAILSCALE_CLOSED => UpError::Closed,
            _ => UpError::Other { message },
        }
    }
}

impl UpError {
    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            UpError::Config { .. } => io::ErrorKind::InvalidInput,
            UpError::NeedsLogin { .. }
            | UpError::KeyExpired { .. }
            | UpError::NeedsApproval
            | UpError::AuthRejected { .. } => io::ErrorKind::PermissionDenied,
            UpError::ControlUnreachable { .. } => io::ErrorKind::HostUnreachable,
            UpError::ControlUntrusted { .. } | UpError::Malformed(_) => io::ErrorKind::InvalidData,
            UpError::StateFolder { source, .. } => {
                source.as_ref().map_or(io::ErrorKind::Other, io::Error::kind)
            }
            UpError::Timeout { .. } => io::ErrorKind::TimedOut,
            UpError::Closed => io::ErrorKind::NotConnected,
            UpError::WrongLibrary { .. } => io::ErrorKind::Unsupported,
            UpError::Other { .. } => io::ErrorKind::Other,
        }
    }

    /// Whether the deadline has passed and nothing more is known: [`Timeout`](Self::Timeout) alone.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, UpError::Timeout { .. })
    }

    /// Whether the same call may succeed later though nobody changes this program or the tailnet's settings: the control
    /// server was not reached, or the deadline has passed. Wait between tries.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, UpError::ControlUnreachable { .. } | UpError::Timeout { .. })
    }
}

/// The Go side's message for a deadline that has passed, where it knows no more (`errs.Of`).
const NO_ANSWER: &str = "no answer within the deadline";

/// Why a connection through the tailnet was not made.
///
/// As an [`io::Error`] it has the kind that a `TcpStream` would give for the same cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is no address.
    #[error(transparent)]
    InvalidAddress(#[from] InvalidAddress),
    /// No node, service or accepted subnet route of the tailnet has the address. Nothing was sent.
    #[error("{addr} is not in the tailnet: no node, service or accepted route has it")]
    NotInTailnet {
        /// The address.
        addr: Address,
    },
    /// No node has the name, and neither a DNS server in the tailnet nor the chosen exit node knows it. No other DNS was
    /// asked.
    #[error("{message}")]
    NoSuchHost {
        /// The address.
        addr: Address,
        /// Which name is not known, and which DNS server has said so, if one was asked.
        message: String,
    },
    /// The peer refused the connection: nothing listens there.
    #[error("{addr} refused the connection: nothing listens there")]
    Refused {
        /// The address.
        addr: Address,
    },
    /// The peer is in the tailnet, but does not answer.
    #[error("no packet gets to {addr}: {message}")]
    Unreachable {
        /// The address.
        addr: Address,
        /// What the network stack said.
        message: String,
    },
    /// No answer within the deadline.
    #[error("{addr} gave no answer within {} s{}{message}", after.as_secs_f32(), if message.is_empty() { "" } else { ": " })]
    Timeout {
        /// The address.
        addr: Address,
        /// The deadline.
        after: Duration,
        /// Which DNS server was silent; empty if it was the address itself.
        message: String,
    },
    /// The node has not joined its tailnet, or was stopped or logged out. Nothing was sent.
    #[error("cannot reach {addr}: {message}")]
    NotRunning {
        /// The address.
        addr: Address,
        /// The node's state.
        message: String,
    },
    /// The node was closed.
    #[error("cannot reach {addr}: the node was closed")]
    Closed {
        /// The address.
        addr: Address,
    },
    /// It was called outside a tokio runtime. Nothing was sent.
    #[error("cannot reach {addr}: streams need a tokio runtime, and this was called outside one")]
    NoRuntime {
        /// The address.
        addr: Address,
    },
    /// The node's answer to a look-up was not understood.
    #[error("cannot reach {addr}: the node's answer was not understood")]
    Malformed {
        /// The address.
        addr: Address,
        /// Why not.
        source: MalformedAnswer,
    },
    /// The stream was made, but this process could not take it into its tokio runtime.
    #[error("cannot reach {addr}: the stream's socket cannot be used")]
    Socket {
        /// The address.
        addr: Address,
        /// Why.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot reach {addr}: {message}")]
    Other {
        /// The address.
        addr: Address,
        /// What.
        message: String,
    },
}

impl ConnectError {
    pub(crate) fn of(failure: Failure, addr: Address, after: Duration) -> ConnectError {
        let message = failure.message;
        match failure.code {
            sys::TAILSCALE_NOT_IN_TAILNET => ConnectError::NotInTailnet { addr },
            sys::TAILSCALE_NO_SUCH_HOST => ConnectError::NoSuchHost { addr, message },
            sys::TAILSCALE_REFUSED | sys::TAILSCALE_RESET => ConnectError::Refused { addr },
            sys::TAILSCALE_UNREACHABLE => ConnectError::Unreachable { addr, message },
            sys::TAILSCALE_TIMEOUT => {
                let message = if message == NO_ANSWER { String::new() } else { message };
                ConnectError::Timeout { addr, after, message }
            }
            sys::TAILSCALE_NOT_RUNNING | sys::TAILSCALE_WRONG_STATE => {
                ConnectError::NotRunning { addr, message }
            }
            sys::TAILSCALE_CLOSED => ConnectError::Closed { addr },
            _ => ConnectError::Other { addr, message },
        }
    }

    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            ConnectError::InvalidAddress(_) => io::ErrorKind::InvalidInput,
            ConnectError::NotInTailnet { .. } => io::ErrorKind::NetworkUnreachable,
            ConnectError::NoSuchHost { .. } => io::ErrorKind::NotFound,
            ConnectError::Refused { .. } => io::ErrorKind::ConnectionRefused,
            ConnectError::Unreachable { .. } => io::ErrorKind::HostUnreachable,
            ConnectError::Timeout { .. } => io::ErrorKind::TimedOut,
            ConnectError::NotRunning { .. } => io::ErrorKind::NetworkDown,
            ConnectError::Closed { .. } => io::ErrorKind::NotConnected,
            ConnectError::NoRuntime { .. } => io::ErrorKind::Unsupported,
            ConnectError::Malformed { .. } => io::ErrorKind::InvalidData,
            ConnectError::Socket { source, .. } => source.kind(),
            ConnectError::Other { .. } => io::ErrorKind::Other,
        }
    }

    /// Whether the deadline has passed: [`Timeout`](Self::Timeout) alone.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, ConnectError::Timeout { .. })
    }

    /// Whether the tailnet has no such name: [`NoSuchHost`](Self::NoSuchHost) alone. An IP address that is not in the
    /// tailnet is [`NotInTailnet`](Self::NotInTailnet).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, ConnectError::NoSuchHost { .. })
    }

    /// Whether the same call may succeed later though nobody changes this program or the tailnet's settings: the peer
    /// refused, was not reached or did not answer in time, the node is not in its tailnet at the moment, or this process
    /// had no resources for the socket. Wait between tries.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            ConnectError::Refused { .. }
                | ConnectError::Unreachable { .. }
                | ConnectError::Timeout { .. }
                | ConnectError::NotRunning { .. }
                | ConnectError::Socket { .. }
        )
    }
}

/// Why a node does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is not one of this node's.
    #[error("{message}")]
    Address {
        /// Why.
        message: String,
    },
    /// Another listener of this node has the port.
    #[error("{message}")]
    InUse {
        /// Which port.
        message: String,
    },
    /// The node has not joined its tailnet, or was stopped or logged out.
    #[error("cannot listen: {message}")]
    NotRunning {
        /// The node's state.
        message: String,
    },
    /// The tailnet does not allow it: it has no certificates, no Funnel, or the node no tag.
    #[error("{message}")]
    NotAllowed {
        /// What is missing.
        message: String,
    },
    /// The node was closed.
    #[error("cannot listen: the node was closed")]
    Closed,
    /// A UDP socket was bound, but this process could not take it into its tokio runtime.
    #[error("cannot listen: the socket cannot be used")]
    Socket(#[source] io::Error),
    /// A UDP socket was bound outside a tokio runtime.
    #[error("cannot listen: sockets need a tokio runtime, and this was called outside one")]
    NoRuntime,
    /// Anything else.
    #[error("cannot listen: {message}")]
    Other {
        /// What.
        message: String,
    },
}

impl From<Failure> for ListenError {
    fn from(failure: Failure) -> ListenError {
        let message = failure.message;
        match failure.code {
            sys::TAILSCALE_INVALID_ARGUMENT => ListenError::Address { message },
            sys::TAILSCALE_ADDRESS_IN_USE => ListenError::InUse { message },
            sys::TAILSCALE_NOT_RUNNING | sys::TAILSCALE_WRONG_STATE => ListenError::NotRunning { message },
            sys::TAILSCALE_NOT_ALLOWED => ListenError::NotAllowed { message },
            sys::TAILSCALE_CLOSED => ListenError::Closed,
            _ => ListenError::Other { message },
        }
    }
}

impl ListenError {
    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            ListenError::Address { .. } => io::ErrorKind::AddrNotAvailable,
            ListenError::InUse { .. } => io::ErrorKind::AddrInUse,
            ListenError::NotRunning { .. } => io::ErrorKind::NetworkDown,
            ListenError::NotAllowed { .. } => io::ErrorKind::PermissionDenied,
            ListenError::Closed => io::ErrorKind::NotConnected,
            ListenError::NoRuntime => io::ErrorKind::Unsupported,
            ListenError::Socket(source) => source.kind(),
            ListenError::Other { .. } => io::ErrorKind::Other,
        }
    }

    /// Whether the same call may succeed later though nobody changes this program or the tailnet's settings: the node is
    /// not in its tailnet at the moment, or this process had no resources for the socket.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, ListenError::NotRunning { .. } | ListenError::Socket(_))
    }
}

/// Why no stream was accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The node was closed. There will be no more streams.
    #[error("the node was closed")]
    Closed,
    /// It was called outside a tokio runtime.
    #[error("cannot accept a stream: streams need a tokio runtime, and this was called outside one")]
    NoRuntime,
    /// This process could not take the stream into its tokio runtime; the next one may be taken.
    #[error("cannot accept a stream: its socket cannot be used")]
    Socket(#[source] io::Error),
    /// This stream could not be taken; the next one may be.
    #[error("cannot accept a stream: {message}")]
    Other {
        /// Why.
        message: String,
    },
}

impl From<Failure> for AcceptError {
    fn from(failure: Failure) -> AcceptError {
        match failure.code {
            sys::TAILSCALE_CLOSED => AcceptError::Closed,
            _ => AcceptError::Other { message: failure.message },
        }
    }
}

impl AcceptError {
    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            AcceptError::Closed => io::ErrorKind::NotConnected,
            AcceptError::NoRuntime => io::ErrorKind::Unsupported,
            AcceptError::Socket(source) => source.kind(),
            AcceptError::Other { .. } => io::ErrorKind::Other,
        }
    }

    /// Whether the listener goes on, so that another accept may succeed: the error was one stream's. Wait a moment first,
    /// as it may be that no descriptor is free.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, AcceptError::Socket(_) | AcceptError::Other { .. })
    }
}

/// Why the node gave no status, or the watch no state.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The node was closed.
    #[error("the node was closed")]
    Closed,
    /// The answer was not understood.
    #[error("the node's answer was not understood")]
    Malformed(#[from] MalformedAnswer),
    /// Anything else.
    #[error("{message}")]
    Other {
        /// What.
        message: String,
    },
}

impl From<Failure> for StatusError {
    fn from(failure: Failure) -> StatusError {
        match failure.code {
            sys::TAILSCALE_CLOSED => StatusError::Closed,
            _ => StatusError::Other { message: failure.message },
        }
    }
}

impl StatusError {
    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            StatusError::Closed => io::ErrorKind::NotConnected,
            StatusError::Malformed(_) => io::ErrorKind::InvalidData,
            StatusError::Other { .. } => io::ErrorKind::Other,
        }
    }
}

/// An answer of the node's that this version of the crate does not understand. It says what and where in the answer.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MalformedAnswer(serde_json::Error);

impl MalformedAnswer {
    pub(crate) fn new(error: serde_json::Error) -> MalformedAnswer {
        MalformedAnswer(error)
    }

    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        io::ErrorKind::InvalidData
    }
}

/// The node was not closed within the deadline. It goes on closing in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node was not closed within {} s; it goes on closing in the background", after.as_secs_f32())]
pub struct CloseTimeout {
    /// The deadline.
    pub after: Duration,
}

impl CloseTimeout {
    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        io::ErrorKind::TimedOut
    }
}

impl InvalidAddress {
    /// The [`io::ErrorKind`] that this becomes.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        io::ErrorKind::InvalidInput
    }
}

/// The error becomes an `io::Error` of its kind, which holds it.
macro_rules! into_io_error {
    ($($error:ty),*) => {$(
        impl From<$error> for std::io::Error {
            fn from(error: $error) -> std::io::Error {
                std::io::Error::new(error.kind(), error)
            }
        }
    )*};
}

pub(crate) use into_io_error;

into_io_error!(
    UpError,
    ConnectError,
    ListenError,
    AcceptError,
    StatusError,
    CloseTimeout,
    MalformedAnswer,
    InvalidAddress
);

/// Why a stream broke, as an `io::Error`; `None` when it did not.
pub(crate) fn stream_error(code: sys::tailscale_code) -> Option<io::Error> {
    let (kind, text) = match code {
        sys::TAILSCALE_OK => return None,
        sys::TAILSCALE_RESET | sys::TAILSCALE_REFUSED => {
            (io::ErrorKind::ConnectionReset, "the peer reset the connection")
        }
        sys::TAILSCALE_UNREACHABLE | sys::TAILSCALE_TIMEOUT => {
            (io::ErrorKind::TimedOut, "the peer stopped answering")
        }
        sys::TAILSCALE_CLOSED => (io::ErrorKind::ConnectionAborted, "the node was closed"),
        _ => (io::ErrorKind::Other, "the stream broke"),
    };
    Some(io::Error::new(kind, text))
}

#[cfg(test)]
mod tests;
