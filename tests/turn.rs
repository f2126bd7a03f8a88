//! Whose turn it is: freeze windows and the budget of concurrent rollouts.

mod common;

use common::{CONNECTOR, World, declared, declared_as, grown, key, run, steps_of};
use evenkeel::api::{ConditionType, Key, Reason};
use evenkeel::core::freeze::{Freeze, When};
use evenkeel::core::token::Ask;
use jiff::tz::TimeZone;
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

fn reason(operator: &common::Operator, key: &Key) -> Option<Reason> {
    let status = operator.board.resources().get(key)?.status.clone();
    Some(status.condition(ConditionType::Ready)?.reason)
}

fn freeze(world: &World, length: Duration) -> Freeze {
    let from = world.clock.now();
    let to = from.checked_add(length).unwrap();
    Freeze {
        name: "launch".to_owned(),
        when: When::parse(&from.to_string(), &to.to_string(), TimeZone::UTC).unwrap(),
    }
}

#[test]
fn no_step_starts_in_a_freeze_window_and_the_rest_goes_on_after_it() {
    run(|| async {
        let mut world = World::new();
        world.settings.freezes = vec![freeze(&world, 2 * HOUR)];
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        tokio::time::sleep(HOUR).await;
        let ready = operator.status();
        let ready = ready.condition(ConditionType::Ready).unwrap();
        assert_eq!(ready.reason, Reason::WaitingForWindow);
        assert!(
            ready.message.contains("freeze window launch"),
            "{}",
            ready.message
        );
        assert!(world.writes().is_empty());
        let status = operator.settle(3 * HOUR).await;
        assert!(status.is_ready(), "{status:#?}");
        operator.stop().await;
    });
}

#[test]
fn going_back_does_not_wait_for_a_freeze_window() {
    run(|| async {
        let mut world = World::new();
        let operator = world.operator();
        let mut wanted = declared(json!({"machineType": "e2-standard-4"}));
        wanted.policy.rollout.as_mut().unwrap().allow_disruptive = true;
        operator.declare(vec![wanted.clone()]).await;
        assert!(operator.settle(HOUR).await.is_ready());
        operator.stop().await;

        world.settings.freezes = vec![freeze(&world, 2 * HOUR)];
        let operator = world.operator();
        operator.declare(vec![wanted]).await;
        let fields = [("machineType".to_owned(), json!("e2-micro"))].into();
        world.ask(&Ask::Undo {
            to: 1,
            fields,
            why: None,
        });
        tokio::time::sleep(10 * MINUTE).await;
        let last = world.writes().last().unwrap().body.clone().unwrap();
        assert_eq!(last["machineType"], "e2-micro");
        operator.stop().await;
    });
}

#[test]
fn one_rollout_at_a_time_where_the_budget_says_so() {
    run(|| async {
        let mut world = World::new();
        world.settings.concurrent_rollouts = Some(1);
        let operator = world.operator();
        let (first, second) = (key(CONNECTOR), key("other"));
        let mut other = declared_as(
            second.clone(),
            json!({"network": "default", "ipCidrRange": "10.9.0.0/28",
                   "minInstances": 2, "maxInstances": 3}),
        );
        other.policy.rollout = Some(steps_of(1, 2));
        operator.declare(vec![declared(grown()), other]).await;
        let (mut together, mut waited) = (0, false);
        for _ in 0..3600 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let reasons = [reason(&operator, &first), reason(&operator, &second)];
            let rolls =
                |r: &&Option<Reason>| matches!(r, Some(Reason::Progressing | Reason::Baking));
            together = together.max(reasons.iter().filter(rolls).count());
            waited |= reasons.contains(&Some(Reason::WaitingForBudget));
            if reasons == [Some(Reason::UpToDate); 2] {
                break;
            }
        }
        assert_eq!((together, waited), (1, true));
        assert_eq!(reason(&operator, &second), Some(Reason::UpToDate));
        operator.stop().await;
    });
}
