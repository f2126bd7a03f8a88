//! VPC Access connectors.

use super::{Create, some, texts};
use evenkeel::api::Kind;
use proptest::prelude::*;
use serde_json::json;

pub const REGIONS: [&str; 3] = ["us-central1", "us-east1", "europe-west1"];

pub fn connector() -> impl Strategy<Value = Create> {
    (
        texts::name().prop_map(|name| format!("c{name}")),
        proptest::sample::select(REGIONS.to_vec()),
        proptest::option::of(proptest::sample::select(vec![
            "f1-micro",
            "e2-micro",
            "e2-standard-4",
        ])),
        (2..=9_i64, 1..=8_i64),
        (1..=250_u8, 0..16_u8),
        proptest::option::of(proptest::option::of(Just("host-project"))),
    )
        .prop_map(
            |(name, region, machine, (min, more), (net, block), subnet)| {
                let range = format!("10.{net}.0.{}/28", u16::from(block) * 16);
                let own = subnet.is_none();
                let subnet = subnet.map(|host| {
                    some(vec![
                        ("name", Some(json!("sub"))),
                        ("projectId", host.map(|p| json!(p))),
                    ])
                });
                let body = some(vec![
                    ("machineType", machine.map(|m| json!(m))),
                    ("minInstances", Some(json!(min))),
                    ("maxInstances", Some(json!((min + more).min(10)))),
                    ("network", own.then(|| json!("default"))),
                    ("ipCidrRange", own.then(|| json!(range))),
                    ("subnet", subnet),
                ]);
                Create {
                    kind: Kind::VpcAccessConnector,
                    location: region.to_owned(),
                    path: format!(
                        "v1/projects/netra-staging/locations/{region}/connectors?connectorId={name}"
                    ),
                    name,
                    body,
                }
            },
        )
}
