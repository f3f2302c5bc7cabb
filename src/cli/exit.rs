//! A failed command: its error line and hint for people, its exit code for scripts.

use std::error::Error as StdError;
use std::fmt;

use crate::actions::ActionError;
use crate::control::client::ControlError;
use crate::control::protocol::FailureCode;
use crate::node::{AskError, NodeError};
use crate::remedy::{self, Remedy};

/// The exit code of a command that was interrupted, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// A failure as a command shows it.
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

/// The error and what to do, a line each.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// An error that a command finds by itself, with its exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UserError {
    pub(crate) code: u8,
    pub(crate) message: String,
    /// What to do, or nothing.
    pub(crate) hint: &'static str,
}

impl UserError {
    pub(crate) fn new(code: u8, message: impl Into<String>) -> UserError {
        UserError { code, message: message.into(), hint: "" }
    }
}

/// A name was given without its cloud, and there are several clouds.
#[derive(Debug, thiserror::Error)]
#[error("{name:?} does not say in which cloud: write CLOUD:{name}")]
pub(crate) struct NoCloud {
    pub(crate) name: String,
}

/// A wrong argument, or one for which the configuration has nothing.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    UserError::new(2, message).into()
}

impl Failure {
    /// The exit code and hint of the first cause in the chain that has any.
    pub(crate) fn of(error: &anyhow::Error) -> Failure {
        let message = crate::cloud::one_line(error.as_ref());
        for cause in error.chain().flat_map(lxd_client::chain) {
            if let Some((code, hint)) = known(cause) {
                return Failure { code, message, hint: Some(hint).filter(|hint| !hint.is_empty()) };
            }
        }
        Failure { code: 1, message, hint: None }
    }
}

/// The error with a line for each cause, each text once, and where it happened if `RUST_BACKTRACE` asks for that.
pub(crate) fn with_causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().flat_map(lxd_client::chain).map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text += &format!("\n  because: {cause}");
        }
    }
    if error.backtrace().status() == std::backtrace::BacktraceStatus::Captured {
        text += &format!("\n{}", error.backtrace());
    }
    text
}

