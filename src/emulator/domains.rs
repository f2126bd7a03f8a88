//! The world's DNS as certificate authorities find it, by domain. What is not named here is visible.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What comes of proving that a domain is the project's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// It leads to the load balancer.
    #[default]
    Visible,
    /// It leads elsewhere, or nowhere.
    NotVisible,
    /// Its CAA record cannot be read.
    CaaUnreadable,
    /// Its CAA record names other authorities.
    CaaForbidden,
    /// The authority has issued too many certificates for it of late.
    RateLimited,
    /// Provisioning fails and is not tried again.
    FailsForGood,
    /// A certificate that was issued cannot be renewed.
    FailsRenewal,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Domains {
    named: BTreeMap<String, Domain>,
}

impl Domains {
    pub fn of(&self, domain: &str) -> Domain {
        self.named.get(domain).copied().unwrap_or_default()
    }

    pub fn set(&mut self, named: BTreeMap<String, Domain>) {
        self.named = named;
    }
}
