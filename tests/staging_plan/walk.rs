//! The whole plan, by the operator, from 503 to Ready.

use super::scene::Scene;
use crate::common::{Operator, run};
use evenkeel::api::{Kind, Subject};
use evenkeel::core::check::Verdict;
use evenkeel::core::token::Ask;
use evenkeel::engine::Declaration;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// The plan as it is, with one service in phase 2: the others take the same change after it.
async fn started(scene: &Scene) -> Operator {
    let operator = scene.world.operator();
    let others = |file: &str| file.ends_with("2-services.yaml");
    let resources = scene
        .set
        .declared
        .iter()
        .filter(|d| !others(&d.origin.file));
    operator
        .declare(Declaration {
            resources: resources.cloned().collect(),
            checks: scene.set.checks.clone(),
            phases: scene.set.phases.clone(),
        })
        .await;
    operator
}

fn is_ready(operator: &Operator, phase: &str) -> bool {
    operator
        .board
        .phases()
        .get(phase)
        .is_some_and(|phase| phase.is_ready())
}

/// A person reads the plan of a phase, and approves that one.
async fn approved(scene: &Scene, operator: &Operator, phase: &str) {
    let waits = |operator: &Operator| {
        let phases = operator.board.phases();
        phases.get(phase).is_some_and(|phase| phase.plan.is_some())
    };
    operator.until(DAY, waits).await;
    let plan = operator.board.phases()[phase].plan.clone().unwrap();
    let about = Subject::Phase(phase.to_owned());
    let world = &scene.world;
    world
        .journal
        .ask(about, &Ask::Approve { plan }, world.clock.now())
        .unwrap();
}

#[test]
fn the_plan_goes_from_503_to_green() {
    run(|| async {
        let scene = Scene::incident().await;
        let operator = started(&scene).await;
        operator.until(DAY, |o| is_ready(o, "0-observe")).await;
        let before = operator.board.checks();
        for check in ["connector-load", "no-503", "database-pool", "golden-path"] {
            assert_eq!(before[check].verdict, Verdict::Failing, "{check}");
        }
        assert!(before["tls-load"].warning, "told before it fails");
        assert!(scene.world.own_writes().is_empty(), "monitors first");
        operator.until(DAY, |o| is_ready(o, "1-connector")).await;
        assert_eq!(scene.world.size(), (5, 10));
        approved(&scene, &operator, "2-database").await;
        operator.until(DAY, |o| is_ready(o, "2-database")).await;
        operator.until(DAY, |o| is_ready(o, "3-edge")).await;
        operator.until(DAY, |o| is_ready(o, "4-monitor")).await;
        for (name, check) in operator.board.checks() {
            assert_eq!(
                check.verdict,
                Verdict::Passing,
                "{name}: {:?}",
                check.status
            );
        }
        let resources = operator.board.resources();
        assert!(resources.values().all(|report| report.status.is_ready()));
        let saved = resources
            .values()
            .filter(|report| report.status.last_good.is_some());
        assert_eq!(
            saved.count(),
            resources.len(),
            "each was saved before it changed"
        );
        operator.stop().await;
    });
}

#[test]
fn a_phase_that_is_not_proved_holds_the_rest() {
    run(|| async {
        let scene = Scene::incident().await;
        // The connector's machines stay busy, however many there are.
        scene
            .traffic(&json!({"faults": [{"fault": "connector_cpu", "ratio": 0.9}]}))
            .await;
        let operator = started(&scene).await;
        let stalled = |operator: &Operator| {
            let phases = operator.board.phases();
            phases
                .get("1-connector")
                .is_some_and(|phase| phase.failed.is_some())
        };
        operator.until(DAY, stalled).await;
        tokio::time::sleep(Duration::from_mins(30)).await;
        let others = scene.world.own_writes().into_iter();
        let others = others.filter(|write| !write.path.contains("/connectors/"));
        assert_eq!(others.count(), 0, "phases 2 and 3 have not begun");
        assert!(!is_ready(&operator, "2-database"));
        let connectors = scene.set.declared.iter();
        assert_eq!(
            connectors
                .filter(|d| d.key.kind == Kind::VpcAccessConnector)
                .count(),
            1
        );
        operator.stop().await;
    });
}
