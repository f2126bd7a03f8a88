//! Certificate rotation as a pure procedure: whatever happens, a proxy that served an ACTIVE
//! certificate always serves one.

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

const BASE: &str = "https://www.googleapis.com/compute/v1/projects/p/global";
const BAKE: Duration = Duration::from_mins(1);

/// GCP, as far as certificates go.
#[derive(Debug, Clone, Default)]
struct Gcp {
    certificates: Vec<Value>,
    proxies: Vec<Value>,
    clock: i64,
}

impl Gcp {
    fn with_proxies(names: &[&str]) -> Gcp {
        let proxies = names.iter().map(|name| {
            json!({"name": name, "selfLink": format!("{BASE}/targetHttpsProxies/{name}"),
                   "fingerprint": "AAAA", "sslCertificates": []})
        });
        Gcp {
            proxies: proxies.collect(),
            ..Gcp::default()
        }
    }

    fn add(&mut self, name: &str, domains: &[&str], status: &str) {
        self.clock += 1;
        self.certificates.push(json!({
            "name": name, "type": "MANAGED", "creationTimestamp": format!("{:020}", self.clock),
            "managed": {"domains": domains, "status": status}
        }));
    }

    fn attach(&mut self, proxy: &str, certificate: &str) {
        let url = json!(format!("{BASE}/sslCertificates/{certificate}"));
        let proxy = self
            .proxies
            .iter_mut()
            .find(|p| p["name"] == proxy)
            .unwrap();
        proxy["sslCertificates"].as_array_mut().unwrap().push(url);
    }

    fn status(&mut self, name: &str, status: &str) {
        let found = self
            .certificates
            .iter_mut()
            .find(|c| c["name"] == name)
            .unwrap();
        found["managed"]["status"] = json!(status);
    }

