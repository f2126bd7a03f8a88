#![allow(
    clippy::needless_pass_by_value,
    reason = "json! literals read better by value"
)]

use super::*;
use crate::api::envelope::Policy;
use crate::api::{Key, Origin};
use crate::core::plan;
use crate::core::record::Verb;
use crate::core::rules::{Change, Encoded};
use crate::kinds::SetNames;
use proptest::prelude::*;
use serde_json::json;

fn declared(resource: Value) -> Declared {
    let Value::Object(resource) = resource else {
        panic!("an object")
    };
    Declared {
        key: Key {
            kind: Kind::SqlInstance,
            project: "netra-staging".into(),
            location: "us-central1".into(),
            name: "staging-db".into(),
        },
        name: "staging-db".into(),
        labels: std::collections::BTreeMap::new(),
        resource,
        policy: Policy::default(),
        origin: Origin::default(),
    }
}

fn fields_of(resource: Value) -> Fields {
    SqlInstance.declared(&declared(resource), &SetNames::of(&[]))
}

fn instance() -> Value {
    json!({
        "kind": "sql#instance", "name": "staging-db", "project": "netra-staging",
        "region": "us-central1", "databaseVersion": "POSTGRES_15", "state": "RUNNABLE",
        "settings": {
            "kind": "sql#settings", "settingsVersion": "41", "tier": "db-custom-1-3840",
            "dataDiskSizeGb": "50", "storageAutoResize": true, "availabilityType": "ZONAL",
            "databaseFlags": [{"name": "max_connections", "value": "100"},
                              {"name": "log_lock_waits", "value": "on"}],
            "ipConfiguration": {"privateNetwork":
                "https://www.googleapis.com/compute/v1/projects/netra-staging/global/networks/default"},
            "userLabels": {"team": "core"},
        },
    })
}

fn settings(settings: Value) -> Value {
    json!({"settings": settings})
}

fn encoded(wanted: &Fields, raw: &Value) -> Encoded {
    let live = SqlInstance.live(raw.clone());
    let changes: Fields = fields::diff(wanted, &live.fields)
        .into_iter()
        .map(|change| (change.field, change.to))
        .collect();
    encode::encode(&Change {
        verb: Verb::Patch,
        fields: &changes,
        live: Some(&live),
        declared: None,
    })
}

/// A patch merges objects and replaces everything else.
fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

#[test]
fn a_patch_brings_whole_lists_and_the_version_it_was_made_for() {
    let wanted = fields_of(settings(json!({
        "tier": "db-custom-2-8192",
        "dataDiskSizeGb": 100,
        "databaseFlags": [{"name": "max_connections", "value": "200"}],
        "userLabels": {"env": "staging"},
    })));
    let call = encoded(&wanted, &instance());
    assert!(call.mask.is_empty());
    assert_eq!(
        call.body,
        settings(json!({
            "settingsVersion": "41",
            "tier": "db-custom-2-8192",
            "dataDiskSizeGb": "100",
            "databaseFlags": [{"name": "max_connections", "value": "200"},
                              {"name": "log_lock_waits", "value": "on"}],
            "userLabels": {"env": "staging"},
        }))
    );
}

#[test]
fn a_disk_that_grew_by_itself_is_no_drift_and_no_disk_shrinks() {
    let live = SqlInstance.live(instance());
    let diff = |size: i64| {
        let wanted = fields_of(settings(json!({"dataDiskSizeGb": size})));
        fields::diff(&wanted, &live.fields).len()
    };
    assert_eq!((diff(10), diff(50), diff(51)), (0, 0, 1));
    let wanted = fields_of(settings(json!({"dataDiskSizeGb": 10})));
    let notes = SqlInstance.notes(Some(&live.fields), &wanted);
    assert!(notes[0].contains("50 GB") && notes[0].contains("at least 10 GB"));

    let fixed = fields_of(settings(
        json!({"dataDiskSizeGb": 20, "storageAutoResize": false}),
    ));
    let made = plan::plan(&RULES, "d", &fixed, Some(&live.fields), None);
    let blocked: Vec<_> = made.blocked().collect();
    assert_eq!(blocked.len(), 1);
    assert!(blocked[0].1.contains("does not shrink"), "{blocked:?}");
}

