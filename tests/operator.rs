//! The operator as a whole, against the emulated GCP: what its users rely on.

mod common;

use common::{CONNECTOR, LOCATION, PROJECT, World, declared, grown, key, run, steps_of};
use evenkeel::api::envelope::{Approval, Deletion, Drift, RolloutSpec, StepSpec};
use evenkeel::api::status::Outcome;
use evenkeel::api::{ConditionType, Reason, Status};
use evenkeel::core::token::Ask;
use evenkeel::emulator::{Action, ErrorFault, FaultRule, LogStatus};
use evenkeel::engine::Command;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);
const NAME: &str = "projects/netra-staging/locations/us-central1/connectors/staging-connector";

fn reason(status: &Status) -> Reason {
    status
        .condition(ConditionType::Ready)
        .expect("a Ready condition")
        .reason
}

fn message(status: &Status) -> String {
    status
        .condition(ConditionType::Ready)
        .expect("a Ready condition")
        .message
        .clone()
}

fn sizes(world: &World) -> Vec<(i64, i64)> {
    let number = |body: &Value, field: &str| body[field].as_i64().unwrap_or_default();
    let bodies = world.writes().into_iter().filter_map(|write| write.body);
    bodies
        .map(|body| (number(&body, "minInstances"), number(&body, "maxInstances")))
        .collect()
}

fn refusal(status: u16, reason: &str) -> Action {
    Action::Error(ErrorFault {
        status,
        reason: Some(reason.to_owned()),
        message: Some("no".to_owned()),
        ..ErrorFault::default()
    })
}

#[test]
fn raises_a_connector_step_by_step() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        let status = operator.settle(HOUR).await;
        assert!(status.is_ready(), "{status:#?}");
        assert_eq!(sizes(&world), [(3, 5), (4, 7), (5, 9), (5, 10)]);
        for write in world.writes() {
            assert_eq!(
                write.update_mask.as_deref(),
                Some("maxInstances,minInstances")
            );
            assert_eq!(
                write.state.as_deref(),
                Some("READY"),
                "never a PATCH while UPDATING"
            );
            assert_eq!(write.status, LogStatus::Code(200));
        }
        let last = status.history.last().expect("one attempt");
        assert_eq!((last.outcome, last.revision), (Outcome::Succeeded, 1));
        operator.stop().await;
    });
}

#[test]
fn a_settled_resource_costs_one_list_a_poll_and_nothing_else() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        operator.settle(HOUR).await;
        let before = operator.status();
        let changes = *operator.board.changes().borrow();
        let writes = world.writes().len();
        let reads = world.emulator.requests().len();
        tokio::time::sleep(1000 * MINUTE).await;
        assert_eq!(world.writes().len(), writes, "0 writes in 1,000 polls");
        assert_eq!(operator.status(), before, "0 status changes in 1,000 polls");
        let log = world.emulator.requests();
        let polls = log
            .iter()
            .skip(reads)
            .filter(|r| r.path.ends_with("/connectors"))
            .count();
        assert!((900..1150).contains(&polls), "{polls} polls");
        assert_eq!(log.len() - reads, polls, "nothing but LISTs");
        assert!(*operator.board.changes().borrow() - changes <= 1150);
        operator.stop().await;
    });
}

#[test]
fn a_refused_content_is_sent_once_and_then_stalls() {
    run(|| async {
        let world = World::new();
        world.emulator.set_faults(vec![
            FaultRule::new(refusal(400, "INVALID_ARGUMENT")).on("PATCH", "/"),
        ]);
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::InvalidSpec, "{status:#?}");
        assert!(status.is_stalled());
        tokio::time::sleep(10 * HOUR).await;
        assert_eq!(world.writes().len(), 1);

        world.ask(&Ask::Retry);
        world.emulator.set_faults(vec![]);
        tokio::time::sleep(5 * Duration::from_secs(1)).await;
        assert!(operator.settle(HOUR).await.is_ready());
        operator.stop().await;
    });
}

#[test]
fn a_missing_permission_stalls_and_is_not_tried_again() {
    run(|| async {
        let world = World::new();
        world.emulator.set_faults(vec![
            FaultRule::new(refusal(403, "PERMISSION_DENIED")).on("PATCH", "/"),
        ]);
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::PermissionDenied);
        tokio::time::sleep(HOUR).await;
        assert_eq!(world.writes().len(), 1);
        operator.stop().await;
    });
}

