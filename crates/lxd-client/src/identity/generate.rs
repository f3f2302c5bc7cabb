//! Makes keys, and self-signed certificates over them. The only use of rcgen.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose,
};
use zeroize::Zeroizing;

use super::{Identity, IdentityError};

impl Identity {
    /// Makes a new P-384 key, as `lxc` does, and a self-signed certificate over it with this name. Both are PEM: first the
    /// certificate, then the key, which is a secret.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn generate_pem(name: &str) -> Result<(String, String), IdentityError> {
        let mut key = new_key()?;
        Ok((certificate_for(Use::Client, name, &key)?, std::mem::take(&mut key)))
    }
}

/// Which side of a connection shows a certificate.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Client,
    Server,
}

/// A new key, PEM.
pub(super) fn new_key() -> Result<Zeroizing<String>, IdentityError> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).map_err(failed)?;
    Ok(Zeroizing::new(key.serialize_pem()))
}

/// A self-signed certificate over a key, both PEM.
pub(super) fn certificate_for(usage: Use, name: &str, key: &str) -> Result<String, IdentityError> {
    let (other_names, purpose): (&[&str], _) = match usage {
        Use::Client => (&[], ExtendedKeyUsagePurpose::ClientAuth),
        Use::Server => (&["localhost", "127.0.0.1", "::1"], ExtendedKeyUsagePurpose::ServerAuth),
    };
    let other_names: Vec<String> = other_names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(other_names).map_err(failed)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![purpose];
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    let key = KeyPair::from_pem(key).map_err(failed)?;
    Ok(params.self_signed(&key).map_err(failed)?.pem())
}

fn failed(source: rcgen::Error) -> IdentityError {
    IdentityError::Generate { source: source.into() }
}
