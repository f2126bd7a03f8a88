//! Certificates made for a test, and TLS servers that show them.

use super::servers::Server;
use jiff::{Span, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// An authority of its own, trusted by nobody but the test.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: tempfile::TempDir,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Authority { issuer, folder }
    }

    /// `caRef` of a check that trusts this authority alone.
    pub fn reference(&self) -> String {
        format!("{{file: {}}}", self.folder.path().join("ca.pem").display())
    }

    /// A certificate for this name, valid until that many days from now, and its key.
    fn certificate(&self, name: &str, days: i64) -> (Certificate, KeyPair) {
        // Midnight, that many days from now.
        let day = |days: i64| {
            let date = Timestamp::now().to_zoned(TimeZone::UTC) + Span::new().days(days);
            let part = |number: i8| u8::try_from(number).unwrap();
            date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
        };
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = day(days - 90);
        params.not_after = day(days);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Certificate and key in PEM.
    pub fn pem(&self, name: &str, days: i64) -> (String, String) {
        let (certificate, key) = self.certificate(name, days);
        (certificate.pem(), key.serialize_pem())
    }

    /// A server's configuration with such a certificate.
    pub fn config(&self, name: &str, days: i64) -> Arc<ServerConfig> {
        let (certificate, key) = self.certificate(name, days);
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    }
}

/// Handles each connection after its handshake, which takes at least this long.
pub async fn secure<F>(
    config: Arc<ServerConfig>,
    delay: Duration,
    handle: impl Fn(TlsStream<TcpStream>) -> F + Clone + Send + Sync + 'static,
) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    Server::start(move |stream| {
        let (acceptor, handle) = (TlsAcceptor::from(Arc::clone(&config)), handle.clone());
        async move {
            tokio::time::sleep(delay).await;
            if let Ok(stream) = acceptor.accept(stream).await {
                handle(stream).await;
            }
        }
    })
    .await
}
