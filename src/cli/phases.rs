//! Phases on the command line: approved and tried again like resources.

use super::args::{ApproveArgs, Globals};
use super::{CliError, Exit, documents, objects, out};
use crate::api::{DocumentKind, Subject};
use crate::cli::view::View;
use crate::core::digest::short;
use crate::core::phase::PhaseRecord;
use crate::core::token::Ask;
use crate::render::message;

/// The phase that `phase/NAME` or `phase NAME` names; `None` for anything else.
#[must_use]
pub fn named(words: &[String]) -> Option<String> {
    let (kind, name) = documents::named(words)?;
    (kind == DocumentKind::Phase).then_some(name)
}

fn find<'a>(phases: &'a [PhaseRecord], name: &str) -> Result<&'a PhaseRecord, CliError> {
    let found = phases.iter().find(|phase| phase.name == name);
    let names = || phases.iter().map(|phase| phase.name.as_str());
    found.ok_or_else(|| documents::missing(DocumentKind::Phase, name, names()))
}

/// `evenkeel rollout retry phase/NAME`.
pub fn ask(globals: &Globals, name: &str, ask: &Ask) -> Result<Exit, CliError> {
    if !matches!(ask, Ask::Retry) {
        return Err(
            CliError::new("a phase is approved and retried, nothing else")
                .hint("pause, resume, abort and undo are for its resources: `evenkeel get`"),
        );
    }
    let view = objects::open(globals)?;
    find(&view.phases()?, name)?;
    send(&view, name, ask, "retry")
}

/// `evenkeel rollout approve phase/NAME`.
pub fn approve(globals: &Globals, args: &ApproveArgs, name: &str) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    let phases = view.phases()?;
    let phase = find(&phases, name)?;
    let Some(plan) = &phase.plan else {
        return Err(CliError::new(format!(
            "phase/{name} has no plan that waits for approval ({})",
            phase.ready_reason()
        ))
        .hint("`evenkeel get phases` shows where it stands"));
    };
    if let Some(given) = &args.plan
        && !super::rollout::names_plan(given, plan)
    {
        return Err(CliError::new(format!(
            "the plan that waits is {}, not {given}",
            short(plan)
        ))
        .hint("look again with `evenkeel plan`: the manifests or the live state have changed"));
    }
    send(
        &view,
        name,
        &Ask::Approve { plan: plan.clone() },
        "approval",
    )
}

fn send(view: &View, name: &str, ask: &Ask, word: &str) -> Result<Exit, CliError> {
    view.ask(Subject::Phase(name.to_owned()), ask)?;
    if view.operator_runs() {
        out::line(&format!("asked for {word} of phase/{name}"))?;
    } else {
        out::line(&format!("{word} of phase/{name} is written down"))?;
        out::error_text(&message::note(
            "no operator runs on this state file: it acts on this when it starts",
        ));
    }
    Ok(Exit::Success)
}
