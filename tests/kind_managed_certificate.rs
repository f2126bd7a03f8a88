//! `ManagedCertificate` through the whole operator, on the emulated Certificate Manager.

mod common;

use common::{Operator, World, declared_as, key_of, run};
use evenkeel::api::envelope::{Deletion, Drift, RolloutSpec};
use evenkeel::api::{Condition, ConditionType, Declared, Key, Kind, Reason};
use evenkeel::core::token::Ask;
use evenkeel::emulator::Domain;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const WILD: &str = "*.netra.example.com";
const BASE: &str = "netra.example.com";

fn key() -> Key {
    key_of(Kind::ManagedCertificate, "global", "wild")
}

fn certificate(domains: &[&str], hosts: &[&str]) -> Declared {
    let slots: Vec<Value> = hosts
        .iter()
        .map(|host| json!({"map": "front", "hostname": host}))
        .collect();
    let resource = json!({"managed": {"domains": domains}, "attachTo": slots});
    let mut manifest = declared_as(key(), resource);
    manifest.policy.rollout = Some(RolloutSpec {
        bake: Some("10m".parse().expect("a duration")),
        ..RolloutSpec::default()
    });
    manifest
}

/// Keeps the set from being empty when the certificate leaves it.
fn other() -> Declared {
    let check = json!({"tcpHealthCheck": {"port": 80}});
    declared_as(key_of(Kind::HealthCheck, "global", "other"), check)
}

fn ready(operator: &Operator) -> Condition {
    let status = operator.status_of(&key());
    status
        .condition(ConditionType::Ready)
        .expect("a condition")
        .clone()
}

/// Waits until the Ready condition has this reason and says this.
async fn until(operator: &Operator, reason: Reason, words: &str) -> Condition {
    let said = |operator: &Operator| {
        let resources = operator.board.resources();
        let ready = resources
            .get(&key())
            .and_then(|report| report.status.condition(ConditionType::Ready).cloned());
        ready.is_some_and(|ready| ready.reason == reason && ready.message.contains(words))
    };
    operator.until(24 * HOUR, said).await;
    ready(operator)
}

/// Waits, and checks all the while that what was served by an ACTIVE certificate still is.
async fn watch(world: &World, operator: &Operator, done: impl Fn(&World) -> bool) {
    let active = |world: &World| -> Vec<String> {
        let served = world.served().into_iter();
        let good = served.filter(|(_, list)| list.iter().any(|(_, active)| *active));
        good.map(|(host, _)| host).collect()
    };
    let mut before = active(world);
    for _ in 0..20_000 {
        let now = active(world);
        for host in &before {
            assert!(now.contains(host), "a gap for {host}: {:?}", world.served());
        }
        before = now;
        if done(world) {
            return;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    panic!("no end: {:#?}", operator.board.resources());
}

/// A running operator with the first certificate served.
async fn served(world: &World, manifest: &Declared) -> Operator {
    let operator = world.operator();
    operator.declare(vec![manifest.clone()]).await;
    until(&operator, Reason::Progressing, "publish in the DNS").await;
    world.publish_all();
    operator.ready(&key(), 4 * HOUR).await;
    operator
}

#[test]
fn the_record_to_publish_is_shown_and_then_all_goes_by_itself() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator
            .declare(vec![certificate(&[WILD, BASE], &[WILD, BASE])])
            .await;
        let waiting = until(&operator, Reason::Progressing, "publish in the DNS").await;
        let records = world.dns_records();
        assert_eq!(records.len(), 1, "one for the domain and its wildcard");
        let (name, data) = records.first_key_value().unwrap();
        assert!(
            waiting.message.contains(&format!("{name} CNAME {data}")),
            "{}",
            waiting.message
        );
        let observed = operator.status_of(&key()).observed;
        assert_eq!(
            observed["dnsResourceRecords"],
            json!({name.as_str(): {"type": "CNAME", "data": data}})
        );
        let waiting = until(&operator, Reason::Progressing, "AUTHORIZATION_ISSUE").await;
        let google = format!("{WILD} FAILED CONFIG: The CNAME record {name} was not found");
        assert!(waiting.message.contains(&google), "{}", waiting.message);
        assert!(
            world.collection("certificateMapEntries").is_empty(),
            "nothing serves it yet"
        );

        tokio::time::sleep(8 * HOUR).await;
        assert_eq!(
            ready(&operator).reason,
            Reason::Progressing,
            "a person has time"
        );
        world.publish_all();
        operator.ready(&key(), 4 * HOUR).await;
        let served = world.served();
        assert_eq!(served.keys().collect::<Vec<_>>(), [WILD, BASE]);
        assert!(
            served.values().all(|list| list.len() == 1 && list[0].1),
            "{served:?}"
        );
        let state = operator.status_of(&key()).observed["state"].clone();
        let state = state.as_str().unwrap();
        assert!(state.starts_with("ACTIVE; "), "{state}");
        let observed = operator.status_of(&key()).observed;
        assert!(observed["expireTime"].is_string(), "{observed:?}");
        assert!(
            state.contains("no load balancer has certificate map front yet"),
            "{state}"
        );
        let changes = world.changes(0);
        assert_eq!(changes.len(), 5, "{changes:?}");

        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(world.changes(0).len(), 5, "and then nothing");
        operator.stop().await;
    });
}

