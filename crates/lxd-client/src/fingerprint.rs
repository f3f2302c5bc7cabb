//! The fingerprint of a certificate: its SHA-256.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use subtle::ConstantTimeEq;

/// The SHA-256 of a certificate's DER form, by which LXD and Incus know servers and clients.
///
/// ```
/// use lxd_client::Fingerprint;
///
/// let hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let pin: Fingerprint = hex.parse()?;
/// assert_eq!(pin.to_string(), hex);
/// # Ok::<(), lxd_client::InvalidFingerprint>(())
/// ```
#[derive(Clone, Copy)]
pub struct Fingerprint([u8; 32]);

/// A text that is no [`Fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 64 hexadecimal digits (SHA-256), with or without colons between the bytes")]
pub struct InvalidFingerprint;

/// A text that is no certificate in PEM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no certificate: {reason}")]
pub struct InvalidCertificate {
    reason: &'static str,
}

impl Fingerprint {
    /// The fingerprint of a certificate.
    #[must_use]
    pub fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        let digest = ring::digest::digest(&ring::digest::SHA256, certificate);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest.as_ref());
        Fingerprint(bytes)
    }

    /// The fingerprint of the first certificate in a PEM file.
    ///
    /// # Errors
    /// When there is no certificate in it.
    pub fn of_pem(pem: &str) -> Result<Fingerprint, InvalidCertificate> {
        let certificates = crate::pem::certificates(pem).map_err(|reason| InvalidCertificate { reason })?;
        Ok(Fingerprint::of(&certificates[0])) // never empty
    }
}

/// In constant time.
impl PartialEq for Fingerprint {
    fn eq(&self, other: &Fingerprint) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Fingerprint {}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Fingerprint, InvalidFingerprint> {
        let digits: Vec<u8> = text
            .trim()
            .bytes()
            .filter(|b| *b != b':')
            .map(|b| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok()).ok_or(InvalidFingerprint))
            .collect::<Result<_, _>>()?;
        if digits.len() != 64 {
            return Err(InvalidFingerprint);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Fingerprint(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The handshake succeeded, but the certificate is not the pinned one.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the server's certificate is {actual}, not {expected}")]
pub(crate) struct PinMismatch {
    pub(crate) expected: Fingerprint,
    pub(crate) actual: Fingerprint,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_parses_with_colons_and_capitals() {
        let colons = ["AB"; 32].join(":");
        assert_eq!(colons.parse::<Fingerprint>().unwrap().to_string(), "ab".repeat(32));
    }

    #[test]
    fn what_is_no_fingerprint_is_refused() {
        for text in ["", "ab", &"ab".repeat(31), &"ab".repeat(33), &"xy".repeat(32), &"é".repeat(32)] {
            assert_eq!(text.parse::<Fingerprint>().err(), Some(InvalidFingerprint), "{text:?}");
        }
    }
}
