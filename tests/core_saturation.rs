//! How full a connector is: thresholds, trends, what holds and what moves.

use evenkeel::api::{Kind, Reason, Saturation, SaturationLevel as Level};
use evenkeel::core::saturation::{Capacity, Minute, condition, judge, words};
use evenkeel::kinds;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
}

/// What the kind says of a live connector.
fn capacity(machine: &str, max: i64) -> Capacity {
    let kind = kinds::of(Kind::VpcAccessConnector);
    let body = json!({
        "name": "projects/p/locations/us-central1/connectors/c", "state": "READY",
        "machineType": machine, "minInstances": 2, "maxInstances": max,
    });
    kind.capacity(&kind.live(body)).unwrap()
}

fn minutes(mbps: impl IntoIterator<Item = f64>, instances: f64, cpu: f64) -> Vec<Minute> {
    mbps.into_iter()
        .zip(0..)
        .map(|(mbps, minute)| Minute {
            at: at(minute),
            mbps,
            instances: Some(instances),
            cpu: Some(cpu),
        })
        .collect()
}

/// Steady traffic, judged four minutes later.
fn steady(capacity: &Capacity, mbps: f64, instances: f64, cpu: f64) -> Saturation {
    let minutes = minutes([mbps; 30], instances, cpu);
    judge(capacity, &minutes, &[], None, at(34)).unwrap()
}

#[test]
fn each_machine_carries_what_google_says() {
    for (machine, max, limit) in [
        ("f1-micro", 10, 500.0),
        ("e2-micro", 3, 300.0),
        ("e2-micro", 10, 1000.0),
        ("e2-standard-4", 10, 16000.0),
    ] {
        assert!(
            (capacity(machine, max).limit() - limit).abs() < 1e-9,
            "{machine} {max}"
        );
    }
}

#[test]
fn the_way_out_starts_with_what_can_go_back() {
    let ways = |machine, max| capacity(machine, max).ways_out;
    let small = ways("e2-micro", 3);
    assert!(
        small[0].starts_with("machineType e2-standard-4 (1600 instead of 100 Mbps an instance")
    );
    assert_eq!(small[1], "maxInstances 10 instead of 3 (it only grows)");
    assert_eq!(small.len(), 4);
    // Nothing is left in place: only another way.
    assert_eq!(
        ways("e2-standard-4", 10),
        [
            "a second connector for some of the services",
            "Direct VPC egress, without a connector"
        ]
    );
}

#[test]
fn the_level_follows_traffic_and_cpu() {
    let micro = capacity("e2-micro", 3);
    for (mbps, instances, cpu, want) in [
        (100.0, 2.0, 0.2, Level::Room),
        (239.0, 3.0, 0.5, Level::Room),
        (240.0, 3.0, 0.5, Level::NearCapacity),
        (285.0, 3.0, 0.5, Level::AtCapacity),
        // A busy CPU counts where no instance can be added.
        (100.0, 2.0, 0.97, Level::Room),
        (100.0, 3.0, 0.85, Level::NearCapacity),
        (100.0, 3.0, 0.97, Level::AtCapacity),
    ] {
        let level = steady(&micro, mbps, instances, cpu).level;
        assert_eq!(level, want, "{mbps} Mbps, {instances} instances, CPU {cpu}");
    }
}

#[test]
fn one_minute_decides_nothing() {
    let micro = capacity("e2-micro", 3);
    let mut spiky = minutes([100.0; 30], 3.0, 0.2);
    spiky[29].mbps = 300.0;
    let full = judge(&micro, &spiky, &[], None, at(34)).unwrap();
    assert_eq!((full.level, full.full_at), (Level::Room, None));
}

#[test]
fn a_trend_says_when_it_is_full() {
    let micro = capacity("e2-micro", 10);
    // 10 Mbps more each minute, 790 at the last one of the middle: 21 minutes to go.
    let growing = minutes(
        (0..30).map(|minute| 520.0 + 10.0 * f64::from(minute)),
        8.0,
        0.3,
    );
    let full = judge(&micro, &growing[..25], &[], None, at(28)).unwrap();
    assert_eq!(full.level, Level::FillingUp);
    let (reason, message) = condition(&full).unwrap();
    assert_eq!(reason, Reason::FillingUp);
    let in_minutes = full.full_at.unwrap().duration_since(at(24)).as_mins();
    assert_eq!(in_minutes, (1000 - 740) / 10);
    assert!(message.contains("if it goes on like this"), "{message}");

    // The same growth from far below is no news, and none at all without growth.
    let low = minutes((0..30).map(|minute| 10.0 + f64::from(minute)), 2.0, 0.3);
    assert_eq!(
        judge(&micro, &low, &[], None, at(34)).unwrap().level,
        Level::Room
    );
    assert_eq!(steady(&micro, 600.0, 8.0, 0.3).full_at, None);
}

