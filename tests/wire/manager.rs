//! Certificate Manager in tests: paths, bodies, and changes that are waited for.

use evenkeel::emulator::Scenario;
use serde_json::{Value, json};

use super::client::{Gcp, Reply};

pub const GLOBAL: &str = "/v1/projects/p1/locations/global";
pub const CERTIFICATES: &str = "/v1/projects/p1/locations/global/certificates";
pub const MAPS: &str = "/v1/projects/p1/locations/global/certificateMaps";
pub const AUTHORIZATIONS: &str = "/v1/projects/p1/locations/global/dnsAuthorizations";

/// Entries of the map that [`serve`] makes.
pub const ENTRIES: &str =
    "/v1/projects/p1/locations/global/certificateMaps/front/certificateMapEntries";

/// An attempt takes a quarter of an hour, see `Pace::Long`.
pub const ATTEMPTED: u64 = 15 * 60;

/// Longer than anything that only a record is changed by takes.
const SETTLED: u64 = 10;

impl Gcp {
    /// A change that is accepted and succeeds: its response.
    pub fn settled(&mut self, verb: &str, target: &str, body: Value) -> Value {
        let over = self.over(verb, target, body);
        assert!(over.get("error").is_none(), "{over}");
        over["response"].clone()
    }

    /// A change that is accepted: its operation once it is over.
    pub fn over(&mut self, verb: &str, target: &str, body: Value) -> Value {
        let reply = self.call(verb, target, body);
        assert_eq!(reply.status, 200, "{}", reply.text);
        self.wait(SETTLED);
        let over = self.get(&reply.operation()).body;
        assert_eq!(over["done"], true, "{over}");
        over
    }

    /// An authorization of this domain: the record to publish.
    pub fn authorize(&mut self, id: &str, domain: &str) -> (String, String) {
        let target = format!("{AUTHORIZATIONS}?dnsAuthorizationId={id}");
        let made = self.settled("POST", &target, json!({"domain": domain}));
        let record = &made["dnsResourceRecord"];
        let text = |field: &str| record[field].as_str().expect("a text").to_owned();
        (text("name"), text("data"))
    }

    pub fn publish(&self, records: &[(&str, &str)]) {
        let records: serde_json::Map<String, Value> = records
            .iter()
            .map(|(name, data)| ((*name).to_owned(), json!(data)))
            .collect();
        let set = self.call("PUT", "/_emulator/dns", Value::Object(records));
        assert_eq!(set.status, 200, "{}", set.text);
    }

    pub fn certify(&mut self, id: &str, domains: &[&str], authorizations: &[&str]) -> Value {
        let target = format!("{CERTIFICATES}?certificateId={id}");
        self.settled("POST", &target, certificate(domains, authorizations))
    }

    /// The state of a certificate, as far as it is managed.
    pub fn managed(&self, id: &str) -> Value {
        let reply = self.get(&format!("{CERTIFICATES}/{id}"));
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.body["managed"].clone()
    }
}

pub fn certificate(domains: &[&str], authorizations: &[&str]) -> Value {
    let names: Vec<String> = authorizations
        .iter()
        .map(|id| format!("projects/p1/locations/global/dnsAuthorizations/{id}"))
        .collect();
    json!({"managed": {"domains": domains, "dnsAuthorizations": names}})
}

pub fn name_of(id: &str) -> String {
    format!("projects/p1/locations/global/certificates/{id}")
}

/// The description of the first violation, of a field or of a precondition.
pub fn violation(reply: &Reply) -> (&str, &str) {
    let detail = &reply.body["error"]["details"][0];
    let first = match &detail["fieldViolations"][0] {
        Value::Null => &detail["violations"][0],
        field => field,
    };
    let text = |name: &str| first[name].as_str();
    let what = text("field").or(text("type")).unwrap_or_default();
    (what, text("description").unwrap_or_default())
}

pub fn assert_refused(reply: &Reply, rpc: &str, words: &str) {
    assert_eq!(reply.rpc(), rpc, "{}", reply.text);
    let said = format!("{} {}", reply.message(), violation(reply).1);
    assert!(said.contains(words), "{said}");
}

/// A map with one entry for `*.example.com`, which serves `cert`.
pub fn serve(gcp: &mut Gcp, certificates: &[&str]) {
    gcp.settled("POST", &format!("{MAPS}?certificateMapId=front"), json!({}));
    let names: Vec<String> = certificates.iter().map(|id| name_of(id)).collect();
    let entry = json!({"hostname": "*.example.com", "certificates": names});
    gcp.settled(
        "POST",
        &format!("{ENTRIES}?certificateMapEntryId=wild"),
        entry,
    );
}

/// `cert` for a wildcard and its base, with its record published, ACTIVE and in a map.
pub fn served() -> (Gcp, (String, String)) {
    let mut gcp = Gcp::new(Scenario::Empty);
    let record = gcp.authorize("auth", "example.com");
    gcp.publish(&[(&record.0, &record.1)]);
    gcp.certify("cert", &["*.example.com", "example.com"], &["auth"]);
    gcp.wait(ATTEMPTED);
    serve(&mut gcp, &["cert"]);
    assert_eq!(gcp.managed("cert")["state"], "ACTIVE");
    (gcp, record)
}
