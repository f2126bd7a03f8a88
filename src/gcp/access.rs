//! Which endpoints go with which credentials.
//!
//! Invariant: calls without credentials go to an emulator only. The type that sends none is
//! private, and the one way to it takes an [`EmulatorBase`], which is never Google's address.

use super::auth::Auth;
use super::endpoint::{EmulatorBase, Endpoints};
use crate::core::error::Fault;
use ::http::HeaderMap;
use async_trait::async_trait;
use std::sync::Arc;

/// Endpoints together with the credentials meant for them.
#[derive(Clone)]
pub struct Access {
    pub(super) endpoints: Endpoints,
    pub(super) auth: Arc<dyn Auth>,
}

impl Access {
    /// Calls with credentials.
    #[must_use]
    pub fn authenticated(endpoints: Endpoints, auth: Arc<dyn Auth>) -> Self {
        Access { endpoints, auth }
    }

    /// Calls without credentials, to an emulator.
    #[must_use]
    pub fn emulator(base: EmulatorBase) -> Self {
        Access {
            endpoints: base.endpoints(),
            auth: Arc::new(Anonymous),
        }
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access")
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// Sends no headers. Private, see the module.
struct Anonymous;

#[async_trait]
impl Auth for Anonymous {
    async fn headers(&self) -> Result<HeaderMap, Fault> {
        Ok(HeaderMap::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_emulator_gets_no_headers() {
        let base = EmulatorBase::parse("http://127.0.0.1:1", false).unwrap();
        let access = Access::emulator(base);
        assert!(access.auth.headers().await.unwrap().is_empty());
        assert!(
            !access
                .endpoints
                .is_google(crate::gcp::endpoint::Api::VpcAccess)
        );
        assert!(!format!("{access:?}").is_empty());
    }
}
