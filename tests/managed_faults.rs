//! Rotation in Certificate Manager by the whole operator, while Google and the network fail in every way, people
//! edit and the operator is killed: no map entry that had an ACTIVE certificate ever has none, and once the faults
//! stop all is as declared and stays so.
//!
//! `EVENKEEL_SEEDS=200 cargo test --test managed_faults` runs more of it.

mod common;

use common::{Operator, World, declared_as, key_of, run};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Kind};
use evenkeel::core::token::Ask;
use evenkeel::emulator::{FaultRule, Timing};
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const HOSTS: [&str; 2] = ["*.a.example.com", "b.example.com"];
/// What is declared in turn; each is a rotation.
const EDITS: [&[&str]; 4] = [
    &["*.a.example.com", "b.example.com"],
    &["*.a.example.com", "b.example.com", "c.example.com"],
    &["*.a.example.com", "a.example.com", "b.example.com"],
    &["*.a.example.com", "*.b.example.com", "b.example.com"],
];

fn manifest(edit: usize) -> Vec<Declared> {
    let slots = HOSTS.map(|host| json!({"map": "front", "hostname": host}));
    let resource = json!({"managed": {"domains": EDITS[edit % EDITS.len()]}, "attachTo": slots});
    let key = key_of(Kind::ManagedCertificate, "global", "wild");
    let mut manifest = declared_as(key, resource);
    manifest.policy.rollout = Some(RolloutSpec {
        bake: Some("5m".parse().unwrap()),
        ..RolloutSpec::default()
    });
    vec![manifest]
}

/// Looks at the truth while time passes.
struct Watch {
    seed: u64,
    active: Vec<String>,
}

impl Watch {
    async fn pass(&mut self, world: &World, time: Duration) {
        let end = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < end {
            tokio::time::sleep(Duration::from_secs(11)).await;
            let served = world.served();
            let good = |host: &&String| served[*host].iter().any(|(_, active)| *active);
            let now: Vec<String> = served.keys().filter(good).cloned().collect();
            for host in &self.active {
                assert!(
                    now.contains(host),
                    "seed {}: a gap for {host}: {served:?}",
                    self.seed
                );
            }
            self.active = now;
        }
    }
}

async fn retry(world: &World, operator: &Operator) {
    let key = key_of(Kind::ManagedCertificate, "global", "wild");
    let held = operator.status_of(&key).held.is_some();
    if held {
        world
            .journal
            .ask(&key, &Ask::Retry, world.clock.now())
            .unwrap();
        tokio::time::sleep(MINUTE).await;
    }
}

async fn live_through(seed: u64) {
    let timing = Timing {
        operation: Duration::from_secs(30)..=Duration::from_mins(3),
        read_lag: Duration::ZERO..=Duration::from_secs(5),
    };
    let mut world = World::with_timing(timing);
    world.seed = seed;
    let mut watch = Watch {
        seed,
        active: Vec::new(),
    };
    let mut draw = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = move |below: u64| {
        draw = draw
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (draw >> 33) % below
    };
    let mut edit = 0;
    let mut operator = world.operator();
    operator.declare(manifest(edit)).await;
    world.emulator.set_faults(FaultRule::from_seed(seed));
    for _ in 0..24 {
        watch
            .pass(&world, MINUTE * u32::try_from(5 + next(30)).unwrap())
            .await;
        world.publish_all();
        match next(6) {
            0 => {
                operator.kill().await;
                operator = world.operator();
                operator.declare(manifest(edit)).await;
            }
            1 => {
                edit += 1;
                operator.declare(manifest(edit)).await;
            }
            2 => retry(&world, &operator).await,
            _ => {}
        }
    }

    world.emulator.set_faults(Vec::new());
    let key = key_of(Kind::ManagedCertificate, "global", "wild");
    for _ in 0..8 {
        world.publish_all();
        watch.pass(&world, HOUR).await;
        retry(&world, &operator).await;
    }
    let status = operator.ready(&key, HOUR).await;
    let domains = status.observed["managed"]["domains"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(domains, EDITS[edit % EDITS.len()].len(), "seed {seed}");
    assert_eq!(world.collection("certificates").len(), 1, "seed {seed}");
    assert_eq!(watch.active, HOSTS, "seed {seed}");
    let settled = world.changes(0).len();
    watch.pass(&world, 6 * HOUR).await;
    assert_eq!(
        world.changes(0).len(),
        settled,
        "seed {seed}: writes after all is settled"
    );
    operator.stop().await;
}

#[test]
fn no_entry_loses_its_active_certificate_under_faults() {
    let seeds = std::env::var("EVENKEEL_SEEDS").ok();
    let seeds = seeds.and_then(|text| text.parse().ok()).unwrap_or(3);
    for seed in 0..seeds {
        run(|| live_through(seed));
    }
}