/// The exit code and the hint of an error, where it has any.
fn known(cause: &(dyn StdError + 'static)) -> Option<Remedy> {
    if let Some(error) = cause.downcast_ref::<NodeError>() {
        return match error.root() {
            NodeError::Join(error) => remedy::of(error),
            NodeError::Key(error) => remedy::of(error),
            _ => None,
        };
    }
    if let Some(error) = cause.downcast_ref::<AskError>() {
        return match error {
            AskError::NotJoined(_) => Some((4, remedy::BRING_BACK)),
            AskError::NoSuchCloud(_) => Some((5, "")),
            AskError::NoSuchPeer(_) => Some((5, "`kolaboree-node status` lists the nodes of the tailnet")),
            AskError::NotLookedUp(_) => Some((7, "")),
            AskError::NoSuchKind(_) | AskError::Invalid(_) => Some((2, "")),
            _ => None, // what is behind it
        };
    }
    if let Some(error) = cause.downcast_ref() {
        return Some(of_control(error));
    }
    if let Some(error) = cause.downcast_ref::<UserError>() {
        return Some((error.code, error.hint));
    }
    if cause.is::<NoCloud>() {
        return Some((2, ""));
    }
    if let Some(error) = cause.downcast_ref::<ActionError>() {
        return match error {
            ActionError::Cloud(error) => remedy::of(error),
            ActionError::Refused(_) => Some((2, "")),
            ActionError::NotFound(_) => Some((5, "")),
            ActionError::Unverified(_) => Some((1, "")),
            ActionError::Conflict(_) => Some((1, "")),
            ActionError::Cancelled(_) => Some((INTERRUPTED, "")),
            ActionError::HalfDone { error, .. } => known(error.as_ref()), // which stands in a box, as another type
        };
    }
    remedy::of(cause)
}

fn of_control(error: &ControlError) -> Remedy {
    match error {
        ControlError::NoNode(_) => (11, ""),
        ControlError::Timeout(_) => (7, ""),
        ControlError::Refused(failure) => match failure.code {
            FailureCode::Invalid => (2, ""),
            FailureCode::AuthRejected | FailureCode::NeedsLogin | FailureCode::KeyExpired => {
                (3, "give a new key: `kolaboree-node up --key-from FILE`")
            }
            FailureCode::NeedsApproval => (3, remedy::APPROVE),
            FailureCode::ControlUnreachable => (4, remedy::REACH),
            FailureCode::NotInTailnet => {
                (5, "`kolaboree-node status` lists the nodes; nothing was sent by the host's network")
            }
            FailureCode::NoSuchHost | FailureCode::NoSuchPeer | FailureCode::NotFound => {
                (5, "`kolaboree-node status` lists the nodes of the tailnet")
            }
            FailureCode::Refused => (6, ""),
            FailureCode::Timeout | FailureCode::Unreachable => (7, ""),
            FailureCode::ControlUntrusted => (8, ""),
            FailureCode::NotRunning => (4, remedy::BRING_BACK),
            FailureCode::Failed | FailureCode::Other(_) => (1, ""),
        },
        _ => (1, ""),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use tailnet::{Address, BackendState, ConnectError, UpError};

    use super::*;
    use crate::config::{ConfigError, KeySource};
    use crate::control::protocol::Failure as Refusal;

    #[test]
    fn a_key_that_cannot_be_used_is_told_with_what_to_do() {
        let environment = [("TS_AUTHKEY", "tskey-auth-hush?ephemeral=false")].into_iter().collect();
        let error = KeySource::from_environment(&environment).unwrap_err();
        let failure = Failure::of(&ConfigError::from(error).into());
        assert_eq!(failure.code, 2);
        let hint = failure.hint.unwrap();
        assert!(hint.contains("leave the ? and all behind it out"), "{hint}");
    }

    fn text() -> String {
        "x".to_owned()
    }

    fn up_errors() -> Vec<(UpError, u8)> {
        vec![
            (UpError::Config { message: text() }, 2),
            (UpError::NeedsLogin { url: text() }, 3),
            (UpError::KeyExpired { message: text() }, 3),
            (UpError::NeedsApproval, 3),
            (UpError::AuthRejected { message: text() }, 3),
            (UpError::ControlUnreachable { message: text() }, 4),
            (UpError::ControlUntrusted { message: text() }, 8),
            (UpError::StateFolder { message: text(), source: None }, 1),
            (UpError::Timeout { after: Duration::from_secs(1), message: text() }, 4),
            (UpError::Closed, 1),
            (UpError::WrongLibrary { needed: 1, found: 2 }, 1),
            (UpError::Other { message: text() }, 1),
        ]
    }

    fn connect_errors() -> Vec<(ConnectError, u8)> {
        let addr: Address = "lxd:8443".parse().unwrap();
        let after = Duration::from_secs(1);
        vec![
            ("nothing".parse::<Address>().unwrap_err().into(), 2),
            (ConnectError::NotInTailnet { addr: addr.clone() }, 5),
            (ConnectError::NoSuchHost { addr: addr.clone(), message: text() }, 5),
            (ConnectError::Refused { addr: addr.clone() }, 6),
            (ConnectError::Unreachable { addr: addr.clone(), message: text() }, 7),
            (ConnectError::Timeout { addr: addr.clone(), after, message: text() }, 7),
            (ConnectError::NotRunning { addr: addr.clone(), message: text() }, 4),
            (ConnectError::Closed { addr: addr.clone() }, 1),
            (ConnectError::NoRuntime { addr: addr.clone() }, 1),
            (ConnectError::Other { addr, message: text() }, 1),
        ]
    }

    fn lxd_errors() -> Vec<(lxd_client::Error, u8)> {
        use lxd_client::Error;
        let not_allowed = |allowed: &[&str]| Error::NotAllowed {
            message: text(),
            project: "a".to_owned(),
            allowed: allowed.iter().map(|&name| name.to_owned()).collect(),
        };
        let [expected, actual] = ["0", "1"].map(|digit| digit.repeat(64).parse().unwrap());
        let refused = ConnectError::Refused { addr: "lxd:8443".parse().unwrap() };
        vec![
            (Error::Config { message: text(), source: None }, 2),
            (Error::Connect { server: text(), source: refused.into() }, 6),
            (Error::Connect { server: text(), source: "x".into() }, 1),
            (Error::WrongFingerprint { expected, actual }, 8),
            (Error::Timeout { server: text(), after: Duration::from_secs(1) }, 7),
            (Error::NotTrusted { message: text() }, 9),
            (not_allowed(&["a"]), 9),
            (not_allowed(&["b"]), 9),
            (Error::TokenRefused { message: text() }, 9),
            (Error::Api { code: 404, message: text() }, 5),
            (Error::Api { code: 500, message: text() }, 1),
            (Error::Broken { server: text(), source: "x".into() }, 1),
            (Error::Unsupported { server: text(), extension: "x" }, 1),
            (Error::Operation { id: text(), message: text(), state: None }, 1),
            (Error::OperationLost { id: text() }, 1),
            (Error::Local { message: text(), source: io::ErrorKind::NotFound.into() }, 1),
            (Error::Protocol { server: text(), message: text(), source: None }, 10),
        ]
    }

    fn refusals() -> Vec<(ControlError, u8)> {
        [
            (FailureCode::NotRunning, 4),
            (FailureCode::NotInTailnet, 5),
            (FailureCode::NoSuchPeer, 5),
            (FailureCode::NoSuchHost, 5),
            (FailureCode::NotFound, 5),
            (FailureCode::Invalid, 2),
            (FailureCode::AuthRejected, 3),
            (FailureCode::NeedsLogin, 3),
            (FailureCode::NeedsApproval, 3),
            (FailureCode::KeyExpired, 3),
            (FailureCode::ControlUnreachable, 4),
            (FailureCode::ControlUntrusted, 8),
            (FailureCode::Refused, 6),
            (FailureCode::Unreachable, 7),
            (FailureCode::Timeout, 7),
            (FailureCode::Failed, 1),
            (FailureCode::Other(text()), 1),
        ]
        .into_iter()
        .map(|(code, exit)| (ControlError::Refused(Refusal { error: text(), code }), exit))
        .collect()
    }

    fn ask_errors() -> Vec<(AskError, u8)> {
        vec![
            (AskError::NotJoined(BackendState::Stopped), 4),
            (AskError::NoSuchPeer(text()), 5),
            (AskError::NoSuchCloud(text()), 5),
            (AskError::NotLookedUp(text()), 7),
            (AskError::NoSuchKind(text()), 2),
            (AskError::Invalid(text()), 2),
        ]
    }

    fn action_errors() -> Vec<(ActionError, u8)> {
        use lxd_client::Error;
        let refused = ConnectError::Refused { addr: "lxd:8443".parse().unwrap() };
        vec![
            (Error::NotTrusted { message: text() }.into(), 9),
            (Error::Connect { server: text(), source: refused.into() }.into(), 6),
            (Error::Api { code: 404, message: text() }.into(), 5),
            (ActionError::Refused(text()), 2),
            (ActionError::NotFound(text()), 5),
            (ActionError::Unverified(text()), 1),
            (ActionError::Conflict(text()), 1),
            (ActionError::cancelled(), INTERRUPTED),
            (ActionError::cancelled().leaving("x"), INTERRUPTED),
            (ActionError::NotFound(text()).leaving("x"), 5),
            (ActionError::from(Error::NotTrusted { message: text() }).leaving("x"), 9),
        ]
    }

    #[test]
    fn what_is_left_behind_is_told_with_the_failure() {
        let error = ActionError::NotFound("the pool fast is not there".to_owned())
            .leaving("the instance c1 at paris");
        let told = Failure::of(&anyhow::Error::from(error).context("paris:c1")).message;
        assert!(told.starts_with("paris:c1: the pool fast is not there"), "{told}");
        assert!(told.ends_with("; left behind: the instance c1 at paris"), "{told}");
    }

    #[test]
    fn each_failure_has_its_exit_code() {
        fn all<E: Into<anyhow::Error>>(errors: Vec<(E, u8)>) -> impl Iterator<Item = (anyhow::Error, u8)> {
            errors.into_iter().map(|(error, code)| (error.into(), code))
        }
        let joins = up_errors().into_iter().map(|(error, code)| (NodeError::Join(error), code)).collect();
        let errors = all(up_errors())
            .chain(all(joins))
            .chain(all(connect_errors()))
            .chain(all(lxd_errors()))
            .chain(all(refusals()))
            .chain(all(vec![
                (ControlError::NoNode(text()), 11),
                (ControlError::Timeout(Duration::from_secs(1)), 7),
            ]))
            .chain(all(ask_errors()))
            .chain(all(action_errors()))
            .chain(all(vec![(NoCloud { name: text() }, 2)]));
        for (error, code) in errors {
            let failure = Failure::of(&error);
            assert_eq!(failure.code, code, "{error:?}");
        }
    }
}