#[test]
fn the_same_change_three_times_is_a_loop() {
    run(|| async {
        let world = World::new();
        world
            .emulator
            .set_faults(vec![FaultRule::new(Action::IgnoreWrite).on("PATCH", "/")]);
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::DiffLoop, "{}", message(&status));
        assert!(
            message(&status).contains("maxInstances 3 -> 5"),
            "{}",
            message(&status)
        );
        tokio::time::sleep(HOUR).await;
        assert_eq!(world.writes().len(), 3);
        operator.stop().await;
    });
}

#[test]
fn another_writer_who_keeps_undoing_is_a_loop_too() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = declared(json!({"machineType": "e2-standard-4"}));
        manifest.policy.rollout = Some(RolloutSpec {
            allow_disruptive: true,
            ..steps_of(1, 2)
        });
        operator.declare(vec![manifest]).await;
        let mut status = operator.settle(HOUR).await;
        for _ in 0..10 {
            let other = json!({"machineType": "e2-micro"});
            world
                .emulator
                .foreign_patch(world.clock.now(), NAME, &other)
                .unwrap();
            tokio::time::sleep(3 * MINUTE).await;
            status = operator.settle(HOUR).await;
        }
        assert_eq!(reason(&status), Reason::DiffLoop, "{}", message(&status));
        assert_eq!(world.writes().iter().filter(|w| !w.foreign).count(), 3);
        operator.stop().await;
    });
}

#[test]
fn an_existing_resource_is_left_alone_without_adopt() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = declared(grown());
        manifest.policy.adopt = false;
        operator.declare(vec![manifest]).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::AlreadyExists);
        assert!(
            message(&status).contains("adopt: true"),
            "{}",
            message(&status)
        );
        assert!(world.writes().is_empty());
        operator.stop().await;
    });
}

#[test]
fn a_shrink_is_refused_with_the_way_out_and_nothing_is_sent() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        operator.settle(HOUR).await;
        let writes = world.writes().len();
        operator
            .declare(vec![declared(
                json!({"minInstances": 3, "maxInstances": 6}),
            )])
            .await;
        tokio::time::sleep(MINUTE).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::IrreversibleChange);
        assert!(
            message(&status).contains("minInstances 5 -> 3"),
            "{}",
            message(&status)
        );
        assert!(
            message(&status).contains("beside it"),
            "{}",
            message(&status)
        );
        assert_eq!(world.writes().len(), writes);
        operator.stop().await;
    });
}

#[test]
fn a_new_commit_supersedes_the_running_rollout() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        tokio::time::sleep(2 * MINUTE).await;
        let so_far = sizes(&world).len();
        operator
            .declare(vec![declared(
                json!({"minInstances": 6, "maxInstances": 10}),
            )])
            .await;
        let status = operator.settle(HOUR).await;
        assert!(status.is_ready());
        assert_eq!(world.size(), (6, 10));
        let outcomes: Vec<_> = status.history.iter().map(|entry| entry.outcome).collect();
        assert_eq!(outcomes, [Outcome::Superseded, Outcome::Succeeded]);
        assert!(so_far >= 1);
        let all = sizes(&world);
        assert!(
            all.windows(2).all(|pair| pair[0] != pair[1]),
            "no step twice: {all:?}"
        );
        operator.stop().await;
    });
}

#[test]
fn a_commit_that_equals_live_is_ready_at_once() {
    run(|| async {
        let world = World::new();
        world.emulator.set_faults(vec![
            FaultRule::new(refusal(400, "INVALID_ARGUMENT")).on("PATCH", "/"),
        ]);
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        assert!(operator.settle(HOUR).await.is_stalled());
        operator
            .declare(vec![declared(
                json!({"minInstances": 2, "maxInstances": 3}),
            )])
            .await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let status = operator.settle(HOUR).await;
        assert!(status.is_ready() && !status.is_stalled(), "{status:#?}");
        assert_eq!(world.writes().len(), 1);
        operator.stop().await;
    });
}

#[test]
fn goes_on_after_a_kill_without_repeating_or_skipping() {
    run(|| async {
        let world = World::new();
        // Every 37 s of the whole rollout, somewhere else in it.
        for _ in 0..12 {
            let operator = world.operator();
            operator.declare(vec![declared(grown())]).await;
            tokio::time::sleep(Duration::from_secs(37)).await;
            operator.kill().await;
        }
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        assert!(operator.settle(HOUR).await.is_ready());
        assert_eq!(sizes(&world), [(3, 5), (4, 7), (5, 9), (5, 10)]);
        operator.stop().await;
    });
}

