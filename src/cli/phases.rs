//! Phases on the command line: listed, approved and tried again like resources.

use super::args::{ApproveArgs, GetArgs, GetFormat, Globals};
use super::{CliError, Exit, objects, out};
use crate::api::{API_VERSION, DocumentKind, Subject};
use crate::core::digest::short;
use crate::core::phase::PhaseRecord;
use crate::core::token::Ask;
use crate::journal::View;
use crate::render::documents::{self, Row};
use crate::render::message;
use jiff::Timestamp;
use serde_json::{Value, json};

/// True for every name of the kind.
#[must_use]
pub fn is_kind(word: &str) -> bool {
    let kind = DocumentKind::Phase;
    let word = word.to_ascii_lowercase();
    word == kind.plural() || word == kind.short_name() || word == "phase"
}

/// The phase that `phase/NAME` or `phase NAME` names; `None` for anything else.
#[must_use]
pub fn named(words: &[String]) -> Option<String> {
    let (kind, name) = match words {
        [both] => both.split_once('/')?,
        [kind, name] => (kind.as_str(), name.as_str()),
        _ => return None,
    };
    (is_kind(kind) && !name.is_empty()).then(|| name.to_owned())
}

/// `evenkeel get phases`.
pub fn get(globals: &Globals, args: &GetArgs, names: &[String]) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    if args.watch {
        return Err(CliError::new("phases cannot be watched")
            .hint("`evenkeel run` prints what happens to them"));
    }
    let mut phases = view.phases()?;
    for name in names {
        find(&phases, name)?;
    }
    phases.retain(|phase| names.is_empty() || names.contains(&phase.name));
    let json = |phases: &[PhaseRecord]| -> Value {
        match phases {
            [phase] if names.len() == 1 => as_object(phase),
            all => json!({"apiVersion": "v1", "kind": "List",
                          "items": all.iter().map(as_object).collect::<Vec<_>>()}),
        }
    };
    match args.output {
        GetFormat::Json => out::json(&json(&phases))?,
        GetFormat::Yaml => out::text(&super::get::yaml(&json(&phases))?)?,
        GetFormat::Table | GetFormat::Wide if phases.is_empty() => {
            out::error_text(&message::note("no phases are declared"));
        }
        GetFormat::Table | GetFormat::Wide => {
            let rows: Vec<_> = phases.iter().map(row).collect();
            out::text(&documents::list(&rows, Timestamp::now(), out::width()))?;
        }
    }
    Ok(Exit::Success)
}

fn row(phase: &PhaseRecord) -> Row<'_> {
    Row {
        kind: DocumentKind::Phase,
        name: &phase.name,
        conditions: &phase.status.conditions,
    }
}

fn as_object(phase: &PhaseRecord) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": DocumentKind::Phase.as_str(),
        "metadata": {"name": phase.name, "generation": phase.generation},
        "status": phase.status,
    })
}

fn find<'a>(phases: &'a [PhaseRecord], name: &str) -> Result<&'a PhaseRecord, CliError> {
    phases
        .iter()
        .find(|phase| phase.name == name)
        .ok_or_else(|| {
            let near = objects::nearest(name, phases.iter().map(|phase| phase.name.as_str()));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`evenkeel get phases` lists what there is".to_owned(),
            };
            CliError::new(format!("there is no Phase `{name}`")).hint(hint)
        })
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
