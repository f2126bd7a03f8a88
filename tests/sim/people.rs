//! People who ask things of a running operator.

use super::content::Place;
use super::operator::Operator;
use super::script::Wish;
use super::trace::What;
use super::world::World;
use evenkeel::api::{Key, Reason, Status};
use evenkeel::core::token::Ask;

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
