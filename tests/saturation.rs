//! A connector that is full, as an operator sees it: said with the numbers, who shares it and the way
//! out; told to people; and nothing written for it.

mod common;

use common::{CONNECTOR, World, declared, key, run};
use evenkeel::api::{AlertSeverity, ConditionType, Kind, Reason, SaturationLevel, Status};
use evenkeel::core::alert::{Context, judge};
use evenkeel::emulator::{FaultRule, Match};
use serde_json::json;
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn world() -> World {
    let mut world = World::new();
    world.settings.load = Some(MINUTE);
    world
}

fn is_saturated(status: &Status) -> bool {
    status.condition(ConditionType::Saturated).is_some()
}

#[test]
fn a_full_connector_says_so_and_nothing_is_written() {
    run(|| async {
        let world = world();
        // As it is live: there is nothing to do.
        let operator = world
            .start(vec![declared(
                json!({"minInstances": 2, "maxInstances": 3}),
            )])
            .await;
        operator
            .until(HOUR, |operator| is_saturated(&operator.status()))
            .await;
        let status = operator.status();
        assert!(status.is_ready(), "saturation is no reason to be not ready");

        let said = status.condition(ConditionType::Saturated).unwrap();
        assert_eq!(said.reason, Reason::AtCapacity);
        for words in [
            "of 300 Mbps",
            "3 of 3 instances of e2-micro",
            "netra-backend",
            "Way out: machineType e2-standard-4",
        ] {
            assert!(
                said.message.contains(words),
                "{words} is not in {}",
                said.message
            );
        }
        let full = status.saturation.as_ref().unwrap();
        assert_eq!(full.level, SaturationLevel::AtCapacity);
        assert!(full.cpu.unwrap() > 0.9, "{full:?}");
        assert!(full.shared_by.len() >= 12, "{:?}", full.shared_by);

        // People hear of it as of something critical.
        let context = Context::managed(Kind::VpcAccessConnector, CONNECTOR, "");
        let troubles = judge(&context, &status.conditions).troubles;
        let topic = &troubles.first().unwrap().topic;
        assert_eq!(
            (topic.reason.as_str(), topic.severity),
            ("AtCapacity", AlertSeverity::Critical)
        );

        // Half an hour of the same traffic change nothing, and advice stays advice.
        tokio::time::sleep(30 * MINUTE).await;
        assert_eq!(operator.status(), status);
        assert_eq!(world.writes().len(), 0);
        operator.kill().await;

        // A new process knows it before it has asked.
        let again = world
            .start(vec![declared(
                json!({"minInstances": 2, "maxInstances": 3}),
            )])
            .await;
        again.settle(HOUR).await;
        assert_eq!(again.status().saturation, status.saturation);
        assert!(is_saturated(&again.status()));
        again.stop().await;
    });
}

#[test]
fn it_is_over_when_there_is_room() {
    run(|| async {
        let world = world();
        let operator = world.start(vec![declared(common::grown())]).await;
        operator
            .until(HOUR, |operator| is_saturated(&operator.status()))
            .await;
        operator.ready(&key(CONNECTOR), 3 * HOUR).await;
        operator
            .until(HOUR, |operator| {
                let full = operator.status().saturation;
                full.is_some_and(|full| full.max_instances == 10)
            })
            .await;
        let status = operator.status();
        assert!(!is_saturated(&status), "{status:?}");
        assert_eq!(status.saturation.unwrap().level, SaturationLevel::Room);
        operator.stop().await;
    });
}

#[test]
fn where_metrics_cannot_be_read_nothing_is_said() {
    run(|| async {
        let mut world = World::failing(vec![FaultRule {
            name: "no metrics".to_owned(),
            matching: Match {
                path_contains: Some("/timeSeries".to_owned()),
                ..Match::default()
            },
            action: common::refusal(403, "PERMISSION_DENIED"),
            times: None,
            probability: None,
        }]);
        world.settings.load = Some(MINUTE);
        let operator = world
            .start(vec![declared(
                json!({"minInstances": 2, "maxInstances": 3}),
            )])
            .await;
        let status = operator.ready(&key(CONNECTOR), HOUR).await;
        tokio::time::sleep(HOUR).await;
        assert!(!is_saturated(&operator.status()));
        assert_eq!(operator.status(), status);
        operator.stop().await;
    });
}
