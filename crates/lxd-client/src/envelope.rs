//! The envelope around every JSON answer (LXD.md section 2, "Envelope"). What an answer is, its `type`
//! says: LXD 5.0.3 and later send an error behind the HTTP status 200.

use serde::Deserialize;
use serde_json::Value;

/// One answer of the server.
#[derive(Debug, PartialEq)]
pub(crate) enum Envelope {
    /// The result.
    Sync(Value),
    /// An operation has begun.
    Async(Value),
    /// It failed.
    Error { code: u16, message: String },
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_code: u16,
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
        let wire: Wire = serde_json::from_slice(body)?;
        Ok(match wire.kind {
            Kind::Sync => Envelope::Sync(wire.metadata),
            Kind::Async => Envelope::Async(wire.metadata),
            Kind::Error => Envelope::Error { code: wire.error_code, message: wire.error },
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
        assert_eq!(parsed, Envelope::Error { code: 404, message: "gone".to_owned() });
    }

    #[test]
    fn a_null_or_missing_result_is_no_error() {
        for body in [&br#"{"type":"sync","metadata":null}"#[..], br#"{"type":"sync"}"#] {
            assert_eq!(Envelope::parse(body).unwrap(), Envelope::Sync(Value::Null));
        }
    }

    #[test]
    fn what_is_no_envelope_is_an_error() {
        for body in [&b""[..], b"<html>", b"[]", b"{}", br#"{"type":"other"}"#, br#"{"type":"sync""#] {
            assert!(Envelope::parse(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }
}