#[test]
fn what_serves_already_is_adopted_without_a_write() {
    run(|| async {
        let world = World::new();
        world.by_hand("wild", &[WILD, BASE], BASE).await;
        let made = world.changes(0).len();
        let operator = world.operator();
        operator
            .declare(vec![certificate(&[BASE, WILD], &[WILD])])
            .await;
        let status = operator.ready(&key(), HOUR).await;
        assert!(
            status.observed["dnsResourceRecords"].is_object(),
            "{:?}",
            status.observed
        );
        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(world.changes(made), Vec::<String>::new());
        operator.stop().await;
    });
}

#[test]
fn what_others_made_is_left_alone_without_adopt() {
    run(|| async {
        let world = World::new();
        world.by_hand("legacy", &[WILD], BASE).await;
        let made = world.changes(0).len();
        let operator = world.operator();
        let mut manifest = certificate(&[WILD], &[WILD]);
        manifest.policy.adopt = false;
        operator.declare(vec![manifest.clone()]).await;
        let refused = until(&operator, Reason::AlreadyExists, "hand-made").await;
        assert!(refused.message.contains("legacy"), "{}", refused.message);
        tokio::time::sleep(HOUR).await;
        assert_eq!(world.changes(made), Vec::<String>::new());

        manifest.policy.adopt = true;
        operator.declare(vec![manifest]).await;
        world
            .journal
            .ask(key(), &Ask::Retry, world.clock.now())
            .unwrap();
        operator.ready(&key(), 4 * HOUR).await;
        let list = &world.served()[WILD];
        assert!(
            list[0].0.starts_with("wild-") && list[1].0 == "legacy",
            "{list:?}"
        );
        assert_eq!(
            world.collection("dnsAuthorizations").len(),
            1,
            "the one there is, is used"
        );
        operator.stop().await;
    });
}

#[test]
fn a_change_of_domains_rotates_without_a_gap() {
    run(|| async {
        let world = World::new();
        let operator = served(&world, &certificate(&[WILD, BASE], &[WILD])).await;
        let made = world.changes(0).len();
        let [old] = &world.served()[WILD][..] else {
            panic!("{:?}", world.served())
        };
        // Another base domain, whose record nobody has published yet; the old one goes.
        let shop = "*.shop.example.com";
        let next = certificate(&[shop, WILD], &[WILD, shop]);
        operator.declare(vec![next]).await;
        let waiting = until(&operator, Reason::Progressing, "publish in the DNS").await;
        assert!(
            waiting
                .message
                .contains("_acme-challenge.shop.example.com. CNAME")
        );
        assert!(
            !waiting.message.contains("_acme-challenge.netra"),
            "that one is published"
        );
        tokio::time::sleep(5 * HOUR).await;
        assert_eq!(
            world.served()[WILD],
            std::slice::from_ref(old),
            "the old one serves"
        );
        world.publish_all();
        let name = old.0.clone();
        let gone = move |world: &World| world.managed(&format!("certificates/{name}")).is_none();
        watch(&world, &operator, gone).await;
        operator.ready(&key(), HOUR).await;
        let changes = world.changes(made);
        let verbs: Vec<&str> = changes.iter().filter_map(|c| c.split('/').next()).collect();
        assert_eq!(
            verbs,
            [
                "POST dnsAuthorizations",
                "POST certificates",
                "PATCH certificateMaps",
                "POST certificateMaps",
                "DELETE certificates",
            ]
        );
        let patch = &world.changes_made()[made + 2];
        assert_eq!(patch.update_mask.as_deref(), Some("certificates"));
        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(world.changes(made).len(), 5, "and then nothing");
        operator.stop().await;
    });
}

