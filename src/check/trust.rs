//! TLS as a probe does it: a full handshake each time, and a verdict on the certificate that does
//! not end the handshake, so that the rest can still be measured.

use super::dial::words;
use crate::core::check::{ProberError, ProberFault};
use crate::secrets::Secret;
use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Whom to believe. Cheap to clone; made once for a probe.
#[derive(Clone)]
pub(super) struct Trust {
    inner: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
    clock: Arc<At>,
}

/// Certificates are judged by the time of the probe.
#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// What a server showed.
#[derive(Debug, Default, Clone)]
pub(super) struct Shown {
    /// The server's own certificate, DER.
    pub certificate: Option<Vec<u8>>,
    /// Why chain or name is not valid; `None` for a valid one.
    pub refused: Option<String>,
}

impl Trust {
    /// The system's certificates, or only those given as PEM.
    pub async fn of(ca: Option<&Secret>, now: Timestamp) -> Result<Trust, ProberError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let inner = match ca {
            None => of_system(&provider).await?,
            Some(pem) => given(pem, &provider)?,
        };
        Ok(Trust {
            inner,
            provider,
            clock: Arc::new(At(now)),
        })
    }

    /// One handshake. What the server showed is in the second half, also after a failure.
    pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: ServerName<'static>,
        protocols: &[&[u8]],
        stream: S,
    ) -> (io::Result<TlsStream<S>>, Shown) {
        let seen = Arc::new(Mutex::default());
        let stream = match self.config(protocols, &seen) {
            Ok(config) => {
                TlsConnector::from(Arc::new(config))
                    .connect(name, stream)
                    .await
            }
            Err(error) => Err(io::Error::other(error)),
        };
        let shown = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (stream, shown)
    }

    fn config(
        &self,
        protocols: &[&[u8]],
        seen: &Arc<Mutex<Shown>>,
    ) -> Result<ClientConfig, rustls::Error> {
        let witness = Witness {
            inner: Arc::clone(&self.inner),
            seen: Arc::clone(seen),
        };
        let clock = Arc::clone(&self.clock);
        let builder = ClientConfig::builder_with_details(Arc::clone(&self.provider), clock);
        let mut config = builder
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(witness))
            .with_no_client_auth();
        config.resumption = Resumption::disabled();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        Ok(config)
    }
}

/// A verifier for the certificates of this machine, read anew: they change.
async fn of_system(
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ProberError> {
    let unusable = |why: String| {
        let text = format!("the system's certificates cannot be used: {why}");
        ProberError::new(ProberFault::Local, text)
    };
    let provider = Arc::clone(provider);
    let read = tokio::task::spawn_blocking(move || Verifier::new(provider));
    match read.await {
        Ok(Ok(verifier)) => Ok(Arc::new(verifier)),
        Ok(Err(error)) => Err(unusable(error.to_string())),
        Err(error) => Err(unusable(error.to_string())),
    }
}

/// A verifier for the certificates of a PEM text.
fn given(
    pem: &Secret,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, ProberError> {
    let invalid = |text: &str| {
        let text = format!("caRef: {text}");
        ProberError::new(ProberFault::Credentials, text)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.expose().as_bytes()) {
        let certificate = certificate.map_err(|_| invalid("not a certificate in PEM"))?;
        let added = roots.add(certificate);
        added.map_err(|_| invalid("a certificate that cannot sign others"))?;
    }
    if roots.is_empty() {
        return Err(invalid("no certificate in it"));
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    match verifier {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(invalid(&error.to_string())),
    }
}

/// Remembers the verdict instead of ending the handshake with it. The signature of the handshake
/// is still verified: the server must own the certificate that it shows.
#[derive(Debug)]
struct Witness {
    inner: Arc<dyn ServerCertVerifier>,
    seen: Arc<Mutex<Shown>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Shown {
            certificate: Some(end_entity.to_vec()),
            refused: verdict.err().map(|error| refusal(&error)),
        };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Why a certificate is not accepted, in few words that stay the same from probe to probe.
fn refusal(error: &rustls::Error) -> String {
    use rustls::CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else {
        return error.to_string();
    };
    match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => "the certificate has expired".to_owned(),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            "the certificate is not valid yet".to_owned()
        }
        Bad::NotValidForName => "the certificate is for another name".to_owned(),
        Bad::NotValidForNameContext { presented, .. } => {
            let names: Vec<_> = presented.iter().take(3).map(String::as_str).collect();
            format!("the certificate is for another name: {}", names.join(", "))
        }
        Bad::UnknownIssuer => "the certificate is signed by nobody that is trusted".to_owned(),
        Bad::Revoked => "the certificate is revoked".to_owned(),
        bad => format!("the certificate is not valid: {bad}"),
    }
}

/// Why a handshake failed.
pub(super) fn handshake_words(error: &io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(rustls::Error::InvalidMessage(_)) => "the other side does not speak TLS".to_owned(),
        Some(rustls::Error::AlertReceived(alert)) => {
            format!("the other side refuses: {alert:?}")
        }
        Some(error) => error.to_string(),
        None => words(error),
    }
}
