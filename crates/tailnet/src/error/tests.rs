use std::error::Error;
use std::io::ErrorKind;

use super::*;
use crate::{AuthKey, LocalApiError, Subnet};

fn addr() -> Address {
    "lxd:8443".parse().unwrap()
}

fn text() -> String {
    "why".to_owned()
}

fn malformed() -> MalformedAnswer {
    crate::go_json::read::<u8>("{").unwrap_err()
}

fn io_error() -> io::Error {
    ErrorKind::StorageFull.into()
}

/// Every public error, each of its variants, and the kind that it becomes.
fn all() -> Vec<(io::Error, ErrorKind)> {
    use ErrorKind::*;
    let (message, after) = (text(), Duration::from_secs(1));
    let refused = |status| LocalApiError::Refused { status, message: text() };
    vec![
        (UpError::Config { message: text() }.into(), InvalidInput),
        (UpError::NeedsLogin { url: text() }.into(), PermissionDenied),
        (UpError::KeyExpired { message: text() }.into(), PermissionDenied),
        (UpError::NeedsApproval.into(), PermissionDenied),
        (UpError::AuthRejected { message: text() }.into(), PermissionDenied),
        (UpError::ControlUnreachable { message: text() }.into(), HostUnreachable),
        (UpError::ControlUntrusted { message: text() }.into(), InvalidData),
        (UpError::StateFolder { message: text(), source: None }.into(), Other),
        (UpError::StateFolder { message: text(), source: Some(io_error()) }.into(), StorageFull),
        (UpError::Timeout { after, message: text() }.into(), TimedOut),
        (UpError::Closed.into(), NotConnected),
        (UpError::wrong_library(0).into(), Unsupported),
        (UpError::Malformed(malformed()).into(), InvalidData),
        (UpError::Other { message: text() }.into(), Other),
        (ConnectError::InvalidAddress("".parse::<Address>().unwrap_err()).into(), InvalidInput),
        (ConnectError::NotInTailnet { addr: addr() }.into(), NetworkUnreachable),
        (ConnectError::NoSuchHost { addr: addr(), message: text() }.into(), NotFound),
        (ConnectError::Refused { addr: addr() }.into(), ConnectionRefused),
        (ConnectError::Unreachable { addr: addr(), message: text() }.into(), HostUnreachable),
        (ConnectError::Timeout { addr: addr(), after, message: text() }.into(), TimedOut),
        (ConnectError::NotRunning { addr: addr(), message: text() }.into(), NetworkDown),
        (ConnectError::Closed { addr: addr() }.into(), NotConnected),
        (ConnectError::NoRuntime { addr: addr() }.into(), Unsupported),
        (ConnectError::Malformed { addr: addr(), source: malformed() }.into(), InvalidData),
        (ConnectError::Socket { addr: addr(), source: io_error() }.into(), StorageFull),
        (ConnectError::Other { addr: addr(), message: text() }.into(), Other),
        (ListenError::Address { message: text() }.into(), AddrNotAvailable),
        (ListenError::InUse { message: text() }.into(), AddrInUse),
        (ListenError::NotRunning { message: text() }.into(), NetworkDown),
        (ListenError::NotAllowed { message: text() }.into(), PermissionDenied),
        (ListenError::Closed.into(), NotConnected),
        (ListenError::Socket(io_error()).into(), StorageFull),
        (ListenError::NoRuntime.into(), Unsupported),
        (ListenError::Other { message: text() }.into(), Other),
        (AcceptError::Closed.into(), NotConnected),
        (AcceptError::NoRuntime.into(), Unsupported),
        (AcceptError::Socket(io_error()).into(), StorageFull),
        (AcceptError::Other { message: text() }.into(), Other),
        (StatusError::Closed.into(), NotConnected),
        (StatusError::Malformed(malformed()).into(), InvalidData),
        (StatusError::Other { message: text() }.into(), Other),
        (refused(404).into(), NotFound),
        (refused(403).into(), PermissionDenied),
        (refused(500).into(), Other),
        (LocalApiError::Invalid { message: text() }.into(), InvalidInput),
        (LocalApiError::Timeout { after }.into(), TimedOut),
        (LocalApiError::Closed.into(), NotConnected),
        (LocalApiError::Malformed(malformed()).into(), InvalidData),
        (LocalApiError::Other { message }.into(), Other),
        (CloseTimeout { after }.into(), TimedOut),
        (malformed().into(), InvalidData),
        ("".parse::<Address>().unwrap_err().into(), InvalidInput),
        ("".parse::<AuthKey>().unwrap_err().into(), InvalidInput),
        ("".parse::<Subnet>().unwrap_err().into(), InvalidInput),
    ]
}

#[test]
fn every_public_error_becomes_an_io_error_of_the_right_kind_that_holds_it() {
    for (error, kind) in all() {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.get_ref().is_some(), "{error:?}");
    }
}

#[test]
fn what_another_error_has_caused_gives_that_as_its_source() {
    let caused: [Box<dyn Error>; 8] = [
        Box::new(UpError::StateFolder { message: text(), source: Some(io_error()) }),
        Box::new(UpError::Malformed(malformed())),
        Box::new(ConnectError::Malformed { addr: addr(), source: malformed() }),
        Box::new(ConnectError::Socket { addr: addr(), source: io_error() }),
        Box::new(ListenError::Socket(io_error())),
        Box::new(AcceptError::Socket(io_error())),
        Box::new(StatusError::Malformed(malformed())),
        Box::new(LocalApiError::Malformed(malformed())),
    ];
    for error in caused {
        assert!(error.source().is_some(), "{error:?}");
    }
}

#[test]
fn a_failed_dial_shows_what_the_node_says_of_the_dns_server() {
    let of = |code, message: &str| {
        let failure = Failure { code, message: message.to_owned(), data: String::new() };
        ConnectError::of(failure, addr(), Duration::from_secs(2))
    };
    let unknown = of(sys::TAILSCALE_NO_SUCH_HOST, "100.64.0.9 knows no name \"lxd\" (NXDOMAIN)");
    assert_eq!(unknown.to_string(), "100.64.0.9 knows no name \"lxd\" (NXDOMAIN)");
    assert!(unknown.is_not_found() && !unknown.is_retryable() && !unknown.is_timeout());
    let silent = of(sys::TAILSCALE_TIMEOUT, "100.64.0.9 gave no answer");
    assert_eq!(silent.to_string(), "lxd:8443 gave no answer within 2 s: 100.64.0.9 gave no answer");
    assert!(silent.is_timeout() && silent.is_retryable() && !silent.is_not_found());
    assert_eq!(of(sys::TAILSCALE_TIMEOUT, NO_ANSWER).to_string(), "lxd:8443 gave no answer within 2 s");
}
