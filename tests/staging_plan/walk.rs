//! The whole plan, by the operator, from 503 to Ready.

use super::scene::Scene;
use crate::common::{Operator, run};
use evenkeel::api::{Declared, Subject};
use evenkeel::core::check::Verdict;
use evenkeel::core::token::Ask;
use evenkeel::engine::{Declaration, PhaseReport};
use evenkeel::source::Set;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// The plan with one service in phase 2, since the others take the same change after it; with shorter bakes, and
/// looked at less often.
fn hasty(set: &Set) -> Set {
    let mut set = set.clone();
    let other = |declared: &Declared| declared.origin.file.ends_with("2-services.yaml");
    set.declared.retain(|declared| !other(declared));
    for declared in &mut set.declared {
        if let Some(bake) = declared
            .policy
            .rollout
            .as_mut()
            .and_then(|rollout| rollout.bake.as_mut())
        {
            bake.0 /= 5;
        }
    }
    for bake in set
        .phases
        .iter_mut()
        .filter_map(|phase| phase.spec.bake.as_mut())
    {
        bake.0 /= 5;
    }
    for check in &mut set.checks {
        check.spec.interval.0 *= 10;
        (check.spec.passes, check.spec.failures) = (1, 2);
    }
    set
}

async fn started(scene: &Scene) -> Operator {
    let operator = scene.world.operator();
    let set = hasty(&scene.set);
    operator
        .declare(Declaration {
            resources: set.declared,
            checks: set.checks,
            phases: set.phases,
        })
        .await;
    operator
}

/// What the operator changed: questions that take a body are none.
fn changes(scene: &Scene) -> Vec<String> {
    let paths = scene.world.own_writes().into_iter().map(|write| write.path);
    let question = |path: &String| path.ends_with("entries:list") || path.ends_with("/getHealth");
    paths.filter(|path| !question(path)).collect()
}

fn is_ready(operator: &Operator, phase: &str) -> bool {
    operator
        .board
        .phases()
        .get(phase)
        .is_some_and(PhaseReport::is_ready)
}

/// Until a phase is Ready; one that failed says why.
async fn proved(operator: &Operator, phase: &str) {
    let over = |operator: &Operator| {
        let failed = |name: &str| {
            operator
                .board
                .phases()
                .get(name)
                .is_some_and(|p| p.failed.is_some())
        };
        is_ready(operator, phase) || failed(phase)
    };
    operator.until(DAY, over).await;
    let phases = operator.board.phases();
    assert!(
        is_ready(operator, phase),
        "{phase}: {:?}",
        phases[phase].status
    );
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
        operator.until(DAY, |_| !changes(&scene).is_empty()).await;
        assert!(is_ready(&operator, "0-observe"), "monitors first");
        let before = operator.board.checks();
        for check in ["connector-load", "no-503", "database-pool", "golden-path"] {
            assert_eq!(before[check].verdict, Verdict::Failing, "{check}");
        }
        assert!(before["tls-load"].warning, "told before it fails");
        proved(&operator, "1-connector").await;
        assert_eq!(scene.world.size(), (5, 10));
        approved(&scene, &operator, "2-database").await;
        proved(&operator, "2-database").await;
        proved(&operator, "3-edge").await;
        proved(&operator, "4-monitor").await;
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
        let mut others = changes(&scene);
        others.retain(|path| !path.contains("/connectors/"));
        assert_eq!(others, [""; 0], "phases 2 and 3 have not begun");
        assert!(!is_ready(&operator, "2-database"));
        operator.stop().await;
    });
}
