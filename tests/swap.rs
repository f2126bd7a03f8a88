//! The swap of a health check as a pure procedure: whatever happens, every backend service has a
//! check that exists, and nothing is touched that is not of the family.

use evenkeel::api::{Declared, Key, Kind, Origin, Policy};
use evenkeel::core::fields::Fields;
use evenkeel::core::procedure::{Call, Next, Procedure, Scene};
use evenkeel::core::record::Verb;
use evenkeel::kinds::{self, SetNames, health_check_base as base_of};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const PLACE: &str = "projects/p/global";
const BAKE: Duration = Duration::from_mins(1);
/// Type and block.
const PROTOCOLS: [(&str, &str); 4] = [
    ("TCP", "tcpHealthCheck"),
    ("HTTP", "httpHealthCheck"),
    ("HTTPS", "httpsHealthCheck"),
    ("GRPC", "grpcHealthCheck"),
];
/// Checks of others, with names that look alike.
const STRANGERS: [&str; 3] = ["web2", "web-1f0c88aa", "api"];

/// GCP, as far as health checks go.
#[derive(Debug, Clone, Default)]
struct Gcp {
    checks: Vec<Value>,
    services: Vec<Value>,
    clock: i64,
}

impl Gcp {
    /// `web` with this protocol, the checks of others, and services on each of them.
    fn new(protocol: usize, users: usize) -> Gcp {
        let mut gcp = Gcp::default();
        let (kind, block) = PROTOCOLS[protocol];
        gcp.add(json!({"name": "web", "type": kind, block: {"port": 80}, "healthyThreshold": 4}));
        for name in STRANGERS {
            gcp.add(json!({"name": name, "type": "TCP", "tcpHealthCheck": {"port": 80}}));
            gcp.serve(&format!("on-{name}"), name);
        }
        for index in 0..users {
            gcp.serve(&format!("user-{index}"), "web");
        }
        gcp
    }

    fn add(&mut self, mut check: Value) {
        self.clock += 1;
        let at = Timestamp::from_second(self.clock).unwrap();
        check["creationTimestamp"] = at.to_string().into();
        check["selfLink"] =
            format!("{PLACE}/healthChecks/{}", check["name"].as_str().unwrap()).into();
        self.checks.push(check);
    }

    fn serve(&mut self, service: &str, check: &str) {
        self.services.push(json!({
            "name": service, "selfLink": format!("{PLACE}/backendServices/{service}"),
            "fingerprint": "0", "healthChecks": [format!("{PLACE}/healthChecks/{check}")],
        }));
    }

    fn is_there(&self, name: &str) -> bool {
        self.checks.iter().any(|check| check["name"] == name)
    }

    fn used_by(service: &Value) -> String {
        let link = service["healthChecks"][0].as_str().unwrap();
        link.rsplit('/').next().unwrap().to_owned()
    }

    fn family(&self) -> Vec<Value> {
        let ours = |check: &&Value| base_of(check["name"].as_str().unwrap()) == "web";
        self.checks.iter().filter(ours).cloned().collect()
    }

    fn users(&self) -> Vec<Value> {
        let ours = |service: &&Value| base_of(&Self::used_by(service)) == "web";
        self.services.iter().filter(ours).cloned().collect()
    }

    /// What a read gives, or a LIST, which has no services.
    fn view(&self, listed: bool) -> Option<Value> {
        let mut family = self.family();
        match family.len() {
            0 => None,
            1 => family.pop(),
            _ if listed => Some(json!({"name": "web", "healthChecks": family})),
            _ => Some(
                json!({"name": "web", "healthChecks": family, "backendServices": self.users()}),
            ),
        }
    }

    /// Does what GCP would do, and refuses what it refuses.
    fn apply(&mut self, call: &Call) {
        let name = call.object.rsplit('/').next().unwrap();
        assert!(!STRANGERS.contains(&name), "{call:?}");
        match call.verb {
            Verb::Create => {
                assert!(!self.is_there(name), "created {name} twice");
                assert_eq!(call.body["name"], name);
                self.add(call.body.clone());
            }
            Verb::Patch if call.object.starts_with("healthChecks/") => {
                let check = self.checks.iter_mut().find(|c| c["name"] == name).unwrap();
                assert!(call.body.get("type").is_none(), "never in place");
                merge(check, &call.body);
            }
            Verb::Patch => {
                let there: Vec<_> = self.checks.iter().map(|c| c["name"].clone()).collect();
                let service = self
                    .services
                    .iter_mut()
                    .find(|s| s["name"] == name)
                    .unwrap();
                assert_eq!(service["fingerprint"], call.body["fingerprint"]);
                service["fingerprint"] =
                    format!("{}+", service["fingerprint"].as_str().unwrap()).into();
                service["healthChecks"] = call.body["healthChecks"].clone();
                assert!(there.contains(&Self::used_by(service).into()), "{call:?}");
            }
            Verb::Delete => {
                let used = self.services.iter().any(|s| Self::used_by(s) == name);
                assert!(!used, "deleted {name} while it is used");
                assert!(self.is_there(name));
                self.checks.retain(|check| check["name"] != name);
            }
        }
    }
}

