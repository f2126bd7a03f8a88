//! What every kind must do, on the emulated GCP: create, adopt, change, bring drift back or only
//! tell it, release a field, leave or delete the resource, and write nothing once it is settled.
//!
//! A kind gives its manifests and how others change it ([`Subject`]); each behaviour is one
//! function. What is special about a kind is in its own `kind_*.rs`.

mod common;
mod matrix;

use common::{CONNECTOR, Operator, World, declared_as, key, message, reason, run};
use evenkeel::api::envelope::{Deletion, Drift, RolloutSpec};
use evenkeel::api::{ConditionStatus, ConditionType, Declared, Kind, Reason};
use matrix::{LISTED, Subject, settled_world};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
/// More than the slowest kind takes for anything.
const LIMIT: Duration = Duration::from_hours(3);

fn manifest(subject: &Subject, resource: &Value) -> Declared {
    let mut manifest = declared_as(subject.key.clone(), resource.clone());
    manifest.policy.rollout = Some(RolloutSpec {
        allow_disruptive: true,
        ..RolloutSpec::default()
    });
    manifest
}

/// A manifest that stays when the subject's goes: an empty set would freeze deletions.
fn bystander() -> Declared {
    declared_as(
        key(CONNECTOR),
        json!({"minInstances": 2, "maxInstances": 3}),
    )
}

/// A world with the subject made and settled, and the number of writes that took.
async fn made(subject: &Subject) -> (World, Operator, usize) {
    let mut world = World::new();
    world.settings.deletes_per_sync = 1;
    subject.prepare(&world).await;
    let operator = world
        .start(vec![manifest(subject, &subject.made), bystander()])
        .await;
    operator.ready(&subject.key, LIMIT).await;
    assert_eq!(subject.value(&world), subject.values[0]);
    let writes = world.own_writes().len();
    (world, operator, writes)
}

/// Declares the subject anew and waits until that has come to something.
async fn declare(operator: &Operator, manifest: Declared) {
    operator.declare(vec![manifest, bystander()]).await;
    tokio::time::sleep(MINUTE).await;
    operator.settle(LIMIT).await;
}

async fn create(subject: &Subject) {
    let (world, operator, writes) = made(subject).await;
    let creates = world.own_writes();
    assert!(creates.iter().any(|write| write.method == "POST"));
    declare(&operator, manifest(subject, &subject.made)).await;
    tokio::time::sleep(30 * MINUTE).await;
    assert_eq!(world.own_writes().len(), writes, "applied twice");
    operator.stop().await;
}

async fn adopt(subject: &Subject) {
    let (world, operator, writes) = made(subject).await;
    operator.stop().await;
    let world = world.forgotten();
    let mut stranger = manifest(subject, &subject.changed);
    stranger.policy.adopt = false;
    let operator = world.start(vec![stranger.clone(), bystander()]).await;
    tokio::time::sleep(10 * MINUTE).await;
    let status = operator.status_of(&subject.key);
    assert_eq!(reason(&status), Reason::AlreadyExists, "{status:#?}");
    assert!(message(&status).contains("adopt: true"), "{status:#?}");
    assert_eq!(world.own_writes().len(), writes);

    stranger.policy.adopt = true;
    declare(&operator, stranger).await;
    operator.ready(&subject.key, LIMIT).await;
    assert_eq!(subject.value(&world), subject.values[1]);
    operator.stop().await;
}

async fn change(subject: &Subject) {
    let (world, operator, before) = made(subject).await;
    let changed = || manifest(subject, &subject.changed);
    declare(&operator, changed()).await;
    operator.ready(&subject.key, LIMIT).await;
    assert_eq!(subject.value(&world), subject.values[1]);
    let writes = world.own_writes().len();
    assert_eq!(writes - before, subject.writes_of_a_change);
    declare(&operator, changed()).await;
    tokio::time::sleep(30 * MINUTE).await;
    assert_eq!(world.own_writes().len(), writes, "applied twice");
    operator.stop().await;
}

async fn drift_corrected(subject: &Subject) {
    let (world, operator, writes) = made(subject).await;
    subject.disturb(&world);
    assert_eq!(subject.value(&world), subject.values[2]);
    tokio::time::sleep(3 * MINUTE).await;
    operator.ready(&subject.key, LIMIT).await;
    assert_eq!(subject.value(&world), subject.values[0]);
    assert_eq!(world.own_writes().len(), writes + 1);
    operator.stop().await;
}

