//! People who ask things of a running operator.

use super::kinds::Place;
use super::operator::Operator;
use super::script::Wish;
use super::trace::What;
use super::world::World;
use evenkeel::api::{ConditionType, Key, Reason, Status, Subject};
use evenkeel::core::token::Ask;
use evenkeel::engine::PhaseReport;

/// Writes the wish down for the operator, if it makes sense now.
pub fn wish(world: &World, operator: &Operator, place: &Place, wish: Wish) {
    let shown = operator
        .board
        .resources()
        .get(&place.key)
        .map(|report| report.status.clone());
    let plan = shown.and_then(|status| status.plan.map(|plan| plan.digest));
    let undo = |last: bool| {
        let saved = world.trace.revisions(&place.key);
        let revision = if last { saved.last() } else { saved.first() }?;
        Some(Ask::Undo {
            why: None,
            to: revision.number,
            fields: revision.fields.clone(),
        })
    };
    let ask = match wish {
        Wish::Pause => Some(Ask::Pause),
        Wish::Resume => Some(Ask::Resume),
        Wish::Retry => Some(Ask::Retry),
        Wish::Abort => Some(Ask::Abort),
        Wish::Approve => plan.map(|plan| Ask::Approve { plan }),
        Wish::ApproveOther => Some(Ask::Approve {
            plan: "sha256:00".to_owned(),
        }),
        Wish::UndoFirst => undo(false),
        Wish::UndoLast => undo(true),
    };
    if let Some(ask) = ask {
        put(world, &place.key, ask);
    }
}

pub fn put(world: &World, key: &Key, ask: Ask) {
    let id = world.disk.ask(key, &ask, world.now()).unwrap().to_string();
    world.requests(1, 0);
    let key = key.clone();
    world.note(What::Asked { id, key, ask });
}

/// Writes a wish about a phase down, if it makes sense now.
pub fn wish_of_phase(world: &World, operator: &Operator, name: &str, wish: Wish) {
    let phases = operator.board.phases();
    let Some(report) = phases.get(name) else {
        return;
    };
    let ask = match wish {
        Wish::Approve => report.plan.clone().map(|plan| Ask::Approve { plan }),
        Wish::ApproveOther => Some(Ask::Approve {
            plan: "sha256:00".to_owned(),
        }),
        Wish::Retry => Some(Ask::Retry),
        _ => Some(Ask::Pause),
    };
    if let Some(ask) = ask {
        put_phase(world, name, ask);
    }
}

pub fn put_phase(world: &World, name: &str, ask: Ask) {
    let about = Subject::Phase(name.to_owned());
    let id = world
        .disk
        .ask(about, &ask, world.now())
        .unwrap()
        .to_string();
    world.requests(1, 0);
    let name = name.to_owned();
    world.note(What::AskedPhase { id, name, ask });
}

/// What a helpful person does about a phase.
pub fn help_phase(report: &PhaseReport) -> Option<Ask> {
    if report.failed.is_some() {
        return Some(Ask::Retry);
    }
    let conditions = &report.status.conditions;
    let ready = conditions.iter().find(|c| c.kind == ConditionType::Ready)?;
    let waits = ready.reason == Reason::AwaitingApproval;
    let plan = report.plan.clone().filter(|_| waits)?;
    Some(Ask::Approve { plan })
}

/// What a helpful person does about a status.
pub fn help(status: &Status) -> Option<Ask> {
    let ready = status.condition(evenkeel::api::ConditionType::Ready)?;
    match ready.reason {
        Reason::AwaitingApproval => status.plan.as_ref().map(|plan| Ask::Approve {
            plan: plan.digest.clone(),
        }),
        Reason::AwaitingPromotion | Reason::Suspended => Some(Ask::Resume),
        _ if status.held.is_some() => Some(Ask::Retry),
        _ => None,
    }
}