fn merge(target: &mut Value, patch: &Value) {
    for (name, value) in patch.as_object().unwrap() {
        if value.is_object() {
            merge(&mut target[name], value);
        } else {
            target[name] = value.clone();
        }
    }
}

fn manifest(protocol: usize, port: u16) -> Declared {
    let (_, block) = PROTOCOLS[protocol];
    let resource = json!({"checkIntervalSec": 10, block: {"port": port}});
    Declared {
        key: Key {
            kind: Kind::HealthCheck,
            project: "p".into(),
            location: "global".into(),
            name: "web".into(),
        },
        name: "web".into(),
        labels: BTreeMap::new(),
        resource: resource.as_object().unwrap().clone(),
        policy: Policy::default(),
        origin: Origin::default(),
    }
}

#[derive(Default)]
struct Memory {
    since: BTreeMap<String, Timestamp>,
    seconds: i64,
}

impl Memory {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_000_000 + self.seconds).unwrap()
    }

    /// `None`: plain calls do.
    fn look(&mut self, gcp: &Gcp, declared: &Declared, listed: bool) -> Option<Procedure> {
        let kind = kinds::of(Kind::HealthCheck);
        let fields = kind.declared(declared, &SetNames::of(&[]));
        let mut live = gcp.view(listed).map(|raw| kind.live(raw));
        if let (Some(live), true) = (live.as_mut(), listed) {
            live.raw = Value::Null;
        }
        let scene = Scene {
            name: "web",
            declared: &fields,
            resource: &declared.resource,
            adopted: true,
            live: live.as_ref(),
            since: &self.since,
            adopt: true,
            attempt: 1,
            failed: 0,
            applied: &Fields::new(),
            bake: BAKE,
            now: self.now(),
        };
        let procedure = (kind.rules().procedures.unwrap().change)(&scene);
        let now = scene.now;
        if !listed {
            let marks = procedure.as_ref().map_or(&[][..], |p| &p.marks);
            self.since.retain(|mark, _| marks.contains(mark));
            for mark in marks {
                self.since.entry(mark.clone()).or_insert(now);
            }
        }
        procedure
    }

    /// One round; false at the end.
    fn step(&mut self, gcp: &mut Gcp, declared: &Declared, calls: &mut Vec<String>) -> bool {
        self.seconds += 1;
        if let Some(listed) = self.look(gcp, declared, true) {
            let harmless = match &listed.next {
                Next::Call(call) => {
                    call.object.starts_with("healthChecks/") && call.verb != Verb::Delete
                }
                next => matches!(next, Next::Look | Next::Broken { .. }),
            };
            assert!(harmless, "a LIST shows no users: {listed:?}");
        }
        let Some(procedure) = self.look(gcp, declared, false) else {
            return false;
        };
        match procedure.next {
            Next::Call(call) => {
                calls.push(format!("{:?} {}", call.verb, call.object));
                gcp.apply(&call);
            }
            Next::Hold { until, .. } => self.seconds = until.as_second() - 1_000_000,
            other => panic!("{other:?}"),
        }
        true
    }

    fn run(&mut self, gcp: &mut Gcp, declared: &Declared) -> Vec<String> {
        let mut calls = Vec::new();
        for _ in 0..100 {
            if !self.step(gcp, declared, &mut calls) {
                return calls;
            }
        }
        panic!("no end: {calls:?}");
    }
}

#[test]
fn one_takes_over_from_the_other_and_keeps_what_the_manifest_leaves_open() {
    let mut gcp = Gcp::new(1, 2);
    let calls = Memory::default().run(&mut gcp, &manifest(0, 5432));
    let new = "web-65f0f8eb";
    assert_eq!(
        calls,
        [
            format!("Create healthChecks/{new}"),
            format!("Patch {PLACE}/backendServices/user-0"),
            format!("Patch {PLACE}/backendServices/user-1"),
            "Delete healthChecks/web".to_owned(),
        ]
    );
    let check = &gcp.family()[0];
    assert_eq!(
        (&check["name"], &check["type"]),
        (&json!(new), &json!("TCP"))
    );
    assert_eq!(check["tcpHealthCheck"], json!({"port": 5432}));
    assert_eq!(
        (&check["checkIntervalSec"], &check["healthyThreshold"]),
        (&json!(10), &json!(4))
    );
    assert!(
        Memory::default()
            .run(&mut gcp, &manifest(0, 5432))
            .is_empty()
    );
}

