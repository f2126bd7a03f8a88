//! What the board shows, brought to the desk that tells people. Apart from the engine: a receiver
//! that is dead holds nothing up.

use crate::alert::{Courier, Desk, Handle, LivePost, Ports, Secrets};
use crate::api::{Condition, DocumentKind};
use crate::cli::CliError;
use crate::cli::world::World;
use crate::core::alert::{Context, Object, Store, judge};
use crate::engine::Board;
use crate::gcp::clock::Clock;
use crate::gcp::entropy::Entropy;
use crate::source::Set;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long the last messages of a process may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The desk, and the task that brings it the news.
pub struct Alerts {
    desk: Desk,
    feed: JoinHandle<()>,
}

impl Alerts {
    pub fn start(
        world: &World,
        store: Arc<dyn Store>,
        board: Board,
        secrets: Secrets,
    ) -> Result<Self, CliError> {
        let post =
            LivePost::new().map_err(|error| CliError::new(format!("no transport: {error}")))?;
        let clocks = (Arc::clone(&world.clock), Arc::clone(&world.entropy));
        Self::start_with(clocks, post, store, board, secrets)
    }

    /// As [`Alerts::start`], with the parts of the world that it needs.
    pub fn start_with(
        (clock, entropy): (Arc<dyn Clock>, Arc<Entropy>),
        post: LivePost,
        store: Arc<dyn Store>,
        board: Board,
        secrets: Secrets,
    ) -> Result<Self, CliError> {
        let ports = Ports {
            store,
            courier: Courier::new(Arc::new(post), secrets),
            now: Arc::new(move || clock.now()),
            jitter: Arc::new(move || entropy.up_to(Duration::from_secs(1)).as_secs_f64()),
        };
        let desk = Desk::start(ports)
            .map_err(|error| CliError::new(format!("alerts cannot be taken up: {error}")))?;
        Ok(Alerts {
            feed: tokio::spawn(feed(board, desk.handle())),
            desk,
        })
    }

    /// Where the manifests go as they change.
    pub fn handle(&self) -> Handle {
        self.desk.handle()
    }

    /// Tells what is due, and stops.
    pub async fn close(self) {
        self.feed.abort();
        self.desk.close(PATIENCE).await;
    }
}

/// Every object of a set that may have troubles.
pub fn objects(set: &Set) -> BTreeSet<Object> {
    let managed = set
        .declared
        .iter()
        .map(|declared| Object::new(declared.key.kind.into(), &declared.name));
    let checks = set
        .checks
        .iter()
        .map(|check| Object::new(DocumentKind::Check, &check.name));
    let phases = set
        .phases
        .iter()
        .map(|phase| Object::new(DocumentKind::Phase, &phase.name));
    managed.chain(checks).chain(phases).collect()
}

async fn feed(board: Board, handle: Handle) {
    let mut changes = board.changes();
    loop {
        report(&board, &handle);
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// What is wrong with each object, as the board shows it.
fn report(board: &Board, handle: &Handle) {
    let tell = |context: &Context, conditions: &[Condition]| {
        handle.report(context.object.clone(), judge(context, conditions));
    };
    for (key, report) in board.resources() {
        let plan = report.status.plan.as_ref().map(|plan| plan.digest.as_str());
        let held = report.status.held.as_ref().map(|held| held.digest.as_str());
        let digest = held.or(plan).unwrap_or_default();
        let context = Context::managed(key.kind, &report.name, digest);
        tell(&context, &report.status.conditions);
    }
    for (name, report) in board.checks() {
        let context = Context::check(&name, &report.document.spec);
        tell(&context, &report.status.conditions);
    }
    for (name, report) in board.phases() {
        tell(
            &Context::phase(&name, report.failed.as_deref().unwrap_or_default()),
            &report.status.conditions,
        );
    }
}
