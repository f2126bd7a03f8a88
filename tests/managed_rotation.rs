//! Rotation in Certificate Manager as a pure procedure: whatever happens, a map entry that had an ACTIVE
//! certificate always has one.

use evenkeel::api::{Declared, Key, Kind, Origin, Policy};
use evenkeel::core::fields::Fields;
use evenkeel::core::procedure::{Call, Next, Procedure, Scene};
use evenkeel::core::record::Verb;
use evenkeel::kinds::{self, SetNames};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const PLACE: &str = "projects/1234/locations/global";
const BAKE: Duration = Duration::from_mins(1);

/// Certificate Manager, as far as one family goes.
#[derive(Debug, Clone, Default)]
struct Gcp {
    certificates: Vec<Value>,
    authorizations: Vec<Value>,
    maps: Vec<String>,
    entries: Vec<Value>,
    clock: i64,
}

fn short(name: &Value) -> String {
    let name = name.as_str().unwrap();
    name.rsplit('/').next().unwrap().to_owned()
}

fn is(name: &str) -> impl Fn(&Value) -> bool {
    move |item| short(&item["name"]) == name
}

impl Gcp {
    fn certificate(&mut self, name: &str, domains: &Value, authorizations: &Value, state: &str) {
        self.clock += 1;
        let mut made = json!({
            "name": format!("{PLACE}/certificates/{name}"), "createTime": format!("{:020}", self.clock),
            "managed": {"domains": domains, "dnsAuthorizations": authorizations, "state": "PROVISIONING"},
        });
        settle(&mut made, state);
        self.certificates.push(made);
    }

    /// `old` serves these hosts.
    fn serving(hosts: &[&str]) -> Gcp {
        let mut gcp = Gcp {
            maps: vec!["front".to_owned()],
            ..Gcp::default()
        };
        gcp.certificate("wild", &json!(["old.com"]), &json!([]), "ACTIVE");
        for (index, host) in hosts.iter().enumerate() {
            gcp.entries.push(json!({
                "name": format!("{PLACE}/certificateMaps/front/certificateMapEntries/e{index}"),
                "hostname": host, "certificates": [format!("{PLACE}/certificates/wild")],
            }));
        }
        gcp
    }

    fn is_active(&self, name: &str) -> bool {
        let active = |c: &&Value| short(&c["name"]) == name && c["managed"]["state"] == "ACTIVE";
        self.certificates.iter().any(|c| active(&c))
    }

    /// The hosts that have an ACTIVE certificate.
    fn active(&self) -> Vec<String> {
        let good = |entry: &&Value| {
            let mut names = entry["certificates"].as_array().unwrap().iter();
            names.any(|name| self.is_active(&short(name)))
        };
        let good = self.entries.iter().filter(good);
        good.map(|entry| entry["hostname"].as_str().unwrap().to_owned())
            .collect()
    }

    fn users(&self, authorization: &str) -> Vec<String> {
        let names_it = |c: &&Value| {
            let mut named = c["managed"]["dnsAuthorizations"].as_array().unwrap().iter();
            named.any(|name| short(name) == authorization)
        };
        let users = self.certificates.iter().filter(names_it);
        users.map(|c| short(&c["name"])).collect()
    }

    fn composite(&self) -> Value {
        let mut authorizations = self.authorizations.clone();
        for own in &mut authorizations {
            own["usedBy"] = json!(self.users(&short(&own["name"])));
        }
        let map = |name: &String| json!({"name": format!("{PLACE}/certificateMaps/{name}")});
        json!({
            "name": "wild", "certificates": self.certificates, "dnsAuthorizations": authorizations,
            "certificateMaps": self.maps.iter().map(map).collect::<Vec<_>>(),
            "certificateMapEntries": self.entries,
        })
    }