#[test]
fn a_missing_port_and_a_long_name_are_told_before_anything_is_made() {
    let gcp = Gcp::new(1, 1);
    let mut without_port = manifest(3, 1);
    without_port.resource = json!({"grpcHealthCheck": {}}).as_object().unwrap().clone();
    without_port.resource.insert("type".into(), json!("GRPC"));
    let procedure = Memory::default().look(&gcp, &without_port, false).unwrap();
    let Next::Broken { message, .. } = procedure.next else {
        panic!("{procedure:?}");
    };
    assert!(message.contains("gRPC has no default"), "{message}");

    let kind = kinds::of(Kind::HealthCheck);
    let name = "w".repeat(60);
    let raw = json!({"name": name, "type": "HTTP", "httpHealthCheck": {"port": 80}});
    let live = kind.live(raw);
    let declared = manifest(0, 80);
    let fields = kind.declared(&declared, &SetNames::of(&[]));
    let procedure = (kind.rules().procedures.unwrap().change)(&Scene {
        name: &name,
        declared: &fields,
        resource: &declared.resource,
        adopted: true,
        live: Some(&live),
        since: &BTreeMap::new(),
        adopt: true,
        attempt: 1,
        failed: 0,
        applied: &Fields::new(),
        bake: BAKE,
        now: Timestamp::UNIX_EPOCH,
    });
    let Next::Broken { message, .. } = procedure.unwrap().next else {
        panic!("it has no room for a suffix");
    };
    assert!(message.contains("54 characters"), "{message}");
}

#[test]
fn the_name_of_a_check_that_takes_over_cannot_be_declared() {
    let mut declared = manifest(0, 80);
    declared.key.name = "web-65f0f8eb".into();
    declared.name = "web-65f0f8eb".into();
    let findings = kinds::of(Kind::HealthCheck).check(&declared);
    assert_eq!(findings[0].path, "metadata.name");
    assert!(findings[0].help.contains("declare `web`"), "{findings:?}");
}

/// What others do in between.
#[derive(Debug, Clone)]
enum Other {
    /// A new service, on one of the checks.
    Serve(usize),
    /// A service moves to one of the checks.
    Move(usize, usize),
    /// A check of the family gets other fields.
    Change(usize),
}

fn other() -> impl Strategy<Value = Option<Other>> {
    prop_oneof![
        3 => Just(None),
        1 => any::<usize>().prop_map(|check| Some(Other::Serve(check))),
        1 => any::<(usize, usize)>().prop_map(|(service, check)| Some(Other::Move(service, check))),
        1 => any::<usize>().prop_map(|check| Some(Other::Change(check))),
    ]
}

fn disturb(gcp: &mut Gcp, other: &Other) {
    let checks: Vec<_> = gcp
        .checks
        .iter()
        .map(|c| c["name"].as_str().unwrap().to_owned())
        .collect();
    match other {
        Other::Serve(check) => {
            let name = format!("late-{}", gcp.services.len());
            gcp.serve(&name, &checks[check % checks.len()]);
        }
        Other::Move(service, check) => {
            let count = gcp.services.len();
            let service = &mut gcp.services[service % count];
            let link = format!("{PLACE}/healthChecks/{}", checks[check % checks.len()]);
            service["healthChecks"] = json!([link]);
            service["fingerprint"] =
                format!("{}*", service["fingerprint"].as_str().unwrap()).into();
        }
        Other::Change(check) => {
            let index = check % checks.len();
            if base_of(&checks[index]) == "web" {
                gcp.checks[index]["checkIntervalSec"] = json!(77);
            }
        }
    }
}

proptest! {
    /// Edits in the middle, kills, and others who do as they like: it always comes to an end, with
    /// one check of the last protocol, and everybody has one all the while.
    #[test]
    fn nobody_is_ever_without_a_check(
        first in 0_usize..4,
        users in 0_usize..4,
        edits in prop::collection::vec((0_usize..4, 1_u16..3), 1..6),
        stops in prop::collection::vec(0_usize..8, 1..6),
        others in prop::collection::vec(other(), 1..30),
    ) {
        let mut gcp = Gcp::new(first, users);
        let before = gcp.clone();
        let mut others = others.iter().cycle();
        let mut calls = Vec::new();
        let mut memory = Memory::default();
        for ((protocol, port), stop) in edits.iter().zip(stops.iter().cycle()) {
            let declared = manifest(*protocol, *port);
            for _ in 0..*stop {
                if let Some(Some(other)) = others.next() {
                    disturb(&mut gcp, other);
                }
                if !memory.step(&mut gcp, &declared, &mut calls) {
                    break;
                }
                for service in &gcp.services {
                    prop_assert!(gcp.is_there(&Gcp::used_by(service)), "{service}: {calls:?}");
                }
            }
            // A kill forgets nothing but what is live.
            memory = Memory { seconds: memory.seconds, ..Memory::default() };
        }
        let (protocol, port) = edits[edits.len() - 1];
        memory.run(&mut gcp, &manifest(protocol, port));
        let family = gcp.family();
        prop_assert_eq!(family.len(), 1);
        prop_assert_eq!(&family[0]["type"], PROTOCOLS[protocol].0);
        for user in gcp.users() {
            prop_assert_eq!(&Gcp::used_by(&user), family[0]["name"].as_str().unwrap());
        }
        for name in STRANGERS {
            let of = |gcp: &Gcp| gcp.checks.iter().find(|c| c["name"] == name).cloned();
            prop_assert_eq!(of(&gcp), of(&before));
        }
    }
}
