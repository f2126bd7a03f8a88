//! How a change of a service ends.
//!
//! Whatever became of a change, its own revision is ready or failed. The service follows only the last change:
//! one that was superseded ends well with the service as it is by then.

use serde::Deserialize;

use super::check::text;
use super::condition::Condition;
use super::revision::Revision;
use super::rollout::{Change, key, typed};
use super::service::Service;
use super::startup;
use crate::emulator::operations::{Ending, Failure, Operation};
use crate::emulator::world::World;

pub(super) fn finish(world: &mut World, operation: &Operation) -> Ending {
    let Ok(change) = Change::deserialize(&operation.change) else {
        return Ending::Failed(Failure::new(13, "An internal error occurred."));
    };
    let Some(service) = world.records.truth(&operation.target).map(Service::of) else {
        return Ending::Failed(Failure::new(10, "The service was deleted meanwhile."));
    };
    match change {
        Change::Delete => delete(world, operation, service),
        Change::Apply {
            generation,
            revision,
            before,
        } if operation.ignored => {
            let before = before.as_ref().map(Service::of);
            let revision = revision.as_deref();
            undo(
                world,
                operation,
                service,
                generation,
                before.as_ref(),
                revision,
            )
        }
        Change::Apply {
            generation,
            revision,
            ..
        } => apply(world, operation, service, generation, revision.as_deref()),
    }
}

fn apply(
    world: &mut World,
    operation: &Operation,
    mut service: Service,
    generation: i64,
    revision: Option<&str>,
) -> Ending {
    let failure = failure(world, operation, &service, revision);
    let at = operation.due;
    let condition = match &failure {
        None => Condition::succeeded(at),
        Some(failure) => Condition::failed(at, &failure.message),
    };
    if let Some(id) = revision {
        settle_revision(world, operation, &service.revision_name(id), &condition);
        // A slow change must not set back what a later one has reached.
        let newer = generation_of(world, &service, id)
            > generation_of(world, &service, &service.latest_ready);
        if failure.is_none() && newer {
            id.clone_into(&mut service.latest_ready);
        }
    }
    let current = service.generation == generation;
    if current {
        service.observed_generation = generation;
        service.condition = condition;
        if failure.is_none() {
            service.route_traffic();
        }
    }
    change(world, operation, Some(&service));
    match failure {
        Some(failure) if current => Ending::Failed(failure),
        _ => Ending::Done(typed(&service)),
    }
}

/// The generation that made a revision; 0 when there is no such revision.
fn generation_of(world: &World, service: &Service, revision: &str) -> i64 {
    let record = world.records.truth(&key(&service.revision_name(revision)));
    record.map_or(0, |record| Revision::of(record).generation)
}

/// The failure that was to be, or the one that only shows when containers start.
fn failure(
    world: &World,
    operation: &Operation,
    service: &Service,
    revision: Option<&str>,
) -> Option<Failure> {
    let found = operation
        .failure
        .clone()
        .or_else(|| unready(world, operation, service, revision?));
    let mut failure = found?;
    if let Some(id) = revision {
        failure.message = format!(
            "Revision '{id}' is not ready and cannot serve traffic. {}",
            failure.message
        );
    }
    Some(failure)
}

/// Why a revision does not come up.
fn unready(
    world: &World,
    operation: &Operation,
    service: &Service,
    revision: &str,
) -> Option<Failure> {
    let name = key(&service.revision_name(revision));
    let revision = world.records.truth(&name).map(Revision::of)?;
    let missing = missing_connector(world, &revision);
    missing.or_else(|| startup::failure(world, operation.due, service, &revision))
}

fn missing_connector(world: &World, record: &Revision) -> Option<Failure> {
    let connector = text(&record.template["vpcAccess"], "connector");
    let there = world
        .records
        .truth(&format!("//vpcaccess.googleapis.com/{connector}"));
    if connector.is_empty() || there.is_some() {
        return None;
    }
    Some(Failure::new(
        9,
        format!(
            "VPC connector {connector} does not exist, or Cloud Run does not have permission to use it."
        ),
    ))
}

fn settle_revision(world: &mut World, operation: &Operation, name: &str, condition: &Condition) {
    let key = key(name);
    let Some(mut revision) = world.records.truth(&key).map(Revision::of) else {
        return;
    };
    revision.settle(condition.clone());
    let record = Some(revision.record());
    world
        .records
        .change(&key, operation.due, operation.lag, record);
}

/// The write was lost: what is asked for is what it was before. A later change stands all the same.
fn undo(
    world: &mut World,
    operation: &Operation,
    mut service: Service,
    generation: i64,
    before: Option<&Service>,
    revision: Option<&str>,
) -> Ending {
    if let Some(id) = revision {
        let key = key(&service.revision_name(id));
        let (at, lag) = (operation.due, operation.lag);
        world.records.change(&key, at, lag, None);
    }
    let response = typed(before.unwrap_or(&service));
    if service.generation != generation {
        return Ending::Done(response);
    }
    let Some(before) = before else {
        change(world, operation, None);
        return Ending::Done(response);
    };
    service.spec.clone_from(&before.spec);
    service.generation = before.generation;
    service.latest_created.clone_from(&before.latest_created);
    // The change before this one may still run: it will settle the rest.
    if !is_coming(world, operation, service.generation) {
        rest(world, operation, &mut service);
    }
    change(world, operation, Some(&service));
    Ending::Done(response)
}

/// Whether an operation is bringing the service to this generation.
fn is_coming(world: &World, operation: &Operation, wanted: i64) -> bool {
    let mut all = world.operations.all();
    all.any(|other| {
        other.is_running()
            && other.target == operation.target
            && other.key != operation.key
            && other.change["Apply"]["generation"] == wanted
    })
}

/// Nothing is under way any more: the service is what its latest revision is.
fn rest(world: &World, operation: &Operation, service: &mut Service) {
    let name = service.revision_name(&service.latest_created);
    let latest = world.records.truth(&key(&name)).map(Revision::of);
    let failed = latest.filter(|latest| latest.condition.is_failed());
    service.observed_generation = service.generation;
    service.condition = match failed {
        Some(latest) => latest.condition,
        None => Condition::succeeded(operation.due),
    };
    service.route_traffic();
}

fn delete(world: &mut World, operation: &Operation, mut service: Service) -> Ending {
    if operation.failure.is_none() && !operation.ignored {
        let prefix = format!("{}/", operation.target);
        let revisions: Vec<String> = world
            .records
            .all_under(&prefix)
            .map(|(key, _)| key.to_owned())
            .collect();
        for key in &revisions {
            world
                .records
                .change(key, operation.due, operation.lag, None);
        }
        change(world, operation, None);
        return Ending::Done(typed(&service));
    }
    let ended = service.clone();
    service.deleted = None;
    change(world, operation, Some(&service));
    match &operation.failure {
        Some(failure) => Ending::Failed(failure.clone()),
        None => Ending::Done(typed(&ended)),
    }
}

fn change(world: &mut World, operation: &Operation, service: Option<&Service>) {
    let record = service.map(Service::record);
    let (at, lag) = (operation.due, operation.lag);
    world.records.change(&operation.target, at, lag, record);
}
