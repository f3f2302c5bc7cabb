//! Every error of this crate as an I/O error of the right kind, for callers that work with streams. The error itself is
//! in it: see [`chain`](crate::chain).

use std::io;

#[cfg(feature = "lxc-config")]
use crate::LxcConfigError;
use crate::{Error, IdentityError, InvalidAuthorities, InvalidCertificate, InvalidFingerprint, InvalidToken};

macro_rules! into_io_error {
    ($($error:ty: $kind:expr;)+) => {$(
        impl From<$error> for io::Error {
            fn from(error: $error) -> io::Error {
                io::Error::new($kind(&error), error)
            }
        }
    )+};
}

into_io_error! {
    Error: kind;
    IdentityError: identity;
    InvalidAuthorities: invalid;
    InvalidCertificate: invalid;
    InvalidFingerprint: invalid;
    InvalidToken: invalid;
}

#[cfg(feature = "lxc-config")]
into_io_error! {
    LxcConfigError: lxc_config;
}

fn kind(error: &Error) -> io::ErrorKind {
    match error {
        _ if error.is_timeout() => io::ErrorKind::TimedOut,
        _ if error.is_conflict() => io::ErrorKind::AlreadyExists,
        Error::Api { code: 404, .. } => io::ErrorKind::NotFound,
        Error::Broken { .. } => io::ErrorKind::ConnectionReset,
        Error::NotTrusted { .. }
        | Error::NotAllowed { .. }
        | Error::TokenRefused { .. }
        | Error::LoginRequired { .. } => io::ErrorKind::PermissionDenied,
        Error::Protocol { .. } | Error::WrongFingerprint { .. } => io::ErrorKind::InvalidData,
        Error::Unsupported { .. } => io::ErrorKind::Unsupported,
        Error::Config { .. } | Error::InvalidToken(_) => io::ErrorKind::InvalidInput,
        Error::Connect { .. }
        | Error::Timeout { .. }
        | Error::Api { .. }
        | Error::Operation { .. }
        | Error::OperationLost { .. }
        | Error::Local { .. } => error.io_kind().unwrap_or(io::ErrorKind::Other),
    }
}

fn identity(error: &IdentityError) -> io::ErrorKind {
    match error {
        IdentityError::File { source, .. } => source.kind(),
        IdentityError::Invalid { .. } | IdentityError::UnsupportedKey { .. } => io::ErrorKind::InvalidData,
        IdentityError::Generate { .. } => io::ErrorKind::Other,
    }
}

#[cfg(feature = "lxc-config")]
fn lxc_config(error: &LxcConfigError) -> io::ErrorKind {
    match error {
        LxcConfigError::File { source, .. } => source.kind(),
        LxcConfigError::Malformed { .. } => io::ErrorKind::InvalidData,
        LxcConfigError::Remote { .. } => io::ErrorKind::InvalidInput,
        LxcConfigError::NoHome { .. } => io::ErrorKind::NotFound,
        LxcConfigError::Identity { source, .. } => identity(source),
        LxcConfigError::Client(source) => kind(source),
    }
}

