//! TLS to a server that is known by its fingerprint, or by the system's certificate authorities.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};

use crate::error::BoxError;
use crate::fingerprint::PinMismatch;
use crate::provider::default_provider;
use crate::{Error, Fingerprint, Identity, pem};

/// By what a client knows its server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerTrust {
    /// The server's certificate has this fingerprint. Its name and issuer do not matter.
    Fingerprint(Fingerprint),
    /// A certificate authority of the system vouches for the server's name. It needs the feature `native-roots`: without
    /// it, [`build`](crate::ClientBuilder::build) fails with [`Error::Config`].
    SystemRoots,
    /// One of these certificate authorities vouches for the server's name, as in LXD's PKI mode.
    Authorities(Authorities),
}

/// Certificate authorities of one's own, and what they have revoked.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    revoked: Vec<CertificateRevocationListDer<'static>>,
}

/// Texts that are no [`Authorities`].
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct InvalidAuthorities {
    message: String,
    source: Option<BoxError>,
}

impl Authorities {
    /// Reads certificates, and lists of revoked ones, all PEM.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn from_pem(certificates: &str, revoked: Option<&str>) -> Result<Authorities, InvalidAuthorities> {
        let invalid = |message| InvalidAuthorities { message, source: None };
        let revoked = revoked.map(pem::revocations).transpose();
        let authorities = Authorities {
            certificates: pem::certificates(certificates).map_err(|e| invalid(e.to_owned()))?,
            revoked: revoked
                .map_err(|e| invalid(format!("the list of revoked certificates: {e}")))?
                .unwrap_or_default(),
        };
        match authorities.verifier() {
            Ok(_) => Ok(authorities),
            Err(error) => Err(InvalidAuthorities { message: error.to_string(), source: Some(error.into()) }),
        }
    }

    fn verifier(&self) -> Result<Arc<WebPkiServerVerifier>, VerifierBuilderError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(self.certificates.iter().cloned());
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()))
            .with_crls(self.revoked.iter().cloned())
            .only_check_end_entity_revocation()
            .allow_unknown_revocation_status()
            .build()
    }
}

impl std::fmt::Debug for Authorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known: Vec<Fingerprint> = self.certificates.iter().map(|c| Fingerprint::of(c)).collect();
        f.debug_tuple("Authorities").field(&known).finish()
    }
}

pub(crate) fn client_config(trust: &ServerTrust, identity: Option<Identity>) -> Result<ClientConfig, Error> {
    match trust {
        ServerTrust::Fingerprint(pin) => with_verifier(PinVerifier::new(Some(*pin)), identity),
        ServerTrust::Authorities(authorities) => {
            let verifier = authorities.verifier().map_err(|e| Error::config_because(e.to_string(), e))?;
            with_identity(builder()?.with_webpki_verifier(verifier), identity)
        }
        ServerTrust::SystemRoots => {
            with_identity(builder()?.with_root_certificates(system_roots()?), identity)
        }
    }
}

/// The system's certificate authorities.
#[cfg(feature = "native-roots")]
fn system_roots() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        let message = "the system has no certificate authorities: pin the server's fingerprint instead";
        return Err(Error::config(message));
    }
    Ok(roots)
}

#[cfg(not(feature = "native-roots"))]
fn system_roots() -> Result<RootCertStore, Error> {
    let message = "this program cannot read the system's certificate authorities (lxd-client was built without its \
                   feature native-roots): pin the server's fingerprint, or name the authorities";
    Err(Error::config(message))
}

/// A configuration that accepts no server, for a client that does no TLS.
pub(crate) fn trusting_nobody() -> Result<ClientConfig, Error> {
    with_identity(builder()?.with_root_certificates(RootCertStore::empty()), None)
}

/// A configuration that accepts any server, and records its certificate.
pub(crate) fn recording_config() -> Result<(ClientConfig, Arc<PinVerifier>), Error> {
    let verifier = PinVerifier::new(None);
    Ok((with_verifier(Arc::clone(&verifier), None)?, verifier))
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn builder() -> Result<Builder, Error> {
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| Error::config_because(e.to_string(), e))
}

fn with_verifier(verifier: Arc<PinVerifier>, identity: Option<Identity>) -> Result<ClientConfig, Error> {
    with_identity(builder()?.dangerous().with_custom_certificate_verifier(verifier), identity)
}

fn with_identity(
    builder: rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    identity: Option<Identity>,
) -> Result<ClientConfig, Error> {
    let Some(identity) = identity else { return Ok(builder.with_no_client_auth()) };
    let key = identity
        .certified_key()
        .map_err(|e| Error::config_because(format!("client certificate and key: {e}"), e))?;
    Ok(builder.with_client_cert_resolver(key))
}

/// Checks a server's certificate by its fingerprint and its dates; the handshake's signature, which proves
/// that the server holds the key, is checked as always.
#[derive(Debug)]
pub(crate) struct PinVerifier {
    provider: CryptoProvider,
    pin: Option<Fingerprint>,
    seen: OnceLock<CertificateDer<'static>>,
}

impl PinVerifier {
    fn new(pin: Option<Fingerprint>) -> Arc<PinVerifier> {
        Arc::new(PinVerifier { provider: default_provider(), pin, seen: OnceLock::new() })
    }

    /// The certificate of the first handshake.
    pub(crate) fn seen(&self) -> Option<CertificateDer<'static>> {
        self.seen.get().cloned()
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let actual = Fingerprint::of(certificate);
        let _ = self.seen.set(certificate.clone().into_owned());
        if let Some(expected) = self.pin.filter(|pin| *pin != actual) {
            let mismatch = OtherError(Arc::new(PinMismatch { expected, actual }));
            return Err(CertificateError::Other(mismatch).into());
        }
        check_dates(certificate, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn check_dates(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < parsed.validity().not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > parsed.validity().not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn certificate(from: i32, to: i32) -> CertificateDer<'static> {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["lxd".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        params.self_signed(&key).unwrap().der().clone()
    }

    fn verify(
        pin: Fingerprint,
        certificate: &CertificateDer<'_>,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let name = ServerName::try_from("elsewhere.ts.net").unwrap();
        let in_2026 = UnixTime::since_unix_epoch(Duration::from_secs(1_790_000_000));
        PinVerifier::new(Some(pin)).verify_server_cert(certificate, &[], &name, &[], in_2026)
    }

    #[test]
    fn the_pinned_certificate_is_accepted_under_any_name() {
        let good = certificate(2020, 2030);
        assert!(verify(Fingerprint::of(&good), &good).is_ok());
    }

    #[test]
    fn another_certificate_than_the_pinned_one_is_refused() {
        let (good, other) = (certificate(2020, 2030), certificate(2020, 2030));
        let error = verify(Fingerprint::of(&good), &other).unwrap_err();
        assert!(matches!(error, rustls::Error::InvalidCertificate(CertificateError::Other(_))), "{error:?}");
    }

    #[test]
    fn a_pinned_certificate_outside_its_dates_is_refused() {
        for (from, to, expected) in
            [(2010, 2020, CertificateError::Expired), (2040, 2050, CertificateError::NotValidYet)]
        {
            let certificate = certificate(from, to);
            let error = verify(Fingerprint::of(&certificate), &certificate).unwrap_err();
            assert_eq!(error, rustls::Error::InvalidCertificate(expected));
        }
    }
}