async fn drift_observed(subject: &Subject) {
    let (world, operator, writes) = made(subject).await;
    let mut observed = manifest(subject, &subject.made);
    observed.policy.drift = Drift::Observe;
    declare(&operator, observed).await;
    subject.disturb(&world);
    tokio::time::sleep(10 * MINUTE).await;
    let status = operator.status_of(&subject.key);
    assert_eq!(reason(&status), Reason::Drifted, "{status:#?}");
    let drifted = status.condition(ConditionType::Drifted).unwrap();
    assert_eq!(drifted.status, ConditionStatus::True);
    assert!(drifted.message.contains(subject.field), "{drifted:?}");
    assert_eq!(subject.value(&world), subject.values[2]);
    assert_eq!(world.own_writes().len(), writes);
    operator.stop().await;
}

/// A field that leaves the manifest is nobody's business of ours any more.
async fn release(subject: &Subject) {
    let (world, operator, writes) = made(subject).await;
    declare(&operator, manifest(subject, &subject.rest)).await;
    subject.disturb(&world);
    tokio::time::sleep(30 * MINUTE).await;
    let status = operator.status_of(&subject.key);
    assert!(status.is_ready(), "{status:#?}");
    assert_eq!(subject.value(&world), subject.values[2]);
    assert_eq!(world.own_writes().len(), writes);
    operator.stop().await;
}

async fn orphan(subject: &Subject) {
    let (world, operator, writes) = made(subject).await;
    operator.declare(vec![bystander()]).await;
    tokio::time::sleep(30 * MINUTE).await;
    assert_eq!(subject.value(&world), subject.values[0]);
    assert_eq!(world.own_writes().len(), writes);
    // It comes back as if it had never been away.
    declare(&operator, manifest(subject, &subject.made)).await;
    operator.ready(&subject.key, LIMIT).await;
    assert_eq!(world.own_writes().len(), writes);
    operator.stop().await;
}

async fn delete(subject: &Subject) {
    let (world, operator, writes) = made(subject).await;
    let mut going = manifest(subject, &subject.made);
    going.policy.deletion = Deletion::Delete;
    declare(&operator, going).await;
    operator.declare(vec![bystander()]).await;
    if let Some(user) = subject.user() {
        tokio::time::sleep(10 * MINUTE).await;
        let status = operator.status_of(&subject.key);
        assert_eq!(reason(&status), Reason::InUse, "{status:#?}");
        assert!(message(&status).contains(user), "{status:#?}");
        assert_eq!(world.own_writes().len(), writes, "it is in use");
        subject.disturb(&world);
    }
    let gone = |o: &Operator| !o.board.resources().contains_key(&subject.key);
    operator.until(LIMIT, gone).await;
    assert!(!subject.exists(&world));
    let last = world.own_writes().pop().unwrap();
    assert_eq!(last.method, "DELETE");
    let deleted = world.own_writes().len() - writes;
    assert_eq!(deleted, subject.writes_of_a_delete);
    operator.stop().await;
}

macro_rules! matrix {
    ($($kind:ident),+) => {$(
        mod $kind {
            matrix!($kind: create, adopt, change, drift_corrected, drift_observed, release, orphan,
                delete);
        }
    )+};
    ($kind:ident: $($cell:ident),+) => {$(
        #[test]
        fn $cell() {
            let subject = crate::matrix::$kind();
            crate::run(|| crate::$cell(&subject));
        }
    )+};
}

matrix!(
    connector,
    health_check,
    backend_service,
    certificate,
    managed_certificate,
    service,
    instance
);

/// One LIST for each place of each kind and poll, and not a word more.
#[test]
fn a_settled_world_of_all_kinds_writes_nothing_in_1000_polls() {
    run(|| async {
        let world = World::new();
        let set = settled_world();
        let kinds: Vec<Kind> = set.iter().map(|one| one.key.kind).collect();
        assert!(Kind::ALL.iter().all(|kind| kinds.contains(kind)));
        world.keep_published();
        let operator = world.start(set.clone()).await;
        for one in &set {
            operator.ready(&one.key, LIMIT).await;
        }
        // Applied twice.
        operator.declare(set.clone()).await;
        tokio::time::sleep(5 * MINUTE).await;
        let statuses = || set.iter().map(|one| operator.status_of(&one.key));
        let before: Vec<_> = statuses().collect();
        let (writes, requests) = (world.writes().len(), world.emulator.requests().len());
        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(world.writes().len(), writes, "0 writes in 1,000 polls");
        assert!(statuses().eq(before), "0 changes of status in 1,000 polls");
        let mut reads: BTreeMap<String, usize> = BTreeMap::new();
        for entry in world.emulator.requests().iter().skip(requests) {
            *reads.entry(entry.path.clone()).or_default() += 1;
        }
        let lists: Vec<_> = reads.keys().filter_map(|p| p.rsplit('/').next()).collect();
        assert_eq!(lists, LISTED, "LISTs only: {reads:#?}");
        assert!(
            reads.values().all(|count| (900..1150).contains(count)),
            "{reads:#?}"
        );
        operator.stop().await;
    });
}