    /// Does what GCP would do, and refuses what it refuses.
    fn apply(&mut self, call: &Call) {
        let (collection, name) = call.object.rsplit_once('/').unwrap();
        let kind = collection.rsplit('/').next().unwrap();
        let full = format!("{PLACE}/{}", call.object);
        match (call.verb, kind) {
            (Verb::Create, "dnsAuthorizations") => {
                assert!(!self.authorizations.iter().any(is(name)), "{name} twice");
                let mut made = call.body.clone();
                made["name"] = json!(full);
                made["type"] = json!("FIXED_RECORD");
                self.authorizations.push(made);
            }
            (Verb::Create, "certificates") => {
                assert!(!self.certificates.iter().any(is(name)), "{name} twice");
                let managed = &call.body["managed"];
                self.check_authorized(managed);
                let (domains, proofs) = (&managed["domains"], &managed["dnsAuthorizations"]);
                self.certificate(name, domains, proofs, "PROVISIONING");
                if let Some(made) = self.certificates.last_mut() {
                    made["labels"] = call.body["labels"].clone();
                }
            }
            (Verb::Create, "certificateMaps") => self.maps.push(name.to_owned()),
            (Verb::Create, "certificateMapEntries") => {
                let map = collection.split('/').nth(1).unwrap();
                assert!(self.maps.iter().any(|known| known == map), "no map {map}");
                let host = &call.body["hostname"];
                assert!(
                    !self.entries.iter().any(|e| e["hostname"] == *host),
                    "{host} twice"
                );
                self.check_serving(&call.body["certificates"]);
                let mut made = call.body.clone();
                made["name"] = json!(full);
                self.entries.push(made);
            }
            (Verb::Patch, "certificateMapEntries") => {
                self.check_serving(&call.body["certificates"]);
                let entry = self.entries.iter_mut().find(|e| is(name)(e)).unwrap();
                entry["certificates"] = call.body["certificates"].clone();
            }
            (Verb::Delete, "certificates") => {
                let used = self.entries.iter().any(|entry| {
                    let mut names = entry["certificates"].as_array().unwrap().iter();
                    names.any(|own| short(own) == name)
                });
                assert!(!used, "deleted {name} while an entry uses it");
                self.certificates.retain(|c| !is(name)(c));
            }
            (Verb::Delete, "dnsAuthorizations") => {
                assert!(
                    self.users(name).is_empty(),
                    "deleted {name} while it is used"
                );
                self.authorizations.retain(|own| !is(name)(own));
            }
            (Verb::Delete, "certificateMapEntries") => self.entries.retain(|e| !is(name)(e)),
            other => panic!("no such call: {other:?}"),
        }
    }

    /// Each domain is proved by an authorization of its base.
    fn check_authorized(&self, managed: &Value) {
        let named = managed["dnsAuthorizations"].as_array().unwrap().iter();
        let proved: Vec<&Value> = named
            .map(|name| {
                let own = self.authorizations.iter().find(|a| a["name"] == *name);
                &own.expect("it exists")["domain"]
            })
            .collect();
        for domain in managed["domains"].as_array().unwrap() {
            let base = domain.as_str().unwrap().trim_start_matches("*.");
            assert!(
                proved.iter().any(|own| **own == base),
                "{domain} is not proved"
            );
        }
    }

    /// An entry takes one to four certificates, and here only ACTIVE ones of ours.
    fn check_serving(&self, names: &Value) {
        let names = names.as_array().unwrap();
        assert!((1..=4).contains(&names.len()), "{names:?}");
        for name in names.iter().map(short) {
            assert!(
                self.is_active(&name) || !name.starts_with("wild"),
                "{name} is not ACTIVE"
            );
        }
    }
}

fn settle(certificate: &mut Value, state: &str) {
    certificate["managed"]["state"] = json!(state);
    if state == "ACTIVE" {
        certificate["expireTime"] = json!("2027-01-01T00:00:00Z");
    }
}

