//! How a change of a service starts: its revision, and the operation that brings it about.
//!
//! What is asked for shows at once, `reconciling`; traffic stays where it is until the operation ends. A second
//! change meanwhile is taken (the API refuses only stale etags) and supersedes the first: see `settle`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::condition::Condition;
use super::refusal::already_exists;
use super::revision::{Revision, same_template};
use super::service::Service;
use super::{SERVICE, check, defaults, names, refusal};
use crate::emulator::api::{Api, Request};
use crate::emulator::errors::ApiError;
use crate::emulator::longrunning;
use crate::emulator::operations::Start;
use crate::emulator::timing::Pace;
use crate::emulator::world::World;

/// What an operation is about.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Change {
    /// The service comes to this generation.
    Apply {
        generation: i64,
        /// The revision that it makes, by its short name.
        revision: Option<String>,
        /// The record as it was before; None for a create.
        before: Option<Value>,
    },
    Delete,
}

/// A write of a whole spec, checked and not yet made.
pub(super) struct Plan {
    pub service: Service,
    before: Option<Value>,
    revision: Option<Revision>,
}

/// Whether Google would take `spec` for `service`, and what it would come to. `rpc` is `Create` or `Update`.
pub(super) fn plan(
    world: &mut World,
    mut service: Service,
    mut spec: Value,
    rpc: &'static str,
    force: bool,
) -> Result<Plan, ApiError> {
    defaults::fill(&mut spec, names::project(&service.name));
    let refused = |refused| refusal::violation(rpc, refused);
    check::spec(&spec, service.id()).map_err(refused)?;
    let before = (rpc == "Update").then(|| service.record());
    let next = next_revision(world, &service, &spec["template"], force)?;
    let exists = |name: &str| {
        let known = world.records.truth(&key(&service.revision_name(name)));
        known.is_some() || next.as_deref() == Some(name)
    };
    check::traffic(&spec, exists).map_err(refused)?;
    service.write(world.clock, spec);
    service.generation += i64::from(force && service.observed_generation == service.generation);
    let revision = next.map(|id| new_revision(world, &mut service, &id));
    if service.generation != service.observed_generation || service.condition.is_failed() {
        service.condition = Condition::reconciling(world.clock);
    }
    Ok(Plan {
        service,
        before,
        revision,
    })
}

/// The short name of the revision that the template makes; None when it makes none.
///
/// What Google does with the same template again after it failed is not published. Chosen: one more try, as a
/// deployment is.
fn next_revision(
    world: &mut World,
    service: &Service,
    template: &Value,
    force: bool,
) -> Result<Option<String>, ApiError> {
    let named = check::text(template, "revision");
    let known = world.records.truth(&key(&service.revision_name(named)));
    if !named.is_empty() {
        return match known.map(Revision::of) {
            None => Ok(Some(named.to_owned())),
            Some(known) if same_template(&known.template, template) => Ok(None),
            Some(_) => Err(already_exists(format!(
                "Revision named '{named}' with different configuration already exists."
            ))),
        };
    }
    let latest = &service.revision_name(&service.latest_created);
    let failed = world.records.truth(&key(latest)).map(Revision::of);
    let failed = failed.is_some_and(|latest| latest.condition.is_failed());
    if !force && !failed && same_template(service.template(), template) {
        return Ok(None);
    }
    let number = service.revisions + 1;
    Ok(Some(names::revision(service.id(), number, &mut world.dice)))
}

fn new_revision(world: &mut World, service: &mut Service, id: &str) -> Revision {
    service.revisions += 1;
    id.clone_into(&mut service.latest_created);
    Revision {
        name: service.revision_name(id),
        uid: world.dice.uuid(),
        generation: service.generation,
        created: world.clock,
        updated: world.clock,
        launch_stage: check::text(&service.spec, "launchStage").to_owned(),
        template: service.template().clone(),
        condition: Condition::reconciling(world.clock),
    }
}

/// Makes the planned write: the reply is its operation.
pub(super) fn start(world: &mut World, request: &Request, plan: Plan) -> Value {
    let Plan {
        service,
        before,
        revision,
    } = plan;
    if let Some(revision) = &revision {
        world.show(&key(&revision.name), Some(revision.record()));
    }
    let change = Change::Apply {
        generation: service.generation,
        revision: revision.as_ref().map(|revision| revision.id().to_owned()),
        before,
    };
    // Traffic and labels move without new containers.
    let pace = match revision {
        Some(_) => Pace::Roll,
        None => Pace::Quick,
    };
    begin(world, request, &service, &change, pace)
}

/// Shows `service`, and starts the operation that will end the change of it.
pub(super) fn begin(
    world: &mut World,
    request: &Request,
    service: &Service,
    change: &Change,
    pace: Pace,
) -> Value {
    let target = key(&service.name);
    world.show(&target, Some(service.record()));
    let parent = format!(
        "projects/{}/locations/{}",
        names::project(&service.name),
        names::region(&service.name)
    );
    let start = Start {
        key: key(&format!("{parent}/operations/{}", world.dice.uuid())),
        target,
        verb: request.route.method.name,
        pace,
        change: serde_json::to_value(change).unwrap_or_default(),
        note: typed(service),
        failure: None,
    };
    let operation = world.start(request, start);
    super::Run.operation(&operation, &request.eye())
}

/// The reply to `validateOnly`: an operation that is over, has no name and left nothing behind.
pub(super) fn preview(plan: &Plan) -> Value {
    let service = typed(&plan.service);
    json!({"done": true, "metadata": service, "response": service})
}

/// The service inside an `Any`.
pub(super) fn typed(service: &Service) -> Value {
    let mut body = service.body();
    body["@type"] = json!("type.googleapis.com/google.cloud.run.v2.Service");
    body
}

pub(super) fn key(name: &str) -> String {
    format!("//{SERVICE}/{name}")
}

/// An operation's metadata is the service as it was to become when the operation started.
pub(super) fn body(operation: &crate::emulator::operations::Operation) -> Value {
    longrunning::body(operation, &operation.note)
}
