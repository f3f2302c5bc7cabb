//! PEM files. The only use of rustls-pemfile, which is no longer maintained: its code lives on in
//! `rustls::pki_types::pem`, and a change to that touches this file alone.

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates in `pem`, in their order. Other sections are skipped.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let certificates: Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_bytes()).collect();
    match certificates {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err("there is no CERTIFICATE section in it"),
        Err(_) => Err("it is not well-formed PEM"),
    }
}

/// The first private key in `pem`: PKCS#8, PKCS#1 or SEC1.
pub(crate) fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, &'static str> {
    match rustls_pemfile::private_key(&mut pem.as_bytes()) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err("there is no PRIVATE KEY section in it"),
        Err(_) => Err("it is not well-formed PEM"),
    }
}