    fn served(proxy: &Value) -> Vec<String> {
        let list = proxy["sslCertificates"].as_array().unwrap().iter();
        list.map(|url| url.as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect()
    }

    fn is_active(&self, name: &str) -> bool {
        self.certificates
            .iter()
            .any(|c| c["name"] == name && c["managed"]["status"] == "ACTIVE")
    }

    fn active_proxies(&self) -> Vec<String> {
        let good = |proxy: &&Value| Self::served(proxy).iter().any(|name| self.is_active(name));
        self.proxies
            .iter()
            .filter(good)
            .map(|p| p["name"].as_str().unwrap().to_owned())
            .collect()
    }

    fn composite(&self) -> Value {
        json!({"name": "cert", "certificates": self.certificates, "proxies": self.proxies})
    }

    /// Does what GCP would do, and refuses what it refuses.
    fn apply(&mut self, call: &Call) {
        let (what, name) = call.object.split_once('/').unwrap();
        match (call.verb, what) {
            (Verb::Create, "sslCertificates") => {
                let taken = self.certificates.iter().any(|c| c["name"] == name);
                assert!(!taken, "created {name} twice");
                let domains: Vec<_> = call.body["managed"]["domains"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|d| d.as_str().unwrap())
                    .collect();
                self.add(name, &domains, "PROVISIONING");
            }
            (Verb::Patch, "targetHttpsProxies") => {
                let list = call.body["sslCertificates"].as_array().unwrap();
                assert!((1..=15).contains(&list.len()), "a proxy takes 1 to 15");
                let proxy = self.proxies.iter_mut().find(|p| p["name"] == name).unwrap();
                assert_eq!(proxy["fingerprint"], call.body["fingerprint"]);
                proxy["sslCertificates"] = json!(list);
            }
            (Verb::Delete, "sslCertificates") => {
                let used = self
                    .proxies
                    .iter()
                    .any(|p| Self::served(p).iter().any(|c| c == name));
                assert!(!used, "deleted {name} while a proxy uses it");
                self.certificates.retain(|c| c["name"] != name);
            }
            other => panic!("no such call: {other:?}"),
        }
    }
}

fn manifest(domains: &[&str], attach: &[&str]) -> Declared {
    let resource = json!({"managed": {"domains": domains}, "attachTo": attach});
    Declared {
        key: Key {
            kind: Kind::SslCertificate,
            project: "p".into(),
            location: "global".into(),
            name: "cert".into(),
        },
        name: "cert".into(),
        labels: BTreeMap::new(),
        resource: resource.as_object().unwrap().clone(),
        policy: Policy::default(),
        origin: Origin::default(),
    }
}

fn look(
    gcp: &Gcp,
    declared: &Declared,
    since: &BTreeMap<String, Timestamp>,
    now: Timestamp,
) -> Procedure {
    let kind = kinds::of(Kind::SslCertificate);
    let fields = kind.declared(declared, &SetNames::of(&[]));
    let live = (!gcp.certificates.is_empty()).then(|| kind.live(gcp.composite()));
    let raw = json!({"name": "cert", "certificates": [], "proxies": gcp.proxies});
    let none = kind.live(raw);
    let scene = Scene {
        name: "cert",
        declared: &fields,
        resource: &declared.resource,
        adopted: true,
        live: live.as_ref().or(Some(&none)),
        since,
        adopt: true,
        attempt: 1,
        failed: 0,
        applied: &Fields::new(),
        bake: BAKE,
        now,
    };
    (kind.rules().procedures.unwrap().change)(&scene).unwrap()
}

/// Runs until done, `fate` deciding what becomes of each certificate; returns the calls made.
fn rotate(
    gcp: &mut Gcp,
    declared: &Declared,
    mut fate: impl FnMut(usize) -> &'static str,
) -> Vec<String> {
    let mut since = BTreeMap::new();
    let mut now = Timestamp::from_second(1_000_000).unwrap();
    let mut calls = Vec::new();
    let mut served = gcp.active_proxies();
    for round in 0..200 {
        let procedure = look(gcp, declared, &since, now);
        since.retain(|mark, _| procedure.marks.contains(mark));
        for mark in procedure.marks {
            since.entry(mark).or_insert(now);
        }
        match procedure.next {
            Next::Done => return calls,
            Next::Call(call) => {
                calls.push(format!("{:?} {}", call.verb, call.object));
                gcp.apply(&call);
            }
            Next::Broken { message, .. } => {
                calls.push(message);
                return calls;
            }
            Next::Wait { .. } => {
                let waiting: Vec<String> = gcp
                    .certificates
                    .iter()
                    .filter(|c| c["managed"]["status"] == "PROVISIONING")
                    .map(|c| c["name"].as_str().unwrap().to_owned())
                    .collect();
                for name in waiting {
                    gcp.status(&name, fate(round));
                }
            }
            Next::Hold { until, .. } => now = until,
            Next::Look => panic!("a rotation is told from any reply"),
        }
        now = now.checked_add(Duration::from_secs(1)).unwrap();
        let still = gcp.active_proxies();
        for proxy in &served {
            assert!(
                still.contains(proxy),
                "{proxy} serves no ACTIVE certificate: {calls:?}"
            );
        }
        served = still;
    }
    panic!("no end: {calls:?}");
}

#[test]
fn the_first_certificate_is_made_attached_and_waited_for() {
    let mut gcp = Gcp::with_proxies(&["front"]);
    let calls = rotate(
        &mut gcp,
        &manifest(&["a.example.com"], &["front"]),
        |_| "ACTIVE",
    );
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert!(calls[0].starts_with("Create sslCertificates/cert-"));
    assert_eq!(calls[1], "Patch targetHttpsProxies/front");
}

#[test]
fn a_change_of_domains_rotates_without_a_gap() {
    let mut gcp = Gcp::with_proxies(&["front", "back"]);
    gcp.add("cert", &["a.example.com"], "ACTIVE");
    gcp.attach("front", "cert");
    gcp.attach("back", "cert");
    let calls = rotate(
        &mut gcp,
        &manifest(&["a.example.com", "b.example.com"], &["front", "back"]),
        |_| "ACTIVE",
    );
    assert_eq!(
        calls.len(),
        6,
        "create, attach twice, detach twice, delete: {calls:?}"
    );
    assert_eq!(calls.last().unwrap(), "Delete sslCertificates/cert");
    assert_eq!(gcp.certificates.len(), 1);
}

#[test]
fn what_is_live_already_needs_nothing() {
    let mut gcp = Gcp::with_proxies(&["front"]);
    gcp.add("cert", &["a.example.com"], "ACTIVE");
    gcp.attach("front", "cert");
    assert!(
        rotate(
            &mut gcp,
            &manifest(&["a.example.com"], &["front"]),
            |_| "ACTIVE"
        )
        .is_empty()
    );
}

#[test]
fn a_certificate_lost_for_good_is_made_anew_and_the_old_one_serves_on() {
    for lost in ["PROVISIONING_FAILED_PERMANENTLY", "RENEWAL_FAILED"] {
        let mut gcp = Gcp::with_proxies(&["front"]);
        gcp.add("cert", &["old.example.com"], "ACTIVE");
        gcp.attach("front", "cert");
        let mut count = 0;
        let fate = move |_| {
            count += 1;
            if count == 1 { lost } else { "ACTIVE" }
        };
        let calls = rotate(&mut gcp, &manifest(&["a.example.com"], &["front"]), fate);
        let created = calls
            .iter()
            .filter(|call| call.starts_with("Create"))
            .count();
        assert_eq!(created, 2, "{calls:?}");
        assert_eq!(gcp.certificates.len(), 1, "{calls:?}");
    }
}

#[test]
fn three_lost_certificates_are_enough() {
    let mut gcp = Gcp::with_proxies(&["front"]);
    gcp.add("cert", &["old.example.com"], "ACTIVE");
    gcp.attach("front", "cert");
    let fate = |_| "PROVISIONING_FAILED_PERMANENTLY";
    let calls = rotate(&mut gcp, &manifest(&["a.example.com"], &["front"]), fate);
    assert!(
        calls.last().unwrap().contains("failed for good"),
        "{calls:?}"
    );
    assert_eq!(gcp.active_proxies(), ["front"], "the old one serves on");
}

#[test]
fn after_a_retry_three_more_may_be_made() {
    let mut gcp = Gcp::with_proxies(&["front"]);
    gcp.add("cert", &["old.example.com"], "ACTIVE");
    gcp.attach("front", "cert");
    let wanted = manifest(&["a.example.com"], &["front"]);
    rotate(&mut gcp, &wanted, |_| "PROVISIONING_FAILED_PERMANENTLY");
    // The domains are mended; another attempt remembers nothing of the last one.
    rotate(&mut gcp, &wanted, |_| "ACTIVE");
    assert_eq!(gcp.certificates.len(), 1, "{:?}", gcp.certificates);
}

#[test]
fn a_full_proxy_is_said_to_be_full() {
    let mut gcp = Gcp::with_proxies(&["front"]);
    gcp.add("cert", &["old.example.com"], "ACTIVE");
    gcp.attach("front", "cert");
    for index in 0..14 {
        gcp.attach("front", &format!("other-{index}"));
    }
    let calls = rotate(
        &mut gcp,
        &manifest(&["a.example.com"], &["front"]),
        |_| "ACTIVE",
    );
    assert!(calls.last().unwrap().contains("GCP allows 15"), "{calls:?}");
}

#[test]
fn certificates_of_others_stay_attached() {
    let mut gcp = Gcp::with_proxies(&["front"]);
    gcp.attach("front", "somebody-elses");
    rotate(
        &mut gcp,
        &manifest(&["a.example.com"], &["front"]),
        |_| "ACTIVE",
    );
    rotate(
        &mut gcp,
        &manifest(&["b.example.com"], &["front"]),
        |_| "ACTIVE",
    );
    assert!(Gcp::served(&gcp.proxies[0]).contains(&"somebody-elses".to_owned()));
}

#[test]
fn what_evenkeel_did_not_make_is_nobodys_to_take_away() {
    let mut gcp = Gcp::with_proxies(&["front"]);
    gcp.add("cert-0badcafe", &["tf.example.com"], "ACTIVE");
    gcp.attach("front", "cert-0badcafe");
    let wanted = manifest(&["a.example.com"], &["front"]);
    let fields = kinds::of(Kind::SslCertificate).declared(&wanted, &SetNames::of(&[]));
    let live = kinds::of(Kind::SslCertificate).live(gcp.composite());
    let steps = |adopted: bool| {
        let procedures = kinds::of(Kind::SslCertificate).rules().procedures.unwrap();
        (procedures.change)(&Scene {
            name: "cert",
            declared: &fields,
            resource: &wanted.resource,
            adopt: adopted,
            attempt: 0,
            failed: 0,
            applied: &Fields::new(),
            adopted,
            live: Some(&live),
            since: &BTreeMap::new(),
            bake: BAKE,
            now: Timestamp::UNIX_EPOCH,
        })
        .unwrap()
        .steps
    };
    let deletes = |steps: Vec<String>| steps.iter().any(|step| step.starts_with("delete"));
    assert!(!deletes(steps(false)), "{:?}", steps(false));
    assert!(deletes(steps(true)), "{:?}", steps(true));
}

proptest! {
    /// Edits in the middle, certificates that fail, several proxies: never a gap, always an end.
    #[test]
    fn never_a_gap(
        edits in prop::collection::vec(prop::collection::btree_set(0_u8..4, 1..4), 1..5),
        fates in prop::collection::vec(0_u8..6, 1..40),
        stops in prop::collection::vec(1_usize..12, 1..5),
        proxies in 1_usize..4,
    ) {
        let names = &["front", "back", "side"][..proxies];
        let mut gcp = Gcp::with_proxies(names);
        gcp.add("cert", &["d0.example.com"], "ACTIVE");
        for name in names {
            gcp.attach(name, "cert");
        }
        let mut draws = fates.iter().cycle();
        let mut since = BTreeMap::new();
        let mut now = Timestamp::from_second(1_000_000).unwrap();
        for (edit, stop) in edits.iter().zip(stops.iter().cycle()) {
            let domains: Vec<String> = edit.iter().map(|d| format!("d{d}.example.com")).collect();
            let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
            let declared = manifest(&domains, names);
            for _ in 0..*stop {
                let procedure = look(&gcp, &declared, &since, now);
                since.retain(|mark, _| procedure.marks.contains(mark));
                for mark in procedure.marks {
                    since.entry(mark).or_insert(now);
                }
                match procedure.next {
                    Next::Call(call) => gcp.apply(&call),
                    Next::Hold { until, .. } => now = until,
                    Next::Wait { .. } => {
                        for certificate in &mut gcp.certificates {
                            if certificate["managed"]["status"] == "PROVISIONING" {
                                let status = match draws.next() {
                                    Some(0) => "PROVISIONING_FAILED_PERMANENTLY",
                                    Some(1) => "PROVISIONING",
                                    _ => "ACTIVE",
                                };
                                certificate["managed"]["status"] = json!(status);
                            }
                        }
                    }
                    Next::Done | Next::Look | Next::Broken { .. } => break,
                }
                now = now.checked_add(Duration::from_secs(1)).unwrap();
                prop_assert_eq!(gcp.active_proxies().len(), proxies, "a gap");
            }
        }
        let last = manifest(&["d9.example.com"], names);
        rotate(&mut gcp, &last, |_| "ACTIVE");
        prop_assert_eq!(gcp.certificates.len(), 1);
    }
}
