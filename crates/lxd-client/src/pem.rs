//! PEM files. The only use of rustls-pemfile, which is no longer maintained: its code lives on in
//! `rustls::pki_types::pem`, and a change to that touches this file alone.

use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

/// The certificates in `pem`, in their order. Other sections are skipped.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, &'static str> {
    let certificates: Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_bytes()).collect();
    match certificates {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err("there is no CERTIFICATE section in it"),
        Err(_) => Err("it is not well-formed PEM"),
    }
}

/// The lists of revoked certificates in `pem`.
pub(crate) fn revocations(pem: &str) -> Result<Vec<CertificateRevocationListDer<'static>>, &'static str> {
    let lists: Result<Vec<_>, _> = rustls_pemfile::crls(&mut pem.as_bytes()).collect();
    match lists {
        Ok(lists) if !lists.is_empty() => Ok(lists),
        Ok(_) => Err("there is no X509 CRL section in it"),
        Err(_) => Err("it is not well-formed PEM"),
    }
}

/// The first private key in `pem`: PKCS#8, PKCS#1 or SEC1.
pub(crate) fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, &'static str> {
    match rustls_pemfile::private_key(&mut pem.as_bytes()) {
        Ok(Some(key)) => Ok(key),
        _ if is_encrypted(pem) => Err(ENCRYPTED),
        _ if pem.contains("-----BEGIN OPENSSH PRIVATE KEY-----") => {
            Err("it is a key for SSH, and TLS needs one of its own: a PRIVATE KEY section")
        }
        _ if pem.contains("-----BEGIN DSA PRIVATE KEY-----") => {
            Err("it is a DSA key, which TLS no longer takes: use one on the curve P-384 or P-256")
        }
        Ok(None) => Err("there is no PRIVATE KEY section in it"),
        Err(_) => Err("it is not well-formed PEM"),
    }
}

const ENCRYPTED: &str = "the key is encrypted, and nobody is there to be asked for its passphrase: write it without \
    one (openssl pkey -in client.key -out plain.key), into a file that only its owner can read";

/// PKCS#8, or the older form that has it in a header.
fn is_encrypted(pem: &str) -> bool {
    let header = |line: &str| line.starts_with("Proc-Type:") && line.ends_with("ENCRYPTED");
    pem.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || pem.lines().map(str::trim).any(header)
}