#[test]
fn a_domain_that_leaves_takes_its_authorization_along() {
    run(|| async {
        let world = World::new();
        let operator = served(&world, &certificate(&[WILD, "shop.example.com"], &[WILD])).await;
        assert_eq!(world.collection("dnsAuthorizations").len(), 2);
        operator.declare(vec![certificate(&[WILD], &[WILD])]).await;
        let one = |world: &World| world.collection("dnsAuthorizations").len() == 1;
        watch(&world, &operator, one).await;
        let status = operator.ready(&key(), HOUR).await;
        let records = status.observed["dnsResourceRecords"].as_object().unwrap();
        assert_eq!(records.len(), 1, "{records:?}");
        operator.stop().await;
    });
}

#[test]
fn an_entry_that_somebody_points_elsewhere_is_pointed_back_or_only_told() {
    run(|| async {
        for drift in [Drift::Enforce, Drift::Observe] {
            let world = World::new();
            let mut manifest = certificate(&[WILD], &[WILD]);
            manifest.policy.drift = drift;
            let operator = served(&world, &manifest).await;
            let ours = world.served()[WILD][0].0.clone();
            let legacy = json!({"managed": {"domains": ["old.example.com"]}});
            world
                .manage("POST", "certificates?certificateId=legacy", legacy)
                .await;
            let made = world.changes(0).len();
            let (entry, _) = world
                .collection("certificateMapEntries")
                .pop_first()
                .unwrap();
            let entry = format!("certificateMaps/front/certificateMapEntries/{entry}");
            let legacy = "projects/netra-staging/locations/global/certificates/legacy";
            let fields = json!({"certificates": [legacy]});
            let path = format!("/{}/{entry}", common::manager::PLACE);
            world
                .emulator
                .foreign_patch(world.clock.now(), &path, &fields)
                .unwrap();
            tokio::time::sleep(30 * MINUTE).await;
            let served: Vec<String> = world.served()[WILD]
                .iter()
                .map(|(n, _)| n.clone())
                .collect();
            if drift == Drift::Enforce {
                assert_eq!(
                    served,
                    [ours, "legacy".to_owned()],
                    "what others put there stays"
                );
                operator.ready(&key(), HOUR).await;
            } else {
                assert_eq!(served, ["legacy"]);
                let drifted = operator.status_of(&key());
                let drifted = drifted.condition(ConditionType::Drifted).unwrap().clone();
                assert!(drifted.message.contains("attachTo"), "{}", drifted.message);
                assert_eq!(world.changes(made), Vec::<String>::new());
            }
            operator.stop().await;
        }
    });
}

#[test]
fn an_entry_that_leaves_the_manifest_is_released_and_so_is_all_with_it() {
    run(|| async {
        let world = World::new();
        let operator = served(&world, &certificate(&[WILD, BASE], &[WILD, BASE])).await;
        let made = world.changes(0).len();
        operator
            .declare(vec![certificate(&[WILD, BASE], &[WILD])])
            .await;
        tokio::time::sleep(HOUR).await;
        operator.declare(vec![other()]).await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(world.changes(made), Vec::<String>::new());
        assert_eq!(world.served().len(), 2);
        operator.stop().await;
    });
}

#[test]
fn a_delete_takes_entries_certificates_and_authorizations_in_this_order() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        let mut manifest = certificate(&[WILD], &[WILD]);
        manifest.policy.deletion = Deletion::Delete;
        let operator = served(&world, &manifest).await;
        let made = world.changes(0).len();
        operator.declare(vec![other()]).await;
        tokio::time::sleep(2 * HOUR).await;
        let changes = world.changes(made);
        let kinds: Vec<&str> = changes
            .iter()
            .filter_map(|c| c.rsplit('/').nth(1))
            .collect();
        assert_eq!(
            kinds,
            [
                "certificateMapEntries",
                "DELETE certificates",
                "DELETE dnsAuthorizations"
            ]
        );
        assert_eq!(
            world.collection("certificateMaps").len(),
            1,
            "the map stays"
        );
        assert!(
            !operator.board.resources().contains_key(&key()),
            "forgotten"
        );
        operator.stop().await;
    });
}

