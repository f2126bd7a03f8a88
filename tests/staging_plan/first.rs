//! What comes before a change: its prior state is saved, and it is made in steps.

use super::scene::Scene;
use crate::common::{CONNECTOR, LOCATION, Operator, PROJECT, key, run};
use async_trait::async_trait;
use evenkeel::api::{Declared, Event, Key};
use evenkeel::cli::embedded::Embedded;
use evenkeel::core::check::CheckRecord;
use evenkeel::core::error::Fault;
use evenkeel::core::observed::Operation;
use evenkeel::core::permit::Durable;
use evenkeel::core::phase::PhaseRecord;
use evenkeel::core::record::{Record, Revision};
use evenkeel::core::token::Token;
use evenkeel::journal::{Journal, JournalError, SqliteJournal};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// A journal with no room for saved states, and for nothing else.
struct Full(Arc<SqliteJournal>);

#[async_trait]
impl Journal for Full {
    fn load(&self) -> Result<Vec<Record>, JournalError> {
        self.0.load()
    }

    async fn commit(
        &self,
        record: &Record,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.0.commit(record, events, handled).await
    }

    async fn begin<'a>(
        &self,
        record: &'a Record,
        revision: Option<&Revision>,
        events: &[Event],
        handled: &[String],
    ) -> Result<Durable<'a>, JournalError> {
        if revision.is_some() {
            return Err(JournalError::Io {
                path: "state.db".into(),
                source: std::io::ErrorKind::StorageFull.into(),
            });
        }
        self.0.begin(record, revision, events, handled).await
    }

    async fn finish(
        &self,
        record: &Record,
        id: &str,
        reply: &Result<Operation, Fault>,
        events: &[Event],
    ) -> Result<(), JournalError> {
        self.0.finish(record, id, reply, events).await
    }

    async fn forget(&self, key: &Key, events: &[Event]) -> Result<(), JournalError> {
        self.0.forget(key, events).await
    }

    async fn revision(&self, key: &Key, number: i64) -> Result<Option<Revision>, JournalError> {
        self.0.revision(key, number).await
    }

    fn checks(&self) -> Result<Vec<CheckRecord>, JournalError> {
        self.0.checks()
    }

    async fn commit_check(
        &self,
        record: &CheckRecord,
        events: &[Event],
    ) -> Result<(), JournalError> {
        self.0.commit_check(record, events).await
    }

    async fn forget_check(&self, name: &str) -> Result<(), JournalError> {
        self.0.forget_check(name).await
    }

    fn phases(&self) -> Result<Vec<PhaseRecord>, JournalError> {
        self.0.phases()
    }

    async fn commit_phase(
        &self,
        record: &PhaseRecord,
        events: &[Event],
        handled: &[String],
    ) -> Result<(), JournalError> {
        self.0.commit_phase(record, events, handled).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, JournalError> {
        self.0.tokens().await
    }
}

/// The connector of the plan.
fn connector(scene: &Scene) -> Declared {
    let mut declared = scene.set.declared.iter();
    declared
        .find(|declared| declared.key == key(CONNECTOR))
        .unwrap()
        .clone()
}

fn path() -> String {
    format!("projects/{PROJECT}/locations/{LOCATION}/connectors/{CONNECTOR}")
}

fn is_ready(operator: &Operator) -> bool {
    operator.status().is_ready()
}

#[test]
fn nothing_changes_before_its_configuration_is_saved() {
    run(|| async {
        let scene = Scene::incident().await;
        let before = scene.world.truth(&path());
        let world = &scene.world;
        let google = Arc::new(Embedded {
            emulator: Arc::clone(&world.emulator),
            clock: Arc::clone(&world.clock),
        });
        let full = Arc::new(Full(Arc::clone(&world.journal)));
        let operator = world.operator_on(google, full);
        operator.declare(vec![connector(&scene)]).await;
        tokio::time::sleep(Duration::from_hours(3)).await;
        assert!(world.own_writes().is_empty(), "no revision, no write");
        assert_eq!(world.truth(&path()), before);
        operator.stop().await;

        let operator = world.start(vec![connector(&scene)]).await;
        operator.until(DAY, is_ready).await;
        let saved = world.journal.revision(&key(CONNECTOR), 1).await.unwrap();
        assert_eq!(saved.unwrap().raw, before, "all of it");
        operator.stop().await;
    });
}

/// The sizes that the operator asked for, one after the other.
fn sizes(scene: &Scene) -> Vec<(i64, i64)> {
    let writes = scene.world.own_writes().into_iter();
    let size = |body: &Value| {
        Some((
            body["minInstances"].as_i64()?,
            body["maxInstances"].as_i64()?,
        ))
    };
    writes
        .filter_map(|write| size(write.body.as_ref()?))
        .collect()
}

/// From 2 to 3 instances on, by at most 1 and 2 at a time.
fn is_gradual(sizes: &[(i64, i64)]) -> bool {
    let from = std::iter::once((2, 3)).chain(sizes.iter().copied());
    let pairs = from.zip(sizes);
    pairs
        .into_iter()
        .all(|((min, max), next)| next.0 - min <= 1 && next.1 - max <= 2)
}

#[test]
fn the_connector_is_raised_gradually() {
    run(|| async {
        let scene = Scene::incident().await;
        let operator = scene.world.start(vec![connector(&scene)]).await;
        operator.until(DAY, is_ready).await;
        assert_eq!(scene.world.size(), (5, 10));
        let raised = sizes(&scene);
        assert!(is_gradual(&raised), "{raised:?}");
        operator.stop().await;
    });
    run(|| async {
        let scene = Scene::incident().await;
        let mut at_once = connector(&scene);
        at_once.policy.rollout.as_mut().unwrap().max_step.clear();
        let operator = scene.world.start(vec![at_once]).await;
        operator.until(DAY, is_ready).await;
        let raised = sizes(&scene);
        assert!(!is_gradual(&raised), "the test sees it: {raised:?}");
        operator.stop().await;
    });
}
