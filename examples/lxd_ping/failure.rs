//! A failed run: its error and hint for people, its kind and exit code for scripts.
//!
//! The service's table of remedies gives hint and exit code, but for what has a flag of this example.

use std::error::Error;

use kolaboree_node::{EnvironmentError, KeyError};
use lxd_client::{IdentityError, InvalidToken};
use tailnet::{ConnectError, UpError};
use tailnet_sandbox::SandboxError;

/// Shown below `--help`; [`Failure::of`] gives them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  at least one reply      6  nothing listens on that port
  1  anything else           7  the server gave no answer in time
  2  wrong arguments         8  the server's certificate is not the right one
  3  key or login refused    9  the server refused the trust token
  4  not joined in time     10  something else than LXD answered
  5  not in the tailnet    130  interrupted";

/// A failure as it is shown.
pub(crate) struct Failure {
    pub(crate) kind: &'static str,
    pub(crate) exit_code: u8,
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

/// A failure that this example finds by itself, with its hint.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Usage {
    pub(crate) message: String,
    pub(crate) hint: &'static str,
}

/// Ctrl-C came before there was anything to sum up.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

impl Failure {
    /// Sorts an error out by the first cause in its chain that says what to do.
    pub(crate) fn of(error: &anyhow::Error) -> Failure {
        for cause in error.chain().flat_map(lxd_client::chain) {
            if let Some((kind, exit_code, hint)) = known(cause) {
                return Failure { kind, exit_code, message: cause.to_string(), hint };
            }
        }
        let message = lxd_client::one_line(error.as_ref());
        Failure { kind: "other", exit_code: 1, message, hint: LOG }
    }
}

/// The kind, the exit code, and what to do.
type Known = (&'static str, u8, &'static str);

const LOG: &str = "-v shows more";

/// What has an option here, or is told apart by this example alone, and all else as the service knows it.
fn known(cause: &(dyn Error + 'static)) -> Option<Known> {
    of_setup(cause).or_else(|| cause.downcast_ref().and_then(of_server)).or_else(|| {
        let (exit_code, hint) = kolaboree_node::remedy::of(cause)?;
        let kind = kind(cause);
        Some(match kind {
            "config" => (kind, exit_code, "see --help"),
            "join_timeout" => (kind, exit_code, "--timeout waits longer; -v shows Tailscale's log"),
            kind => (kind, exit_code, if hint.is_empty() { LOG } else { hint }),
        })
    })
}

/// The word for scripts.
fn kind(cause: &(dyn Error + 'static)) -> &'static str {
    let join = cause.downcast_ref().map(|error| match error {
        UpError::AuthRejected { .. } => "auth_rejected",
        UpError::NeedsLogin { .. } => "needs_login",
        UpError::KeyExpired { .. } => "key_expired",
        UpError::NeedsApproval => "needs_approval",
        UpError::ControlUnreachable { .. } => "control_unreachable",
        UpError::ControlUntrusted { .. } => "control_untrusted",
        UpError::Timeout { .. } => "join_timeout",
        UpError::Config { .. } => "config",
        UpError::StateFolder { .. } => "state_folder",
        _ => "other",
    });
    let dial = || {
        cause.downcast_ref().map(|error| match error {
            ConnectError::NotInTailnet { .. } => "not_in_tailnet",
            ConnectError::NoSuchHost { .. } => "no_such_host",
            ConnectError::Refused { .. } => "refused",
            ConnectError::Timeout { .. } | ConnectError::Unreachable { .. } => "no_answer",
            ConnectError::NotRunning { .. } => "not_running",
            ConnectError::InvalidAddress(_) => "config",
            _ => "other",
        })
    };
    let server = || {
        cause.downcast_ref().map(|error| match error {
            lxd_client::Error::WrongFingerprint { .. } => "wrong_fingerprint",
            lxd_client::Error::TokenRefused { .. } => "token_refused",
            lxd_client::Error::Config { .. } => "config",
            _ => "other",
        })
    };
    join.or_else(dial).or_else(server).unwrap_or("other")
}

/// A server's answers for which this example has an option, or says more than a command of the service.
fn of_server(error: &lxd_client::Error) -> Option<Known> {
    use lxd_client::Error;
    Some(match error {
        Error::NotTrusted { .. } => {
            ("not_trusted", 9, "make a token with `lxc config trust add` and pass it as LXD_TRUST_TOKEN")
        }
        Error::Timeout { .. } => ("no_answer", 7, "--timeout waits longer"),
        Error::Protocol { .. } => ("not_lxd", 10, "check the port: LXD and Incus listen on 8443 as a rule"),
        Error::Broken { .. } => ("broken", 7, "check that LXD runs at that address"),
        // The tailnet's own error, further down the chain, says it better.
        Error::Connect { source, .. } if !lxd_client::chain(&**source).any(|e| e.is::<ConnectError>()) => {
            ("no_tls", 10, "the port is open, but no TLS server answered: check that LXD listens there")
        }
        _ => return None,
    })
}

fn of_setup(cause: &(dyn Error + 'static)) -> Option<Known> {
    if let Some(usage) = cause.downcast_ref::<Usage>() {
        return Some(("config", 2, usage.hint));
    }
    if cause.is::<Interrupted>() {
        return Some(("interrupted", 130, "nothing was left running"));
    }
    if cause.is::<KeyError>() || cause.is::<EnvironmentError>() {
        return Some(("config", 2, "see .env.example"));
    }
    if cause.is::<InvalidToken>() {
        return Some(("config", 2, "copy the whole token that `lxc config trust add` printed"));
    }
    if cause.is::<IdentityError>() {
        return Some(("client_certificate", 1, "choose another folder with --state-dir"));
    }
    cause.is::<SandboxError>().then_some((
        "sandbox",
        1,
        "the sandbox needs free ports on 127.0.0.1; -v shows more",
    ))
}
