//! Paths, bodies and a chain of certificates for tests of compute.

use evenkeel::emulator::Scenario;
use serde_json::{Value, json};

use super::client::{Gcp, Reply};

pub const PROJECT: &str = "/compute/v1/projects/netra-staging";
pub const GLOBAL: &str = "/compute/v1/projects/netra-staging/global";
pub const REGIONAL: &str = "/compute/v1/projects/netra-staging/regions/us-central1";

pub const CHECK: &str = "/compute/v1/projects/netra-staging/global/healthChecks/staging-hc";
pub const SERVERLESS: &str =
    "/compute/v1/projects/netra-staging/global/backendServices/staging-backend";
pub const SERVICE: &str =
    "/compute/v1/projects/netra-staging/global/backendServices/staging-vm-backend";
pub const CERTIFICATE: &str =
    "/compute/v1/projects/netra-staging/global/sslCertificates/staging-cert";
pub const PROXY: &str =
    "/compute/v1/projects/netra-staging/global/targetHttpsProxies/staging-https-proxy";

/// A resource's URL in the form that Google itself gives.
pub fn link(path: &str) -> String {
    format!("https://www.googleapis.com{path}")
}

pub fn http_check(name: &str) -> Value {
    json!({"name": name, "type": "HTTP", "httpHealthCheck": {"port": 8080}})
}

pub fn managed(name: &str, domains: &[&str]) -> Value {
    json!({"name": name, "type": "MANAGED", "managed": {"domains": domains}})
}

impl Gcp {
    /// Makes a change that is accepted, and lets it take effect.
    pub fn done(&mut self, verb: &str, target: &str, body: Value) -> Reply {
        let reply = self.call(verb, target, body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.wait(4);
        let over = self.get(&reply.compute_operation());
        assert_eq!(over.body["status"], "DONE", "{}", over.text);
        over
    }

    /// The fingerprint of a resource as it is now.
    pub fn fingerprint(&self, path: &str) -> Value {
        self.get(path).body["fingerprint"].clone()
    }
}

pub fn gcp() -> Gcp {
    Gcp::new(Scenario::NetraStaging)
}

pub fn assert_refused(reply: &Reply, status: u16, reason: &str, words: &str) {
    assert_eq!(
        (reply.status, reply.reason()),
        (status, reason),
        "{}",
        reply.text
    );
    assert!(reply.message().contains(words), "{}", reply.message());
}

/// `body` with some of its fields set otherwise; null takes one away.
#[allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]
pub fn with(body: Value, changes: Value) -> Value {
    let mut body = body;
    for (name, value) in changes.as_object().expect("fields") {
        if value.is_null() {
            body.as_object_mut().expect("fields").remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}