fn manifest(domains: &[String], hosts: &[&str]) -> Declared {
    let slots: Vec<Value> = hosts
        .iter()
        .map(|host| json!({"map": "front", "hostname": host}))
        .collect();
    let resource = json!({"managed": {"domains": domains}, "attachTo": slots});
    Declared {
        key: Key {
            kind: Kind::ManagedCertificate,
            project: "p".into(),
            location: "global".into(),
            name: "wild".into(),
        },
        name: "wild".into(),
        labels: BTreeMap::new(),
        resource: resource.as_object().unwrap().clone(),
        policy: Policy::default(),
        origin: Origin::default(),
    }
}

/// A run of the procedure: what it remembers between two looks.
struct Run {
    gcp: Gcp,
    since: BTreeMap<String, Timestamp>,
    now: Timestamp,
    failed: usize,
    adopted: bool,
    calls: Vec<String>,
    /// Hosts that have had an ACTIVE certificate.
    served: Vec<String>,
}

impl Run {
    fn new(gcp: Gcp) -> Run {
        Run {
            served: gcp.active(),
            gcp,
            since: BTreeMap::new(),
            now: Timestamp::from_second(1_000_000).unwrap(),
            failed: 0,
            adopted: true,
            calls: Vec::new(),
        }
    }

    fn look(&mut self, declared: &Fields, resource: &Declared) -> Procedure {
        let kind = kinds::of(Kind::ManagedCertificate);
        let live = kind.live(self.gcp.composite());
        let procedures = kind.rules().procedures.unwrap();
        // Nothing declared stands for a manifest that is gone.
        let next = if declared.is_empty() {
            procedures.removal
        } else {
            procedures.change
        };
        let procedure = next(&Scene {
            name: "wild",
            declared,
            resource: &resource.resource,
            adopted: self.adopted,
            live: Some(&live),
            since: &self.since,
            adopt: true,
            attempt: i64::try_from(self.failed).unwrap(),
            failed: self.failed,
            applied: &Fields::new(),
            bake: BAKE,
            now: self.now,
        })
        .unwrap();
        self.since.retain(|mark, _| procedure.marks.contains(mark));
        for mark in &procedure.marks {
            self.since.entry(mark.clone()).or_insert(self.now);
        }
        procedure
    }

    /// One step; `fate` decides what becomes of certificates while it waits. What ends it, if anything.
    fn step(&mut self, wanted: &Declared, fate: &mut dyn FnMut() -> &'static str) -> Option<Next> {
        let fields = kinds::of(Kind::ManagedCertificate).declared(wanted, &SetNames::of(&[]));
        let procedure = self.look(&fields, wanted);
        match procedure.next {
            Next::Call(call) => {
                self.calls.push(format!("{:?} {}", call.verb, call.object));
                self.gcp.apply(&call);
            }
            Next::Hold { until, .. } => self.now = until,
            Next::Wait { .. } => {
                let waiting = |c: &&mut Value| c["managed"]["state"] == "PROVISIONING";
                for certificate in self.gcp.certificates.iter_mut().filter(waiting) {
                    settle(certificate, fate());
                }
            }
            end => return Some(end),
        }
        self.now = self.now.checked_add(Duration::from_secs(1)).unwrap();
        let active = self.gcp.active();
        for host in &self.served {
            let of_entry = |entry: &Value| entry["hostname"].as_str() == Some(host);
            let there = self.gcp.entries.iter().any(of_entry);
            assert!(
                !there || active.contains(host),
                "a gap for {host}: {:?}",
                self.calls
            );
        }
        self.served = active;
        None
    }

    fn run_to_end(&mut self, wanted: &Declared, fate: &mut dyn FnMut() -> &'static str) -> Next {
        for _ in 0..300 {
            if let Some(end) = self.step(wanted, fate) {
                return end;
            }
        }
        let last = self.calls.len().saturating_sub(20);
        panic!("no end: {:?}", &self.calls[last..])
    }
}

fn owned(domains: &[&str]) -> Vec<String> {
    domains.iter().map(|domain| (*domain).to_owned()).collect()
}

