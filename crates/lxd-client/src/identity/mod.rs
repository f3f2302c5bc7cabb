//! The certificate and key by which one side of a TLS connection knows the other.

mod folder;
mod generate;

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use x509_parser::public_key::PublicKey;
use zeroize::Zeroize;

use crate::error::BoxError;
use crate::{Fingerprint, pem, provider};

/// A certificate and its key, by which a server knows this client. `Debug` shows the fingerprint only, and the key's
/// bytes are overwritten when it is dropped.
#[derive(PartialEq, Eq)]
pub struct Identity {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Why there is no usable [`Identity`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The certificate or the key cannot be read.
    #[error("client {part}: {reason}")]
    Invalid {
        /// `certificate` or `key`.
        part: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// The key is of a kind that cannot be used.
    #[error(
        "client key: it is {kind}, which is not supported: use one on the curve P-384 or P-256, Ed25519, or RSA of \
         2048 to 4096 bits, and have the servers trust the certificate that goes with it"
    )]
    UnsupportedKey {
        /// Such as `on the curve P-521`.
        kind: String,
    },
    /// The file of the certificate or the key cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A key or its certificate could not be generated.
    #[error("cannot generate a client certificate")]
    Generate {
        /// Why.
        source: BoxError,
    },
}

impl Identity {
    /// Reads a certificate and its key, both PEM. The certificates of its issuers may follow it.
    ///
    /// # Errors
    /// When one of them is missing or malformed.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Identity, IdentityError> {
        let invalid = |part| move |reason| IdentityError::Invalid { part, reason };
        let certificates = pem::certificates(certificate).map_err(invalid("certificate"))?;
        let key = pem::private_key(key).map_err(invalid("key"))?;
        if provider::sign::any_supported_type(&key).is_err() {
            return Err(IdentityError::UnsupportedKey { kind: kind_of_key(&certificates[0]) });
        }
        Ok(Identity { certificates, key })
    }

    /// The fingerprint under which servers store the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.certificate())
    }

    pub(crate) fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificates[0] // from_pem refuses an empty list
    }

    /// For a handshake.
    pub(crate) fn certified_key(&self) -> Result<Arc<SingleCertAndKey>, rustls::Error> {
        // By reference, so that no other copy of the key's bytes is left behind.
        let key = provider::sign::any_supported_type(&self.key)?;
        let certified = CertifiedKey::new(self.certificates.clone(), key);
        certified.keys_match()?;
        Ok(Arc::new(certified.into()))
    }
}

impl Clone for Identity {
    fn clone(&self) -> Identity {
        Identity { certificates: self.certificates.clone(), key: self.key.clone_key() }
    }
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint()).finish_non_exhaustive()
    }
}

