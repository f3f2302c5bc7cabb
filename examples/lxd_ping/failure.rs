//! A failed run: its error and hint for people, its kind and exit code for scripts.
//!
//! The hints name the flags of this example, so it has its own table.

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
            let known = cause
                .downcast_ref()
                .map(of_up)
                .or_else(|| cause.downcast_ref().map(of_connect))
                .or_else(|| cause.downcast_ref().and_then(of_lxd))
                .or_else(|| of_setup(cause));
            if let Some((kind, exit_code, hint)) = known {
                return Failure { kind, exit_code, message: cause.to_string(), hint };
            }
        }
        Failure {
            kind: "other",
            exit_code: 1,
            message: lxd_client::one_line(error.as_ref()),
            hint: "-v shows more",
        }
    }
}

type Known = (&'static str, u8, &'static str);

fn of_up(error: &UpError) -> Known {
    match error {
        UpError::AuthRejected { .. } => (
            "auth_rejected",
            3,
            "make a new reusable auth key in the admin console and put it into TAILSCALE_AUTH_KEY",
        ),
        UpError::NeedsLogin { .. } => {
            ("needs_login", 3, "set TAILSCALE_AUTH_KEY to a valid auth key, or open the URL")
        }
        UpError::NeedsApproval => {
            ("needs_approval", 3, "approve the machine in the admin console, or use a pre-approved key")
        }
        UpError::ControlUnreachable { .. } => {
            ("control_unreachable", 4, "check the network and --control-url; --timeout waits longer")
        }
        UpError::Timeout { .. } => ("join_timeout", 4, "--timeout waits longer; -v shows Tailscale's log"),
        UpError::Config { .. } => ("config", 2, "see --help"),
        UpError::StateFolder { .. } => ("state_folder", 1, "choose another folder with --state-dir"),
        _ => ("other", 1, "-v shows more"),
    }
}

fn of_connect(error: &ConnectError) -> Known {
    match error {
        ConnectError::NotInTailnet { .. } => (
            "not_in_tailnet",
            5,
            "check the address with `tailscale status` on the server; nothing was sent by the host's network",
        ),
        ConnectError::NoSuchHost { .. } => (
            "no_such_host",
            5,
            "check the name with `tailscale status` on the server, or use its 100.x address; no other DNS was asked",
        ),
        ConnectError::Refused { .. } => {
            ("refused", 6, "on the server: lxc config set core.https_address :8443 (and check the port)")
        }
        ConnectError::Timeout { .. } | ConnectError::Unreachable { .. } => (
            "no_answer",
            7,
            "check that the server is up, and that the tailnet's policy lets this node reach it",
        ),
        ConnectError::InvalidAddress(_) => ("config", 2, "see --help"),
        _ => ("other", 1, "-v shows more"),
    }
}

fn of_lxd(error: &lxd_client::Error) -> Option<Known> {
    use lxd_client::Error;
    Some(match error {
        Error::WrongFingerprint { .. } => (
            "wrong_fingerprint",
            8,
            "compare with `lxc info | grep fingerprint` on the server; if it is not the same, do not go on",
        ),
        Error::TokenRefused { .. } => {
            ("token_refused", 9, "a token works once: make a new one with `lxc config trust add`")
        }
        Error::NotTrusted { .. } => {
            ("not_trusted", 9, "make a token with `lxc config trust add` and pass it as LXD_TRUST_TOKEN")
        }
        Error::Timeout { .. } => ("no_answer", 7, "--timeout waits longer"),
        Error::Protocol { .. } => ("not_lxd", 10, "check the port: LXD and Incus listen on 8443 as a rule"),
        Error::Broken { .. } => ("broken", 7, "check that LXD runs at that address"),
        // The tailnet's own error, further down the chain, says it better.
        Error::Connect { source, .. } if lxd_client::chain(&**source).any(|e| e.is::<ConnectError>()) => {
            return None;
        }
        Error::Connect { .. } => {
            ("no_tls", 10, "the port is open, but no TLS server answered: check that LXD listens there")
        }
        _ => return None,
    })
}

fn of_setup(cause: &(dyn std::error::Error + 'static)) -> Option<Known> {
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