#[test]
fn a_lost_reply_is_looked_into_and_not_repeated() {
    run(|| async {
        let world = World::new();
        world.emulator.set_faults(vec![
            FaultRule::new(Action::ResetAfter).on("PATCH", "/").times(2),
        ]);
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        assert!(operator.settle(HOUR).await.is_ready());
        assert_eq!(sizes(&world), [(3, 5), (4, 7), (5, 9), (5, 10)]);
        operator.stop().await;
    });
}

#[test]
fn a_call_that_never_arrived_is_made_anew() {
    run(|| async {
        let world = World::new();
        world.emulator.set_faults(vec![
            FaultRule::new(Action::ResetBefore)
                .on("PATCH", "/")
                .times(1),
        ]);
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        assert!(operator.settle(HOUR).await.is_ready());
        let landed: Vec<_> = world
            .writes()
            .into_iter()
            .filter(|write| write.landed)
            .collect();
        assert_eq!((landed.len(), world.writes().len()), (4, 5));
        operator.stop().await;
    });
}

#[test]
fn throttling_is_no_verdict() {
    run(|| async {
        let world = World::new();
        let throttled = refusal(429, "RATE_LIMIT_EXCEEDED");
        world
            .emulator
            .set_faults(vec![FaultRule::new(throttled).on("PATCH", "/").times(4)]);
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        assert!(operator.settle(HOUR).await.is_ready());
        assert_eq!(
            world.writes().iter().filter(|write| write.landed).count(),
            4
        );
        operator.stop().await;
    });
}

#[test]
fn drift_is_corrected_or_only_reported() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = declared(json!({"machineType": "e2-micro"}));
        manifest.policy.rollout = Some(RolloutSpec {
            allow_disruptive: true,
            ..RolloutSpec::default()
        });
        operator.declare(vec![manifest.clone()]).await;
        assert!(operator.settle(HOUR).await.is_ready());
        let other = json!({"machineType": "f1-micro"});
        world
            .emulator
            .foreign_patch(world.clock.now(), NAME, &other)
            .unwrap();
        tokio::time::sleep(2 * MINUTE).await;
        assert!(operator.settle(HOUR).await.is_ready());
        assert_eq!(
            world.writes().iter().filter(|write| !write.foreign).count(),
            1
        );

        manifest.policy.drift = Drift::Observe;
        operator.declare(vec![manifest]).await;
        world
            .emulator
            .foreign_patch(world.clock.now(), NAME, &other)
            .unwrap();
        tokio::time::sleep(5 * MINUTE).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::Drifted);
        let drifted = status.condition(ConditionType::Drifted).unwrap();
        assert!(
            drifted.message.contains("machineType f1-micro -> e2-micro"),
            "{drifted:?}"
        );
        assert_eq!(
            world.writes().iter().filter(|write| !write.foreign).count(),
            1
        );
        operator.stop().await;
    });
}

#[test]
fn a_foreign_change_during_a_rollout_holds() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = declared(grown());
        let bake = Some("10m".parse().unwrap());
        manifest.policy.rollout = Some(RolloutSpec {
            bake,
            ..steps_of(1, 2)
        });
        operator.declare(vec![manifest]).await;
        tokio::time::sleep(4 * MINUTE).await;
        let other = json!({"minInstances": 4, "maxInstances": 6});
        world
            .emulator
            .foreign_patch(world.clock.now(), NAME, &other)
            .unwrap();
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::ForeignChange, "{status:#?}");
        assert!(
            message(&status).contains("maxInstances is 6, was 5"),
            "{}",
            message(&status)
        );
        assert_eq!(
            world.writes().iter().filter(|write| !write.foreign).count(),
            1
        );
        operator.stop().await;
    });
}