#[test]
fn a_delete_leaves_what_others_use() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        let mut manifest = certificate(&[WILD], &[WILD]);
        manifest.policy.deletion = Deletion::Delete;
        let operator = served(&world, &manifest).await;
        // Another certificate by the same authorization, and an entry that nobody declared.
        let (auth, _) = world.collection("dnsAuthorizations").pop_first().unwrap();
        let full = |what: &str| format!("projects/netra-staging/locations/global/{what}");
        let theirs = json!({"managed": {
            "domains": [BASE], "dnsAuthorizations": [full(&format!("dnsAuthorizations/{auth}"))],
        }});
        world
            .manage("POST", "certificates?certificateId=theirs", theirs)
            .await;
        let ours = world.served()[WILD][0].0.clone();
        let entry =
            json!({"matcher": "PRIMARY", "certificates": [full(&format!("certificates/{ours}"))]});
        let entries = "certificateMaps/front/certificateMapEntries";
        world
            .manage(
                "POST",
                &format!("{entries}?certificateMapEntryId=theirs"),
                entry,
            )
            .await;
        let made = world.changes(0).len();

        operator.declare(vec![other()]).await;
        let held = until(&operator, Reason::InUse, "entry theirs of map front").await;
        assert_eq!(
            world.changes(made),
            Vec::<String>::new(),
            "{}",
            held.message
        );
        world
            .manage("DELETE", &format!("{entries}/theirs"), Value::Null)
            .await;
        tokio::time::sleep(2 * HOUR).await;
        let certificates: Vec<String> = world.collection("certificates").into_keys().collect();
        assert_eq!(certificates, ["theirs"]);
        assert_eq!(
            world.collection("dnsAuthorizations").len(),
            1,
            "theirs is proved by it"
        );
        assert!(
            !operator.board.resources().contains_key(&key()),
            "forgotten"
        );
        operator.stop().await;
    });
}

#[test]
fn a_rotation_goes_on_after_kills() {
    run(|| async {
        let world = World::new();
        let operator = served(&world, &certificate(&[WILD, BASE], &[WILD, BASE])).await;
        operator.kill().await;
        let made = world.changes(0).len();
        let old = world.served()[WILD][0].0.clone();
        let next = || vec![certificate(&[WILD], &[WILD, BASE])];
        for _ in 0..60 {
            let operator = world.operator();
            operator.declare(next()).await;
            tokio::time::sleep(Duration::from_secs(67)).await;
            assert!(
                world
                    .served()
                    .values()
                    .all(|list| list.iter().any(|(_, active)| *active))
            );
            operator.kill().await;
        }
        let operator = world.operator();
        operator.declare(next()).await;
        let gone = move |world: &World| world.managed(&format!("certificates/{old}")).is_none();
        watch(&world, &operator, gone).await;
        operator.ready(&key(), HOUR).await;
        let changes = world.changes_made();
        let landed = changes[made..].iter().filter(|entry| entry.landed);
        assert_eq!(
            landed.count(),
            4,
            "create, two patches, delete: {:?}",
            world.changes(made)
        );
        operator.stop().await;
    });
}

#[test]
fn what_google_gave_up_on_is_told_held_and_made_anew_when_a_person_says_so() {
    run(|| async {
        let world = World::new();
        let operator = served(&world, &certificate(&[WILD], &[WILD])).await;
        let old = world.served()[WILD].clone();
        let hopeless = BTreeMap::from([("shop.example.com".to_owned(), Domain::FailsForGood)]);
        world.emulator.set_domains(hopeless);
        let next = certificate(&[WILD, "shop.example.com"], &[WILD]);
        operator.declare(vec![next]).await;
        tokio::time::sleep(MINUTE).await;
        world.publish_all();
        let failed = until(&operator, Reason::VerifyFailed, "Google gave up").await;
        let google =
            "shop.example.com FAILED CONFIG: Multiple attempts to authorize the domain failed";
        assert!(failed.message.contains(google), "{}", failed.message);
        assert!(
            failed.message.contains("evenkeel rollout retry"),
            "{}",
            failed.message
        );
        let made = world.changes(0).len();
        tokio::time::sleep(8 * HOUR).await;
        assert_eq!(world.changes(made), Vec::<String>::new(), "held");
        assert_eq!(world.served()[WILD], old);

        world.emulator.set_domains(BTreeMap::new());
        world
            .journal
            .ask(key(), &Ask::Retry, world.clock.now())
            .unwrap();
        operator.ready(&key(), 4 * HOUR).await;
        assert_eq!(
            world.collection("certificates").len(),
            1,
            "the failed one and the old one are gone"
        );
        assert_ne!(world.served()[WILD], old);
        operator.stop().await;
    });
}