#[test]
fn the_message_says_what_how_much_who_and_the_way_out() {
    let micro = capacity("e2-micro", 3);
    let busy = minutes([288.0; 30], 3.0, 0.88);
    let shared_by = ["RunService/api".to_owned(), "RunService/web".to_owned()];
    let full = judge(&micro, &busy, &shared_by, None, at(34)).unwrap();
    let (reason, message) = condition(&full).unwrap();
    assert_eq!(reason, Reason::AtCapacity);
    assert_eq!(
        message,
        "critical: 288 of 300 Mbps (96%), CPU 88%, 3 of 3 instances of e2-micro; shared by \
         RunService/api, RunService/web. Way out: machineType e2-standard-4 (1600 instead of 100 \
         Mbps an instance; it can go back, and long-running connections may drop); or maxInstances \
         10 instead of 3 (it only grows); or a second connector for some of the services; or Direct \
         VPC egress, without a connector"
    );
}

#[test]
fn a_message_names_some_of_many_services() {
    let micro = capacity("e2-micro", 3);
    let busy = minutes([288.0; 30], 3.0, 0.88);
    let services: Vec<_> = (1..=14)
        .map(|number| format!("service-{number:02}"))
        .collect();
    let full = judge(&micro, &busy, &services, None, at(34)).unwrap();
    let (_, message) = condition(&full).unwrap();
    assert!(
        message.contains("service-08 and 6 more. Way out: "),
        "{message}"
    );
    assert_eq!(full.shared_by.len(), 14);
}

#[test]
fn what_is_said_holds_until_there_is_clearly_more_room() {
    let micro = capacity("e2-micro", 10);
    let after = |before: &Saturation, mbps: f64| {
        let minutes = minutes([mbps; 30], 10.0, 0.3);
        judge(&micro, &minutes, &[], Some(before), at(34)).unwrap()
    };
    let near = steady(&micro, 810.0, 10.0, 0.3);
    assert_eq!(near.level, Level::NearCapacity);
    assert_eq!(after(&near, 780.0).level, Level::NearCapacity);
    assert_eq!(after(&near, 690.0).level, Level::Room);
    let room = steady(&micro, 690.0, 10.0, 0.3);
    assert_eq!(after(&room, 780.0).level, Level::Room);
}

#[test]
fn about_the_same_changes_nothing() {
    let micro = capacity("e2-micro", 10);
    let first = steady(&micro, 600.0, 8.0, 0.30);
    let next = |mbps, cpu| {
        let mut later = minutes([mbps; 30], 8.0, cpu);
        for minute in &mut later {
            minute.at = minute
                .at
                .checked_add(SignedDuration::from_mins(10))
                .unwrap();
        }
        judge(&micro, &later, &[], Some(&first), at(44)).unwrap()
    };
    assert_eq!(next(640.0, 0.33), first, "not even the time");
    assert!((next(660.0, 0.30).used_mbps - 660.0).abs() < 1e-9);
    assert_eq!(next(600.0, 0.40).cpu, Some(0.40));
}

#[test]
fn old_minutes_say_nothing() {
    let micro = capacity("e2-micro", 3);
    let busy = minutes([290.0; 30], 3.0, 0.9);
    assert!(judge(&micro, &busy, &[], None, at(59)).is_some());
    assert_eq!(judge(&micro, &busy, &[], None, at(60)), None);
    assert_eq!(judge(&micro, &[], &[], None, at(0)), None);
}

proptest! {
    /// More traffic and a busier CPU never make it look emptier.
    #[test]
    fn more_is_never_less(
        mbps in 0.0..400.0f64, more in 0.0..100.0f64,
        cpu in 0.0..1.0f64, busier in 0.0..0.5f64,
        instances in 2..=3u8,
    ) {
        let micro = capacity("e2-micro", 3);
        let one = steady(&micro, mbps, f64::from(instances), cpu);
        let other = steady(&micro, mbps + more, f64::from(instances), (cpu + busier).min(1.0));
        prop_assert!(one.level <= other.level);
        prop_assert_eq!(condition(&one).is_none(), one.level == Level::Room);
        prop_assert!(words(&one).len() <= 1024);
    }

    /// Judging the same minutes again, with what was said as the state before, says the same.
    #[test]
    fn a_second_look_changes_nothing(
        traffic in prop::collection::vec(0.0..400.0f64, 1..40),
        cpu in 0.0..1.0f64,
    ) {
        let micro = capacity("e2-micro", 3);
        let minutes = minutes(traffic, 3.0, cpu);
        let now = at(44);
        let Some(first) = judge(&micro, &minutes, &[], None, now) else { return Ok(()) };
        let second = judge(&micro, &minutes, &[], Some(&first), now).unwrap();
        // A level may only hold on, never flip back and forth.
        prop_assert!(second.level >= first.level);
        let third = judge(&micro, &minutes, &[], Some(&second), now).unwrap();
        prop_assert_eq!(second, third);
    }
}