#[test]
fn undo_restores_what_goes_back_and_holds_the_rest() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = declared(
            json!({"machineType": "e2-standard-4", "minInstances": 5, "maxInstances": 10}),
        );
        manifest.policy.rollout = Some(RolloutSpec {
            allow_disruptive: true,
            ..steps_of(3, 7)
        });
        operator.declare(vec![manifest]).await;
        assert!(operator.settle(HOUR).await.is_ready());
        let fields = [
            ("machineType", json!("e2-micro")),
            ("minInstances", json!(2)),
            ("maxInstances", json!(3)),
        ];
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        world.ask(&Ask::Undo {
            to: 1,
            fields,
            why: None,
        });
        tokio::time::sleep(5 * MINUTE).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::RolledBack, "{status:#?}");
        assert!(
            message(&status).contains("Cannot go back in place: maxInstances 10 -> 3"),
            "{}",
            message(&status)
        );
        let live = world
            .emulator
            .connector(PROJECT, LOCATION, CONNECTOR)
            .unwrap();
        assert_eq!(
            (&live["machineType"], world.size()),
            (&json!("e2-micro"), (5, 10))
        );
        let writes = world.writes();
        assert_eq!(
            writes.last().unwrap().update_mask.as_deref(),
            Some("machineType")
        );
        tokio::time::sleep(10 * HOUR).await;
        assert_eq!(world.writes().len(), writes.len(), "held");
        operator.stop().await;

        let operator = world.operator();
        let mut manifest = declared(
            json!({"machineType": "e2-standard-4", "minInstances": 5, "maxInstances": 10}),
        );
        manifest.policy.rollout = Some(RolloutSpec {
            allow_disruptive: true,
            ..steps_of(3, 7)
        });
        operator.declare(vec![manifest]).await;
        assert!(
            operator.settle(HOUR).await.is_stalled(),
            "a restart releases nothing"
        );
        assert_eq!(world.writes().len(), writes.len());
        operator.stop().await;
    });
}

#[test]
fn disruptive_changes_and_manual_approval_wait_for_a_person() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = declared(json!({"machineType": "e2-standard-4"}));
        manifest.policy.rollout = None;
        operator.declare(vec![manifest.clone()]).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::AwaitingApproval);
        assert!(
            message(&status).contains("connections"),
            "{}",
            message(&status)
        );
        assert!(world.writes().is_empty());

        world.ask(&Ask::Approve {
            plan: "sha256:another".into(),
        });
        tokio::time::sleep(MINUTE).await;
        assert_eq!(
            reason(&operator.settle(HOUR).await),
            Reason::AwaitingApproval
        );

        let plan = status.plan.expect("a plan").digest;
        world.ask(&Ask::Approve { plan });
        tokio::time::sleep(5 * MINUTE).await;
        assert!(operator.settle(HOUR).await.is_ready());

        let mut manual = declared(grown());
        manual.policy.rollout = Some(RolloutSpec {
            approval: Approval::Manual,
            ..steps_of(1, 2)
        });
        operator.declare(vec![manual]).await;
        tokio::time::sleep(MINUTE).await;
        assert_eq!(
            reason(&operator.settle(HOUR).await),
            Reason::AwaitingApproval
        );
        assert_eq!(world.writes().len(), 1);
        operator.stop().await;
    });
}

#[test]
fn pause_resume_abort_and_manual_steps() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let set = |min: i64, max: i64| StepSpec {
            set: Some(
                json!({"minInstances": min, "maxInstances": max})
                    .as_object()
                    .unwrap()
                    .clone(),
            ),
            traffic: None,
            pause: None,
        };
        let pause = |text: &str| StepSpec {
            set: None,
            traffic: None,
            pause: Some(text.to_owned()),
        };
        let mut manifest = declared(grown());
        let steps = vec![
            set(3, 4),
            pause("10m"),
            set(4, 6),
            pause("manual"),
            set(5, 10),
        ];
        manifest.policy.rollout = Some(RolloutSpec {
            steps,
            ..RolloutSpec::default()
        });
        operator.declare(vec![manifest]).await;
        tokio::time::sleep(5 * MINUTE).await;
        assert_eq!(sizes(&world), [(3, 4)]);
        world.ask(&Ask::Pause);
        tokio::time::sleep(30 * MINUTE).await;
        assert_eq!(reason(&operator.status()), Reason::Suspended);
        assert_eq!(sizes(&world), [(3, 4)], "paused");
        world.ask(&Ask::Resume);
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(reason(&operator.status()), Reason::AwaitingPromotion);
        assert_eq!(sizes(&world), [(3, 4), (4, 6)]);
        world.ask(&Ask::Abort);
        tokio::time::sleep(10 * MINUTE).await;
        assert_eq!(reason(&operator.status()), Reason::Aborted);
        world.ask(&Ask::Retry);
        tokio::time::sleep(10 * MINUTE).await;
        world.ask(&Ask::Resume);
        tokio::time::sleep(10 * MINUTE).await;
        assert!(operator.settle(HOUR).await.is_ready());
        assert_eq!(world.size(), (5, 10));
        operator.stop().await;
    });
}