#[test]
fn what_forbids_a_domain_is_told_in_googles_words() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let forbidden = BTreeMap::from([(BASE.to_owned(), Domain::CaaForbidden)]);
        world.emulator.set_domains(forbidden);
        operator.declare(vec![certificate(&[WILD], &[])]).await;
        tokio::time::sleep(MINUTE).await;
        world.publish_all();
        let told = until(&operator, Reason::Progressing, "FAILED CAA").await;
        assert!(
            told.message
                .contains("forbidden by a CAA record of the domain"),
            "{}",
            told.message
        );
        assert!(told.message.contains("allow pki.goog"), "{}", told.message);
        world.emulator.set_domains(BTreeMap::new());
        operator.ready(&key(), 4 * HOUR).await;
        operator.stop().await;
    });
}

#[test]
fn a_renewal_that_cannot_be_made_is_replaced_once_google_gives_up() {
    run(|| async {
        let world = World::new();
        let operator = served(&world, &certificate(&[WILD], &[WILD])).await;
        let old = world.served()[WILD][0].0.clone();
        let failing = BTreeMap::from([(BASE.to_owned(), Domain::FailsRenewal)]);
        world.emulator.set_domains(failing);
        world.emulator.set_domains(BTreeMap::new());
        let renewed = |operator: &Operator| {
            operator.board.resources()[&key()].status.is_ready() && world.served()[WILD][0].0 != old
        };
        operator.until(24 * HOUR, renewed).await;
        assert_eq!(world.collection("certificates").len(), 1);
        operator.stop().await;
    });
}

/// What is said of the end, in the condition, where there is one.
fn expiring(operator: &Operator) -> Option<(Reason, String)> {
    let status = operator.status_of(&key());
    let condition = status.condition(ConditionType::Expiring)?;
    Some((condition.reason, condition.message.clone()))
}

/// A person takes the record out of the DNS, so Google cannot renew; it goes on once the record is back.
#[test]
fn an_end_that_is_near_says_what_keeps_google_from_renewing() {
    run(|| async {
        let world = World::new();
        let manifest = certificate(&[WILD], &[WILD]);
        let operator = served(&world, &manifest).await;
        assert_eq!(expiring(&operator), None);
        operator.stop().await;
        let records = world.dns_records();
        world.emulator.set_dns(BTreeMap::new());
        tokio::time::sleep(61 * 24 * HOUR).await;
        let operator = world.start(vec![manifest.clone()]).await;
        tokio::time::sleep(10 * MINUTE).await;
        let (reason, message) = expiring(&operator).expect("a condition");
        assert_eq!(reason, Reason::ExpiresSoon);
        assert!(message.starts_with("warning: "), "{message}");
        let (name, data) = records.first_key_value().unwrap();
        let publish = format!("publish in the DNS: {name} CNAME {data}");
        assert!(message.contains(&publish), "{message}");
        let serves = ready(&operator);
        assert_eq!(serves.reason, Reason::UpToDate, "it serves on: {serves:?}");

        world.emulator.set_dns(records);
        let told = |operator: &Operator| expiring(operator).is_none();
        operator.until(48 * HOUR, told).await;
        assert_eq!(
            world.collection("certificates").len(),
            1,
            "nothing was made"
        );
        operator.stop().await;
    });
}

/// Findings of a manifest: where, and what.
fn findings(resource: Value) -> Vec<(String, String)> {
    let manifest = declared_as(key(), resource);
    let all = evenkeel::kinds::of(Kind::ManagedCertificate).check(&manifest);
    all.into_iter().map(|one| (one.path, one.message)).collect()
}

#[test]
fn each_entry_says_what_it_is_for() {
    let entries = json!([
        {"map": "front", "hostname": WILD},
        {"map": "front"},
        {"map": "front", "hostname": BASE, "matcher": "PRIMARY"},
        {"map": "front", "hostname": "*.NETRA.example.com."},
        {"map": "front", "hostname": "two words"},
        {"map": "back", "hostname": "www.example.com"},
        {"map": "back", "matcher": "PRIMARY"},
    ]);
    let found = findings(json!({"managed": {"domains": [WILD]}, "attachTo": entries}));
    let found: Vec<(&str, &str)> = found
        .iter()
        .map(|(path, what)| (path.trim_start_matches("spec.resource."), what.as_str()))
        .collect();
    let ambiguous = "the entry says not what it is for";
    assert_eq!(
        found,
        [
            ("attachTo[1]", ambiguous),
            ("attachTo[2]", ambiguous),
            ("attachTo[3]", "front/*.netra.example.com is there twice"),
            (
                "attachTo[4].hostname",
                "`two words` is neither a host name nor a wildcard for the hosts of one"
            ),
            (
                "attachTo[5]",
                "the certificate is not for `www.example.com`"
            ),
        ]
    );
}
