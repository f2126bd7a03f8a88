//! Certificates of load balancers, and the proxies that serve them.

use super::gcp::{Gcp, PROJECT};
use super::texts;
use proptest::prelude::*;
use serde_json::{Value, json};

pub const PEM: &str = include_str!("../wire/certificate.pem");
const KEY: &str =
    "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZLXNlY3JldC1rZXk=\n-----END PRIVATE KEY-----\n";

/// A certificate, and how many proxies serve it.
#[derive(Debug, Clone)]
pub struct Certificate {
    pub name: String,
    /// Google's own; `None`: somebody brought it.
    pub domains: Option<Vec<String>>,
    pub location: &'static str,
    pub proxies: usize,
}

impl Certificate {
    /// Google issues only what a proxy serves.
    pub fn is_issued(&self) -> bool {
        self.domains.is_none() || self.proxies > 0
    }

    fn place(&self) -> String {
        match self.location {
            "global" => format!("projects/{PROJECT}/global"),
            region => format!("projects/{PROJECT}/regions/{region}"),
        }
    }

    fn body(&self) -> Value {
        match &self.domains {
            Some(domains) => {
                json!({"name": self.name, "type": "MANAGED", "managed": {"domains": domains}})
            }
            None => json!({"name": self.name, "certificate": PEM, "privateKey": KEY}),
        }
    }

    pub async fn create(&self, gcp: &Gcp) {
        let place = format!("compute/v1/{}", self.place());
        gcp.call("POST", &format!("{place}/sslCertificates"), &self.body())
            .await;
        for index in 0..self.proxies {
            let proxy = json!({
                "name": format!("{}-proxy-{index}", self.name),
                "urlMap": format!("{}/urlMaps/m", self.place()),
                "sslCertificates": [format!("{}/sslCertificates/{}", self.place(), self.name)],
            });
            gcp.call("POST", &format!("{place}/targetHttpsProxies"), &proxy)
                .await;
        }
    }
}

pub fn certificate() -> impl Strategy<Value = Certificate> {
    let domain = "[a-z]{1,8}\\.example\\.(com|org)";
    let name = (texts::name(), proptest::option::of("[0-9a-f]{8}")).prop_map(|(name, suffix)| {
        suffix.map_or(name.clone(), |suffix| format!("{name}-{suffix}"))
    });
    let managed = proptest::option::of(proptest::collection::vec(domain, 1..4));
    let place = proptest::sample::select(vec!["global", "us-central1"]);
    (name, managed, place, 0..3_usize).prop_map(|(name, domains, place, proxies)| Certificate {
        name,
        location: if domains.is_some() { "global" } else { place },
        domains,
        proxies,
    })
}
