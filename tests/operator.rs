//! The operator as a whole, against the emulated GCP.

mod common;

use common::{World, declared, grown, run};
use evenkeel::api::{ConditionType, Reason};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn raises_a_connector_step_by_step() {
    run(|| async {
        let world = World::new();
        let operator = world.operator();
        operator.declare(vec![declared(grown())]).await;
        let status = operator.settle(HOUR).await;
        assert!(status.is_ready(), "{status:#?}");
        assert_eq!(world.size(), (5, 10));

        let writes = world.writes();
        let bodies: Vec<_> = writes
            .iter()
            .map(|w| w.body.clone().unwrap_or_default())
            .collect();
        println!("{bodies:#?}");
        assert_eq!(writes.len(), 4);
        for write in &writes {
            assert_eq!(
                write.update_mask.as_deref(),
                Some("maxInstances,minInstances")
            );
        }
        assert_eq!(
            status.condition(ConditionType::Ready).map(|c| c.reason),
            Some(Reason::UpToDate)
        );
        operator.stop().await;
    });
}
