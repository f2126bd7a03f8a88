//! The APIs that are served.

use super::api::Api;
use super::certificatemanager::CertificateManager;
use super::compute::Compute;
use super::logging::Logging;
use super::monitoring::Monitoring;
use super::run::Run;
use super::secretmanager::SecretManager;
use super::sqladmin::SqlAdmin;
use super::vpcaccess::VpcAccess;

pub(super) static APIS: &[&dyn Api] = &[
    &VpcAccess,
    &Compute,
    &Run,
    &SqlAdmin,
    &SecretManager,
    &Monitoring,
    &Logging,
    &CertificateManager,
];

/// The API that owns a record or an operation.
pub(super) fn owner(key: &str) -> Option<&'static dyn Api> {
    let service = key.strip_prefix("//")?.split('/').next()?;
    APIS.iter().copied().find(|api| api.service() == service)
}

/// A key without its service: the name that goes into paths and bodies.
pub(super) fn relative(key: &str) -> &str {
    let name = key
        .strip_prefix("//")
        .and_then(|rest| rest.split_once('/'))
        .map(|(_, name)| name);
    name.unwrap_or(key)
}