/// What kind of key a certificate is over.
fn kind_of_key(certificate: &CertificateDer<'_>) -> String {
    let unknown = || "of an unknown kind, or broken".to_owned();
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(certificate) else { return unknown() };
    let key = parsed.public_key();
    if let Ok(PublicKey::RSA(rsa)) = key.parsed() {
        return format!("RSA of {} bits", rsa.key_size());
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|p| p.as_oid().ok()).map(|oid| oid.to_id_string());
    match (key.algorithm.algorithm.to_id_string().as_str(), curve.as_deref()) {
        ("1.2.840.10045.2.1", Some("1.3.132.0.35")) => "on the curve P-521".to_owned(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.33")) => "on the curve P-224".to_owned(),
        ("1.2.840.10045.2.1", Some("1.3.132.0.10")) => "on the curve secp256k1".to_owned(),
        ("1.2.840.10045.2.1", Some(other)) => format!("on the curve {other}"),
        ("1.2.840.10040.4.1", _) => "DSA".to_owned(),
        ("1.3.101.113", _) => "Ed448".to_owned(),
        _ => unknown(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    // Made by openssl for this test, and used nowhere else.
    const P521: (&str, &str) = (
        "-----BEGIN CERTIFICATE-----\nMIIB9jCCAVigAwIBAgIUbi7NsalIeirT5z0ZO87SBHz0alEwCgYIKoZIzj0EAwIw\nDDEKMAgGA1UEAwwBdDAgFw0yNjExMjgxNjMzMzRaGA8yMTI2MTEwNDE2MzMzNFow\nDDEKMAgGA1UEAwwBdDCBmzAQBgcqhkjOPQIBBgUrgQQAIwOBhgAEAK4+7wy49kE7\nn9n6btM6vxleShkynuuGAS03GzvzF4OENyVr/tBWOFCLp/ZAh53FXWGE8hdsXUm/\n8/Gt4Ofu1vMDAIfN7EkRbSC98T5H8pr+n6sIJaQ4pogrw/GjiVCnGgZbgILp5juj\nLgeN1tlImERbA3BIvFYByuLdpYTmLkmE1NlPo1MwUTAdBgNVHQ4EFgQUNiz1bfE5\nfqnqg9MbQLSoHFOjK6EwHwYDVR0jBBgwFoAUNiz1bfE5fqnqg9MbQLSoHFOjK6Ew\nDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgOBiwAwgYcCQQVb8OR0by9jRP9d\n9az/GRVnluRxDCv76EBrZr8b0DAHcZhYwYL7ffi2aF4mCkHYroAAciDRV96n/hdc\nb5jT8f6jAkIBqvo/k1AOWa+hb9dnUAxUDqQhPoboA2WssLzie/DN9vq8APbAsnGX\nVG++PDebHGY2cc9dO9DjkYxL0WL8nSxPSlw=\n-----END CERTIFICATE-----\n",
        "-----BEGIN EC PRIVATE KEY-----\nMIHcAgEBBEIBU0m+iq8GriwJx0oS3H7A4/HFtisqDLxj2F2rN2jfJrIGMIRO6wMv\nj11ddUbTj4724TwtAfKiSZ10NOHBhgc875+gBwYFK4EEACOhgYkDgYYABACuPu8M\nuPZBO5/Z+m7TOr8ZXkoZMp7rhgEtNxs78xeDhDcla/7QVjhQi6f2QIedxV1hhPIX\nbF1Jv/PxreDn7tbzAwCHzexJEW0gvfE+R/Ka/p+rCCWkOKaIK8Pxo4lQpxoGW4CC\n6eY7oy4HjdbZSJhEWwNwSLxWAcri3aWE5i5JhNTZTw==\n-----END EC PRIVATE KEY-----\n",
    );
    const RSA_1024: (&str, &str) = (
        "-----BEGIN CERTIFICATE-----\nMIIB9jCCAV+gAwIBAgIUR3ivve6lLEppv3P7IA5BwYHTKsgwDQYJKoZIhvcNAQEL\nBQAwDDEKMAgGA1UEAwwBdDAgFw0yNjExMjgxNjMzMzRaGA8yMTI2MTEwNDE2MzMz\nNFowDDEKMAgGA1UEAwwBdDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAlX0t\nj6UdyPdEm/O+WexlmXh3o63+LMR3lndhYK+eSDUr4bo1o+r3fUMxCDBP+ouWgo5E\nTWr+topW+8HyNREHw2tQB5vkjWE7F9w528qVFhN2uC9fVNj5CySggrYW5cG2vgOl\n9Vc5LubgaZbxW0GumW5dh9VAjUpMNkNCMSw0JfECAwEAAaNTMFEwHQYDVR0OBBYE\nFHQ+UF4z0q1ldPXD+nZ9CjnBGlr2MB8GA1UdIwQYMBaAFHQ+UF4z0q1ldPXD+nZ9\nCjnBGlr2MA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEAEbWPi/5C\nqBFXR5QcyE2AzKfLLs9ZOVIhZbnsK8csd+DtBABVzPCbwFv9vohruWkJl3jbVdT/\nFlaIueZffmC1LFTucUPAAsjE9hvgd08EaIGwoGgM1R4qoWvIvtVAzawwwHPYs3KC\nsE9Yt2jY10w3cTp4GZo9xZLy0zg2ltlR1yc=\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nMIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAJV9LY+lHcj3RJvz\nvlnsZZl4d6Ot/izEd5Z3YWCvnkg1K+G6NaPq931DMQgwT/qLloKORE1q/raKVvvB\n8jURB8NrUAeb5I1hOxfcOdvKlRYTdrgvX1TY+QskoIK2FuXBtr4DpfVXOS7m4GmW\n8VtBrpluXYfVQI1KTDZDQjEsNCXxAgMBAAECgYBfjO2sXVwWcoa2MCxBiiq+2BOQ\n2cwXjVTrJk9l35sKiIIN/FoA9lVPCb2zgD3+5W5E8O6TlYpN30sODL/mT4Zn1ngH\nqIiBnJRUH1M4JGtMi9e1E48Z9+6f3NRf5Ly9Hlp5O3/LRd93ZBO9qmseU1DGDLOe\nwRJlGwLM+BsVuMySSQJBAMbdAmGX6+B6AqVS0za0cQXHPRf4wLM8N6AAVveICrgv\ncPIpgGzDuwCAiIfIiJerprOe1EtX6HdRi6T3OADs5Q8CQQDAcInZunxXBur5xQWG\nNDdZgyHMY+SEI/X6Ak0B1sYLZqtm0Tom9KHY1lpwlIK9FYe8rZfZvTEa8hxhNFze\nXET/AkEAo+hL6yat20KVZbCDuGY3dfzHJTf5lIHAk1dUVwfBVhh8Loz4di1Jt9s5\nLTmjI+fuKcRy1Hrrd1U2FU1S0qhvDwJBAJuIWWHH/0a3KKLGQji9ax7FhUOUWNUT\n23I8+dBKrbX5PP7Ui5OAlG6UkHP9E82O4S31f41UA6QrmhRWJdjx6jECQQCgR89Y\n6prB4PTQOf/fl0ATGuOtGHkjECnCH26ApONDY3fBZWa62g73R1QJM5lFMaZ2nGtX\nkr+F8NCsW7pAnTQJ\n-----END PRIVATE KEY-----\n",
    );
    const ENCRYPTED_PKCS8: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiOWpT0//mf7wICCAAw\nDAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELQhdhHXwexEvCz1m/5IF6kEgZD7\njjx+QmoU84zy1ZSv1yplMYds22pp8r9vy7yIjxuj/3UU6kPhGFOkoVWncqlG37/P\nAHRFuppdwtktYoVnyBL77tfNFbzXvneFYAD1jbJIGCqR68Jv+rt51KKXY+qoiq/P\nXsCYKd8AKK3R8qSgZEczjTBjjZJohP8k5ZzRCsQGdmX+57Ht3EHJbo1c1HI8ulY=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    const ENCRYPTED_SEC1: &str = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,AD8647DE3393A670DD1AF4750AB230EB\n\nmlfNxhjzv/tDApfExu9/hTYFzAvqak33J0iJGCAAhQS0qBT+i6ouUbuSmrydYGL9\nYfUC0U4OurOuG27kqF5dc9G+Cg9PQTcU7HfsASI7ZXIOwdHIeEc1SodBlj+QHX6E\n/G5nmb1+Z+hfQ81jf/l/avH8AOFhxyY/h41e24TUEO4=\n-----END EC PRIVATE KEY-----\n";

    #[test]
    fn a_key_that_cannot_be_used_is_told_with_its_kind_and_what_to_do() {
        for ((certificate, key), kind) in [(P521, "on the curve P-521"), (RSA_1024, "RSA of 1024 bits")] {
            let error = Identity::from_pem(certificate, key).unwrap_err();
            assert!(
                matches!(&error, IdentityError::UnsupportedKey { kind: told } if told == kind),
                "{error:?}"
            );
            let error = error.to_string();
            assert!(error.contains(kind) && error.contains("P-384"), "{error}");
        }
    }

    #[test]
    fn an_encrypted_key_is_told_from_a_broken_one() {
        let (certificate, _) = Identity::generate_pem("test").unwrap();
        for key in [ENCRYPTED_PKCS8, ENCRYPTED_SEC1, &ENCRYPTED_SEC1.replace('\n', "\r\n")] {
            let error = Identity::from_pem(&certificate, key).unwrap_err().to_string();
            assert!(error.contains("the key is encrypted") && error.contains("openssl pkey"), "{error}");
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("client.key"), key).unwrap();
            let error = Identity::load_or_generate(folder.path(), "test").unwrap_err().to_string();
            assert!(error.contains("the key is encrypted"), "{error}");
        }
        let section = |name: &str| format!("-----BEGIN {name}-----\nAAAA\n-----END {name}-----\n");
        for (name, told) in [
            ("OPENSSH PRIVATE KEY", "SSH"),
            ("DSA PRIVATE KEY", "DSA"),
            ("CERTIFICATE", "no PRIVATE KEY section"),
        ] {
            let error = Identity::from_pem(&certificate, &section(name)).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