#[test]
fn what_restarts_says_so() {
    let live = SqlInstance.live(instance());
    let disruptive = |resource: Value| {
        let wanted = fields_of(settings(resource));
        plan::plan(&RULES, "d", &wanted, Some(&live.fields), None).disruptive
    };
    let flag = |name: &str| json!({"databaseFlags": [{"name": name, "value": "7"}]});
    assert!(disruptive(json!({"tier": "db-custom-2-8192"})));
    assert!(disruptive(flag("max_connections")));
    assert!(!disruptive(flag("work_mem")));
    assert!(!disruptive(json!({"dataDiskSizeGb": 100})));
}

#[test]
fn spellings_states_and_places() {
    let live = SqlInstance.live(instance());
    let same = fields_of(json!({
        "databaseVersion": "POSTGRES_15",
        "settings": {
            "dataDiskSizeGb": 50,
            "backupConfiguration": {"enabled": false},
            "ipConfiguration": {"privateNetwork": "projects/netra-staging/global/networks/default"},
        },
    }));
    assert_eq!(fields::diff(&same, &live.fields), []);
    assert_eq!(live.lifecycle, Lifecycle::Ready);
    for (state, wanted) in [
        ("PENDING_CREATE", Lifecycle::Busy),
        ("MAINTENANCE", Lifecycle::Busy),
        ("PENDING_DELETE", Lifecycle::Deleting),
        ("FAILED", Lifecycle::Failed),
    ] {
        assert_eq!(lifecycle(state), wanted);
    }
    let mut elsewhere = instance();
    elsewhere["region"] = json!("europe-west1");
    let live = SqlInstance.live(elsewhere);
    let made = plan::plan(&RULES, "d", &same, Some(&live.fields), None);
    assert_eq!(made.blocked().count(), 1, "a region is fixed");
}

#[test]
fn limits_come_with_a_way_out() {
    let bad = settings(json!({
        "dataDiskSizeGb": 5,
        "databaseFlags": [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}],
        "backupConfiguration": {"enabled": false, "pointInTimeRecoveryEnabled": true,
                                "startTime": "3:00"},
    }));
    let found = SqlInstance.check(&declared(bad));
    assert_eq!(found.len(), 4, "{found:#?}");
}

prop_compose! {
    fn resources()(
        tier in "db-custom-[1-8]-3840",
        disk in 10..1000_i64,
        resize in proptest::option::of(any::<bool>()),
        flags in proptest::collection::btree_map("[a-z_.]{1,12}", "[0-9a-z]{1,4}", 0..5),
        labels in proptest::collection::btree_map("[a-z]{1,5}", "[a-z]{0,5}", 0..4),
        backups in any::<bool>(),
    ) -> Value {
        let flags: Vec<Value> = flags.iter().map(|(n, v)| json!({"name": n, "value": v})).collect();
        let mut made = json!({
            "tier": tier, "dataDiskSizeGb": disk, "databaseFlags": flags, "userLabels": labels,
            "backupConfiguration": {"enabled": backups},
        });
        if let Some(resize) = resize {
            made["storageAutoResize"] = json!(resize);
        }
        settings(made)
    }
}

/// As Google keeps it.
fn stored(mut resource: Value) -> Value {
    let disk = resource["settings"]["dataDiskSizeGb"].to_string();
    resource["settings"]["dataDiskSizeGb"] = json!(disk);
    resource
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn fields_of_a_live_instance_are_no_difference_to_it(resource in resources()) {
        let mut raw = instance();
        merge(&mut raw, &stored(resource.clone()));
        let live = SqlInstance.live(raw);
        prop_assert_eq!(fields::diff(&fields_of(resource), &live.fields), vec![]);
    }

    #[test]
    fn the_call_leads_from_live_to_declared(resource in resources(), other in resources()) {
        let mut raw = instance();
        merge(&mut raw, &stored(other));
        let wanted = fields_of(resource);
        let call = encoded(&wanted, &raw);
        let mut after = raw.clone();
        merge(&mut after, &call.body);
        let live = SqlInstance.live(after);
        prop_assert_eq!(fields::diff(&wanted, &live.fields), vec![]);
        let before = SqlInstance.live(raw);
        for (field, value) in &before.fields {
            if !wanted.contains_key(field) {
                prop_assert_eq!(Some(value), live.fields.get(field), "{}", field);
            }
        }
    }
}
