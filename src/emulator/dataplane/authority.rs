//! The authority behind every certificate of the data plane. It is made when the data plane starts, and its key
//! never leaves the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

use crate::emulator::traffic::handshake::Leaf;

/// Certificates that are kept: more than any world serves at once.
const KEPT_MAX: usize = 256;

pub(super) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
    made: Mutex<HashMap<Leaf, Arc<ServerConfig>>>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum MakeError {
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

impl Authority {
    pub fn new() -> Result<Self, MakeError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name = named("evenkeel emulator");
        let pem = params.self_signed(&key)?.pem();
        Ok(Self {
            pem,
            issuer: Issuer::new(params, key),
            made: Mutex::new(HashMap::new()),
        })
    }

    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server that shows this certificate. HTTP/1.1 is what it speaks inside.
    pub fn server(&self, leaf: &Leaf) -> Result<Arc<ServerConfig>, MakeError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.get(leaf) {
            return Ok(Arc::clone(known));
        }
        let config = Arc::new(self.make(leaf)?);
        if made.len() >= KEPT_MAX {
            made.clear();
        }
        made.insert(leaf.clone(), Arc::clone(&config));
        Ok(config)
    }

    fn make(&self, leaf: &Leaf) -> Result<ServerConfig, MakeError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(leaf.names.clone())?;
        params.not_before = system(leaf.begins).into();
        params.not_after = system(leaf.expires).into();
        params.distinguished_name = named(leaf.names.first().map_or("", String::as_str));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

/// Times of X.509 end with the year 9999, and nothing here begins before 1970.
fn system(at: Timestamp) -> SystemTime {
    let seconds = u64::try_from(at.as_second()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
