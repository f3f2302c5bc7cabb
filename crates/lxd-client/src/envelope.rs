//! The envelope around every JSON answer. Its `type` says what the answer is, and not the
//! HTTP status: LXD 5.0.3 and later send errors with the status 200.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// One answer of the server.
#[derive(Debug)]
pub(crate) enum Envelope {
    /// The result.
    Sync(Metadata),
    /// An operation was started.
    Async(Metadata),
    /// It failed.
    Error { code: u16, message: String },
}

/// The result in an answer, as text, so that a long list is parsed once: into the type that is wanted.
#[derive(Debug)]
pub(crate) struct Metadata(Box<RawValue>);

impl Metadata {
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        crate::nulls::read(self.0.get())
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    error: Option<String>,
    error_code: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Sync,
    Async,
    Error,
}

impl Envelope {
    pub(crate) fn parse(body: &[u8]) -> Result<Envelope, serde_json::Error> {
        let wire: Wire<'_> = serde_json::from_slice(body)?;
        let metadata = || Metadata(wire.metadata.unwrap_or(RawValue::NULL).to_owned());
        Ok(match wire.kind {
            Kind::Sync => Envelope::Sync(metadata()),
            Kind::Async => Envelope::Async(metadata()),
            Kind::Error => Envelope::Error {
                code: wire.error_code.unwrap_or_default(),
                message: wire.error.unwrap_or_default(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_decides_and_not_the_status() {
        let body =
            br#"{"type":"error","status":"Success","status_code":200,"error":"gone","error_code":404}"#;
        let parsed = Envelope::parse(body).unwrap();
        assert!(matches!(parsed, Envelope::Error { code: 404, message } if message == "gone"));
    }

    #[test]
    fn a_null_or_missing_result_is_no_error() {
        for body in [&br#"{"type":"sync","metadata":null}"#[..], br#"{"type":"sync"}"#] {
            let Envelope::Sync(metadata) = Envelope::parse(body).unwrap() else { panic!("another kind") };
            assert_eq!(metadata.read::<Option<Vec<String>>>().unwrap(), None);
        }
    }

    #[test]
    fn what_is_no_envelope_is_an_error() {
        for body in [&b""[..], b"<html>", b"[]", b"{}", br#"{"type":"other"}"#, br#"{"type":"sync""#] {
            assert!(Envelope::parse(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }
}