#[test]
fn the_first_one_is_proved_made_waited_for_and_then_served() {
    let mut run = Run::new(Gcp::default());
    let wanted = manifest(
        &owned(&["*.a.com", "a.com", "b.com"]),
        &["*.a.com", "b.com"],
    );
    assert_eq!(run.run_to_end(&wanted, &mut || "ACTIVE"), Next::Done);
    let kinds: Vec<String> = run
        .calls
        .iter()
        .map(|call| {
            let (verb, object) = call.split_once(' ').unwrap();
            let parts: Vec<&str> = object.split('/').collect();
            format!("{verb} {}", parts[parts.len() - 2])
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "Create dnsAuthorizations",
            "Create dnsAuthorizations",
            "Create certificates",
            "Create certificateMaps",
            "Create certificateMapEntries",
            "Create certificateMapEntries",
        ]
    );
}

#[test]
fn a_full_entry_is_said_to_be_full_before_anything_is_made() {
    let mut gcp = Gcp::serving(&["a.com"]);
    let others: Vec<String> = (0..4)
        .map(|n| format!("{PLACE}/certificates/other{n}"))
        .collect();
    gcp.entries[0]["certificates"] = json!(others);
    let mut run = Run::new(gcp);
    let end = run.run_to_end(&manifest(&owned(&["a.com"]), &["a.com"]), &mut || "ACTIVE");
    let Next::Broken { message, .. } = end else {
        panic!("{end:?}")
    };
    assert!(message.contains("GCP allows 4"), "{message}");
    assert!(run.calls.is_empty(), "{:?}", run.calls);
}

#[test]
fn each_attempt_makes_one_certificate_at_most() {
    let mut run = Run::new(Gcp::serving(&["a.com"]));
    let wanted = manifest(&owned(&["a.com"]), &["a.com"]);
    for failed in 0..4 {
        run.failed = failed;
        let end = run.run_to_end(&wanted, &mut || "FAILED");
        assert!(matches!(end, Next::Broken { .. }), "{end:?}");
        let made = run
            .calls
            .iter()
            .filter(|call| call.starts_with("Create certificates"));
        assert_eq!(made.count(), failed + 1, "{:?}", run.calls);
        assert_eq!(run.gcp.active(), ["a.com"], "the old one serves on");
    }
    run.failed = 4;
    assert_eq!(run.run_to_end(&wanted, &mut || "ACTIVE"), Next::Done);
    assert_eq!(run.gcp.certificates.len(), 1, "those that failed are gone");
}

#[test]
fn certificates_of_others_stay_in_an_entry() {
    let mut gcp = Gcp::serving(&["a.com"]);
    let theirs = json!(format!("{PLACE}/certificates/theirs"));
    gcp.entries[0]["certificates"]
        .as_array_mut()
        .unwrap()
        .push(theirs.clone());
    let mut run = Run::new(gcp);
    run.run_to_end(&manifest(&owned(&["a.com"]), &["a.com"]), &mut || "ACTIVE");
    let list = run.gcp.entries[0]["certificates"].as_array().unwrap();
    assert_eq!((list.len(), list.contains(&theirs)), (2, true), "{list:?}");
}

#[test]
fn a_removal_deletes_all_that_was_made() {
    let mut run = Run::new(Gcp::default());
    let wanted = manifest(&owned(&["*.a.com"]), &["*.a.com"]);
    run.run_to_end(&wanted, &mut || "ACTIVE");
    for _ in 0..10 {
        match run.look(&Fields::new(), &wanted).next {
            Next::Call(call) => run.gcp.apply(&call),
            Next::Done => break,
            other => panic!("{other:?}"),
        }
    }
    let left = (
        run.gcp.certificates.len(),
        run.gcp.authorizations.len(),
        run.gcp.entries.len(),
    );
    assert_eq!(left, (0, 0, 0));
    let kind = kinds::of(Kind::ManagedCertificate);
    assert!(!(kind.rules().exists)(&kind.live(run.gcp.composite())));
}