#[test]
fn creates_a_missing_connector_and_says_what_it_lacks() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        let mut manifest = declared(grown());
        manifest.key.name = "second".into();
        manifest.name = "second".into();
        operator.declare(vec![manifest.clone()]).await;
        tokio::time::sleep(MINUTE).await;
        let report = &operator.board.resources()[&key("second")];
        assert_eq!(reason(&report.status), Reason::InvalidSpec);
        assert!(
            message(&report.status).contains("ipCidrRange"),
            "{}",
            message(&report.status)
        );
        assert!(world.writes().is_empty());

        let resource = json!({"minInstances": 2, "maxInstances": 4, "network": "default", "ipCidrRange": "10.9.0.0/28"});
        manifest.resource = resource.as_object().unwrap().clone();
        operator.declare(vec![manifest]).await;
        tokio::time::sleep(20 * MINUTE).await;
        assert!(operator.board.resources()[&key("second")].status.is_ready());
        assert_eq!(world.writes().len(), 1);
        operator.stop().await;
    });
}

#[test]
fn a_missing_file_is_not_a_delete() {
    run(|| async {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        let operator = world.operator();
        let mut second = declared(json!({
            "minInstances": 2, "maxInstances": 4, "network": "default", "ipCidrRange": "10.9.0.0/28"
        }));
        second.key.name = "second".into();
        second.name = "second".into();
        second.policy.deletion = Deletion::Delete;
        let first = declared(json!({"minInstances": 2, "maxInstances": 3}));
        operator.declare(vec![first.clone(), second.clone()]).await;
        operator.settle(HOUR).await;
        assert_eq!(world.writes().len(), 1, "the create");

        operator.declare(vec![]).await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(world.writes().len(), 1, "an empty source freezes deletions");
        operator
            .commands
            .send(Command::SourceFailed("broken".into()))
            .await
            .unwrap();

        operator.declare(vec![second.clone()]).await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(world.writes().len(), 1, "Orphan: left in place");

        operator.declare(vec![first]).await;
        tokio::time::sleep(HOUR).await;
        let writes = world.writes();
        let second_now = operator.board.resources().get(&key("second")).cloned();
        assert_eq!(writes.last().unwrap().method, "DELETE", "{second_now:#?}");
        assert_eq!(writes.len(), 2);
        assert!(
            world
                .emulator
                .connector(PROJECT, LOCATION, "second")
                .is_none()
        );
        assert!(!operator.board.resources().contains_key(&key("second")));
        operator.stop().await;
    });
}

#[test]
fn observe_mode_and_suspend_write_nothing_and_say_so() {
    run(|| async {
        let mut world = World::new();
        world.settings.apply = false;
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        let status = operator.settle(HOUR).await;
        assert_eq!(reason(&status), Reason::Suspended);
        assert!(
            message(&status).contains("minInstances 2 -> 5"),
            "{}",
            message(&status)
        );
        operator.stop().await;

        world.settings.apply = true;
        let operator = world.operator();
        let mut manifest = declared(grown());
        manifest.policy.suspend = true;
        operator.declare(vec![manifest]).await;
        tokio::time::sleep(MINUTE).await;
        assert_eq!(reason(&operator.settle(HOUR).await), Reason::Suspended);
        assert!(world.writes().is_empty());
        operator.stop().await;
    });
}

#[test]
fn an_unreadable_gcp_is_unknown_and_not_gone() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        operator.settle(HOUR).await;
        let broken = refusal(503, "UNAVAILABLE");
        world.emulator.set_faults(vec![FaultRule::new(broken)]);
        tokio::time::sleep(HOUR).await;
        assert_eq!(reason(&operator.status()), Reason::Error);
        world.emulator.set_faults(vec![]);
        tokio::time::sleep(10 * MINUTE).await;
        assert!(operator.settle(HOUR).await.is_ready());
        assert_eq!(world.writes().len(), 4);
        operator.stop().await;
    });
}