/// A text that is not what it should be.
fn invalid<T>(_: &T) -> io::ErrorKind {
    io::ErrorKind::InvalidInput
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;
    use std::io::ErrorKind::{self, *};
    use std::time::Duration;

    use http::HeaderMap;

    use super::*;
    use crate::{Authorities, Fingerprint, OidcLogin, TrustToken, chain, one_line};

    /// Names the variants of an enum. One that is added does not compile until it is here, and fails until it is in a row.
    macro_rules! variants {
        ($all:ident, $name:ident, $error:ident: $($variant:ident)+) => {
            const $all: &[&str] = &[$(stringify!($error::$variant)),+];
            fn $name(error: &$error) -> &'static str {
                match error {
                    $($error::$variant { .. } => stringify!($error::$variant),)+
                }
            }
        };
    }

    variants!(ERRORS, of_error, Error: Config Connect WrongFingerprint Timeout NotTrusted NotAllowed TokenRefused
        InvalidToken Api Broken Unsupported LoginRequired Operation OperationLost Local Protocol);
    variants!(IDENTITY_ERRORS, of_identity, IdentityError: Invalid UnsupportedKey File Generate);
    #[cfg(feature = "lxc-config")]
    variants!(LXC_CONFIG_ERRORS, of_lxc_config, LxcConfigError: File Malformed Remote NoHome Identity Client);

    /// What an error becomes, and the kind that it is to have.
    struct Row {
        variant: &'static str,
        text: String,
        becomes: io::Error,
        kind: ErrorKind,
        has_cause: bool,
    }

    /// The error behind others.
    fn cause(kind: ErrorKind) -> io::Error {
        io::Error::new(kind, "the cause")
    }

    fn rows() -> Vec<Row> {
        fn row<E: StdError + Into<io::Error>>(
            variant: &'static str,
            error: E,
            kind: ErrorKind,
            has_cause: bool,
        ) -> Row {
            Row { variant, text: error.to_string(), becomes: error.into(), kind, has_cause }
        }
        let t = || "text".to_owned();
        let error = |error: Error, kind, has_cause| row(of_error(&error), error, kind, has_cause);
        let connect = |kind| Error::Connect { server: t(), source: cause(kind).into() };
        let broken = |kind| Error::Broken { server: t(), source: cause(kind).into() };
        let api = |code| Error::Api { code, message: t() };
        let protocol = |source| Error::Protocol { server: t(), message: t(), source };
        let pin: Fingerprint = "ab".repeat(32).parse().unwrap();
        let mut issuer = HeaderMap::new();
        issuer.insert("x-lxd-oidc-issuer", "https://id.example".parse().unwrap());
        let login = Box::new(OidcLogin::of(&issuer).unwrap());
        let allowed = vec![t()];
        let mut rows = vec![
            error(Error::config("text"), InvalidInput, false),
            error(Error::config_because("text", cause(Other)), InvalidInput, true),
            error(connect(ConnectionRefused), ConnectionRefused, true),
            error(connect(TimedOut), TimedOut, true),
            error(Error::WrongFingerprint { expected: pin, actual: pin }, InvalidData, false),
            error(Error::Timeout { server: t(), after: Duration::from_secs(1) }, TimedOut, false),
            error(Error::NotTrusted { message: t() }, PermissionDenied, false),
            error(Error::NotAllowed { message: t(), project: t(), allowed }, PermissionDenied, false),
            error(Error::TokenRefused { message: t() }, PermissionDenied, false),
            error("x".parse::<TrustToken>().unwrap_err().into(), InvalidInput, false),
            error(api(404), NotFound, false),
            error(api(409), AlreadyExists, false),
            error(api(500), Other, false),
            error(broken(UnexpectedEof), ConnectionReset, true),
            error(broken(TimedOut), TimedOut, true),
            error(Error::Unsupported { server: t(), extension: "text" }, Unsupported, false),
            error(Error::LoginRequired { login }, PermissionDenied, false),
            error(Error::Operation { id: t(), message: t(), state: None }, Other, false),
            error(Error::OperationLost { id: t() }, Other, false),
            error(Error::Local { message: t(), source: cause(StorageFull) }, StorageFull, true),
            error(protocol(None), InvalidData, false),
            error(protocol(Some(cause(Other).into())), InvalidData, true),
        ];
        let identity = |error: IdentityError, kind, has| row(of_identity(&error), error, kind, has);
        let generate = || IdentityError::Generate { source: cause(Other).into() };
        rows.extend([
            identity(IdentityError::Invalid { part: "key", reason: "text" }, InvalidData, false),
            identity(IdentityError::UnsupportedKey { kind: t() }, InvalidData, false),
            identity(IdentityError::File { path: t(), source: cause(NotADirectory) }, NotADirectory, true),
            identity(generate(), Other, true),
        ]);
        #[cfg(feature = "lxc-config")]
        {
            use LxcConfigError::{Client, File, Identity, Malformed, NoHome, Remote};
            let config = |error: LxcConfigError, kind, has| row(of_lxc_config(&error), error, kind, has);
            let source = Some(cause(Other).into());
            rows.extend([
                config(File { path: t(), source: cause(NotADirectory) }, NotADirectory, true),
                config(Malformed { path: t(), message: t(), source }, InvalidData, true),
                config(Remote { name: t(), reason: t() }, InvalidInput, false),
                config(NoHome { variable: "text" }, NotFound, false),
                config(Identity { path: t(), source: generate() }, Other, true),
                config(Client(connect(TimedOut)), TimedOut, true),
            ]);
        }
        rows.extend([
            row("InvalidToken", "x".parse::<TrustToken>().unwrap_err(), InvalidInput, false),
            row("InvalidFingerprint", "x".parse::<Fingerprint>().unwrap_err(), InvalidInput, false),
            row("InvalidCertificate", Fingerprint::of_pem("x").unwrap_err(), InvalidInput, false),
            row("InvalidAuthorities", Authorities::from_pem("x", None).unwrap_err(), InvalidInput, false),
        ]);
        rows
    }

    #[test]
    fn every_error_keeps_its_cause_and_is_an_io_error_of_the_right_kind() {
        let rows = rows();
        for Row { variant, text, becomes, kind, has_cause } in &rows {
            assert_eq!((becomes.kind(), becomes.to_string()), (*kind, text.clone()), "{variant}");
            let last = chain(becomes).last().map(ToString::to_string);
            assert_eq!(last.as_deref() == Some("the cause"), *has_cause, "{variant}: {last:?}");
            assert!(one_line(becomes).contains(text.as_str()), "{variant}");
        }
        let mut all = [ERRORS, IDENTITY_ERRORS].concat();
        #[cfg(feature = "lxc-config")]
        all.extend(LXC_CONFIG_ERRORS);
        all.retain(|variant| !rows.iter().any(|row| row.variant == *variant));
        assert!(all.is_empty(), "there is no row for {all:?}");
    }
}