proptest! {
    /// Edits in the middle, certificates that fail, renewals that are lost, several hosts: never a gap,
    /// always an end, and nothing is left over.
    #[test]
    fn never_a_gap(
        edits in prop::collection::vec(prop::collection::btree_set(0_u8..4, 1..4), 1..6),
        fates in prop::collection::vec(0_u8..6, 1..40),
        stops in prop::collection::vec(1_usize..14, 1..6),
        renewals in prop::collection::vec(0_u8..8, 1..20),
        hosts in 1_usize..4,
    ) {
        let hosts = &["*.a.com", "b.com", "ccc.com"][..hosts];
        let mut run = Run::new(Gcp::serving(hosts));
        let mut draws = fates.iter().cycle();
        let mut fate = move || match draws.next() {
            Some(0) => "FAILED",
            Some(1 | 2) => "PROVISIONING",
            _ => "ACTIVE",
        };
        let mut renewals = renewals.iter().cycle();
        for (edit, stop) in edits.iter().zip(stops.iter().cycle()) {
            let domains: Vec<String> = edit.iter().flat_map(|d| [format!("*.d{d}.com"), format!("d{d}.com")]).collect();
            let wanted = manifest(&domains, hosts);
            for _ in 0..*stop {
                match run.step(&wanted, &mut fate) {
                    Some(Next::Broken { .. }) => run.failed += 1,
                    Some(_) => break,
                    None => {}
                }
                // Google begins to renew one that serves: it serves on.
                if renewals.next() == Some(&0) && let Some(one) = run.gcp.certificates.iter_mut().find(|c| c["expireTime"].is_string()) {
                    one["managed"]["state"] = json!("PROVISIONING");
                    run.served = run.gcp.active();
                }
            }
        }
        run.failed = run.gcp.certificates.len();
        let last = manifest(&owned(&["d9.com"]), hosts);
        prop_assert_eq!(run.run_to_end(&last, &mut || "ACTIVE"), Next::Done);
        prop_assert_eq!(run.gcp.certificates.len(), 1);
        prop_assert_eq!(run.gcp.authorizations.len(), 1);
        prop_assert_eq!(run.gcp.active().len(), hosts.len());
    }
}

#[test]
fn a_certificate_that_only_looks_like_one_of_ours_stays() {
    // Made by evenkeel; then Terraform makes one with a suffix of its own.
    let mut run = Run::new(Gcp::default());
    run.adopted = false;
    let one = manifest(&owned(&["a.com"]), &["a.com"]);
    assert_eq!(run.run_to_end(&one, &mut || "ACTIVE"), Next::Done);
    let strange = "wild-0badcafe";
    run.gcp
        .certificate(strange, &json!(["x.com"]), &json!([]), "ACTIVE");
    let two = manifest(&owned(&["b.com"]), &["a.com"]);
    assert_eq!(run.run_to_end(&two, &mut || "ACTIVE"), Next::Done);
    assert_eq!(run.gcp.certificates.len(), 2, "{:?}", run.calls);
    let gone = manifest(&[], &[]);
    run.run_to_end(&gone, &mut || "ACTIVE");
    let left: Vec<_> = run
        .gcp
        .certificates
        .iter()
        .map(|c| short(&c["name"]))
        .collect();
    assert_eq!(left, [strange]);
}

#[test]
fn an_old_one_that_another_entry_keeps_is_waited_for_by_nobody() {
    let mut run = Run::new(Gcp::serving(&["a.com", "b.com"]));
    let wanted = manifest(&owned(&["new.com"]), &["a.com"]);
    assert_eq!(run.run_to_end(&wanted, &mut || "ACTIVE"), Next::Done);
    // Nothing is remembered of a rotation that is over.
    run.since.clear();
    assert_eq!(run.step(&wanted, &mut || "ACTIVE"), Some(Next::Done));
    assert!(run.gcp.is_active("wild"), "b.com has it");
}
