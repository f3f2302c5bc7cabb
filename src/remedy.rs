//! What to do about a failure, and the exit code of a command that ends by it. The commands, the doctor, the log of the
//! clouds and the example `lxd_ping` take both from here.

use std::error::Error as StdError;

use lxd_client::one_line;
use tailnet::{ConnectError, LocalApiError, UpError};

use crate::config::{ConfigError, KeyError};

/// Shown below `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  done                                       6  nothing listens on that port
  1  anything else; something failed (doctor)   7  no answer in time
  2  wrong arguments or configuration           8  the server's certificate is not the right one
  3  key or login refused, or needed            9  the server does not let this node do that
  4  not joined in time                        10  something else than LXD answered
  5  not in the tailnet, or no such thing      11  no node runs
                                              130  interrupted
`lxd exec` and `lxd shell` exit as the command did.";

/// The exit code, and what to do, which may be empty.
pub type Remedy = (u8, &'static str);

pub(crate) const BRING_BACK: &str = "`kolaboree-node up` brings the node back";

pub(crate) const APPROVE: &str =
    "approve the machine in Tailscale's admin console, or use a pre-approved key";

pub(crate) const REACH: &str =
    "check the network and any firewall (TCP 443 outward), and control_url if it is set";

const TRUST: &str = "check that control_url names the right server, and that nothing on the way speaks for it, as a captive portal does";

pub(crate) const RENEW: &str =
    "put a new auth key where the old one is, or disable key expiry for this machine in the admin console";

/// For [`lxd_client::Error::NotAllowed`].
const ANOTHER_PROJECT: &str =
    "name a project that it may use: `project: NAME` at the cloud in kolaboree.yaml, or `lxd --project NAME`";

/// For a certificate that no authority vouches for, as LXD's own.
const PIN: &str = "compare it with `lxc info` there; LXD's own certificate is trusted by `trust: {fingerprint: …}` at the cloud in kolaboree.yaml";

/// The remedy of one error of a chain: of the tailnet, of a cloud or of the configuration. None where what is behind it
/// decides.
#[must_use]
pub fn of(cause: &(dyn StdError + 'static)) -> Option<Remedy> {
    None.or_else(|| cause.downcast_ref().map(of_up))
        .or_else(|| cause.downcast_ref().map(of_connect))
        .or_else(|| cause.downcast_ref().map(of_key))
        .or_else(|| cause.downcast_ref().and_then(of_lxd))
        .or_else(|| cause.downcast_ref().map(of_config))
        .or_else(|| match cause.downcast_ref::<LocalApiError>()? {
            LocalApiError::Timeout { .. } => Some((7, "")),
            _ => None,
        })
}

fn of_config(error: &ConfigError) -> Remedy {
    match error {
        ConfigError::Key(error) => of_key(error),
        _ => (2, ""), // each problem has its remedy in its text
    }
}

fn of_key(error: &KeyError) -> Remedy {
    (2, error.remedy())
}

fn of_up(error: &UpError) -> Remedy {
    match error {
        UpError::AuthRejected { .. } => (
            3,
            "make a new reusable auth key in Tailscale's admin console (Settings, Keys) and put it into TAILSCALE_AUTH_KEY; of an OAuth client or a workload identity, check that it may make auth keys for these tags",
        ),
        UpError::NeedsLogin { .. } | UpError::KeyExpired { .. } => {
            (3, "set TAILSCALE_AUTH_KEY to a valid auth key, or open the URL")
        }
        UpError::NeedsApproval => (3, APPROVE),
        UpError::ControlUntrusted { .. } => (8, ""), // what to do is in its text
        UpError::ControlUnreachable { .. } => (4, REACH),
        UpError::Timeout { .. } => (4, "a longer join_timeout waits longer; -v shows Tailscale's log"),
        UpError::Config { .. } => (2, ""),
        UpError::StateFolder { .. } => (
            1,
            "choose another folder with --state-dir, or stop what uses this one; while `kolaboree-node` runs, commands share it",
        ),
        _ => (1, ""),
    }
}

/// What the doctor says about a node that does not join: it says too what an error's own text says in a command.
pub(crate) fn in_doctor(error: &UpError) -> &'static str {
    match error {
        UpError::ControlUntrusted { .. } => TRUST,
        UpError::KeyExpired { .. } => RENEW,
        error => match of_up(error) {
            (_, "") => "-v shows Tailscale's log",
            (_, hint) => hint,
        },
    }
}

fn of_connect(error: &ConnectError) -> Remedy {
    match error {
        ConnectError::NotInTailnet { .. } => (
            5,
            "check the address with `tailscale status` there, and accept_routes if it is behind a subnet router; nothing was sent by the host's network",
        ),
        ConnectError::NoSuchHost { .. } => {
            (5, "`kolaboree-node status` lists the nodes of the tailnet; no other DNS was asked")
        }
        ConnectError::Refused { .. } => (6, "for LXD, there: lxc config set core.https_address :8443"),
        ConnectError::Timeout { .. } | ConnectError::Unreachable { .. } => {
            (7, "check that the machine is up, and that the tailnet's policy lets this node reach it")
        }
        ConnectError::InvalidAddress(_) => (2, ""),
        ConnectError::NotRunning { .. } => (4, BRING_BACK),
        _ => (1, ""),
    }
}

fn of_lxd(error: &lxd_client::Error) -> Option<Remedy> {
    use lxd_client::Error;
    Some(match error {
        Error::WrongFingerprint { .. } => {
            (8, "it is another server, or has a new certificate: compare with `lxc info` there")
        }
        error if error.is_wrong_certificate() => (8, PIN),
        Error::NotTrusted { .. } => (
            9,
            "there: lxc config trust add --name kolaboree; here: kolaboree-node lxd trust CLOUD, with that token",
        ),
        Error::NotAllowed { project, allowed, .. } if !allowed.contains(project) => (9, ANOTHER_PROJECT),
        Error::NotAllowed { .. } => (9, ""),
        Error::TokenRefused { .. } => (9, "tokens work once, and expire: make a new one there"),
        Error::Protocol { .. } => (10, ""),
        Error::Timeout { .. } => (7, ""),
        Error::Config { .. } => (2, ""),
        Error::Api { code: 404, .. } => (5, ""),
        Error::Api { message, .. } | Error::Operation { message, .. } if message.contains("CRIU isn't") => {
            (1, "stop the instance first, or give --stateless, which leaves what runs in it behind")
        }
        _ => return None, // what is behind it
    })
}

/// The error in a line of the log or of a cloud's health, with what to do where that is known.
pub(crate) fn in_log(error: &lxd_client::Error) -> String {
    use lxd_client::Error;
    let line = one_line(error);
    match error {
        Error::NotTrusted { .. } => format!(
            "{line}; run `lxc config trust add --name kolaboree` there, and `kolaboree-node lxd trust CLOUD` here"
        ),
        Error::NotAllowed { project, allowed, .. } if !allowed.contains(project) => {
            format!("{line}; {ANOTHER_PROJECT}")
        }
        Error::WrongFingerprint { .. } => {
            format!("{line}: it is another server, or has a new certificate; compare with `lxc info` there")
        }
        error if error.is_wrong_certificate() => format!("{line}; {PIN}"),
        _ => line,
    }
}
