//! Cloud SQL instances.

use super::{Create, some, texts};
use evenkeel::api::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

fn yes_no() -> impl Strategy<Value = Option<Value>> {
    proptest::option::of(any::<bool>().prop_map(Value::from))
}

fn flags() -> impl Strategy<Value = Option<Value>> {
    let flags =
        proptest::collection::btree_map("[a-z]{1,6}([._][a-z]{1,5})?", texts::ascii(), 0..4);
    let list = flags.prop_map(|flags| {
        flags
            .into_iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    });
    proptest::option::of(list)
}

fn backups() -> impl Strategy<Value = Value> {
    (
        any::<bool>(),
        yes_no(),
        0..24,
        proptest::option::of(1..=35),
        proptest::option::of(1..50),
    )
        .prop_map(|(enabled, recovery, hour, days, kept)| {
            some(vec![
                ("enabled", Some(json!(enabled))),
                ("startTime", Some(json!(format!("{hour:02}:00")))),
                ("location", Some(json!("us"))),
                ("pointInTimeRecoveryEnabled", recovery.filter(|_| enabled)),
                ("transactionLogRetentionDays", days.map(Value::from)),
                (
                    "backupRetentionSettings",
                    kept.map(|n| json!({"retainedBackups": n, "retentionUnit": "COUNT"})),
                ),
            ])
        })
}

fn network() -> impl Strategy<Value = Value> {
    let private = proptest::option::of(proptest::sample::select(vec![
        "projects/netra-staging/global/networks/default",
        "https://www.googleapis.com/compute/v1/projects/netra-staging/global/networks/default",
    ]));
    let mode = proptest::option::of(proptest::sample::select(vec![
        "ALLOW_UNENCRYPTED_AND_ENCRYPTED",
        "ENCRYPTED_ONLY",
    ]));
    let networks = proptest::collection::btree_set(1..200_u8, 0..3);
    (
        yes_no(),
        private,
        mode,
        networks,
        proptest::option::of(texts::text()),
        yes_no(),
    )
        .prop_map(|(public, private, mode, networks, name, path)| {
            let networks = networks.into_iter().map(|n| {
                some(vec![
                    ("value", Some(json!(format!("203.0.{n}.0/24")))),
                    ("name", name.clone().map(Value::from)),
                    ("kind", Some(json!("sql#aclEntry"))),
                ])
            });
            some(vec![
                ("ipv4Enabled", public),
                ("privateNetwork", private.map(Value::from)),
                ("sslMode", mode.map(Value::from)),
                ("authorizedNetworks", Some(networks.collect())),
                ("enablePrivatePathForGoogleCloudServices", path),
            ])
        })
}

fn insights() -> impl Strategy<Value = Value> {
    (yes_no(), yes_no(), proptest::option::of(0..20)).prop_map(|(on, tags, plans)| {
        some(vec![
            ("queryInsightsEnabled", on),
            ("recordApplicationTags", tags),
            ("queryPlansPerMinute", plans.map(Value::from)),
        ])
    })
}

pub fn instance() -> impl Strategy<Value = Create> {
    let first = (
        texts::name(),
        proptest::sample::select(super::connectors::REGIONS.to_vec()),
        proptest::sample::select(vec!["POSTGRES_15", "MYSQL_8_0"]),
        proptest::sample::select(vec!["db-f1-micro", "db-custom-2-7680", "db-n1-standard-1"]),
        10..500_i64,
        yes_no(),
    );
    let second = (
        flags(),
        proptest::option::of(proptest::sample::select(vec!["ZONAL", "REGIONAL"])),
        proptest::option::of(backups()),
        proptest::option::of(network()),
        proptest::option::of(insights()),
        proptest::collection::btree_map("[a-z][a-z0-9_-]{0,8}", texts::label(), 0..3),
        yes_no(),
    );
    (first, second).prop_map(|(first, second)| {
        let (name, region, version, tier, disk, resize) = first;
        let (flags, zones, backups, network, insights, labels, protection) = second;
        let settings = some(vec![
            ("tier", Some(json!(tier))),
            ("dataDiskSizeGb", Some(json!(disk.to_string()))),
            ("storageAutoResize", resize),
            ("databaseFlags", flags),
            ("availabilityType", zones.map(Value::from)),
            ("backupConfiguration", backups),
            ("ipConfiguration", network),
            ("insightsConfig", insights),
            ("userLabels", Some(json!(labels))),
            ("deletionProtectionEnabled", protection),
        ]);
        Create {
            kind: Kind::SqlInstance,
            location: region.to_owned(),
            path: "v1/projects/netra-staging/instances".to_owned(),
            body: json!({
                "name": name, "region": region, "databaseVersion": version, "settings": settings,
            }),
            name,
        }
    })
}
