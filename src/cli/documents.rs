//! Checks, phases and alerts on the command line: listed and described like resources.

use super::args::{GetArgs, GetFormat, Globals};
use super::{CliError, Exit, objects, out};
use crate::api::{API_VERSION, Condition, DocumentKind, Subject};
use crate::cli::view::View;
use crate::core::alert;
use crate::render::documents::{self, Row};
use crate::render::message;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The kinds that are here.
const KINDS: [DocumentKind; 3] = [
    DocumentKind::Check,
    DocumentKind::Phase,
    DocumentKind::Alert,
];

/// A check, a phase or an alert as the state file holds it.
pub struct Known {
    kind: DocumentKind,
    pub name: String,
    /// Nobody counts those of an alert.
    generation: Option<i64>,
    conditions: Vec<Condition>,
    status: Value,
}

/// The kind that a word names: `checks`, `chk`, `phase`.
#[must_use]
pub fn kind(word: &str) -> Option<DocumentKind> {
    let word = word.to_ascii_lowercase();
    KINDS.into_iter().find(|kind| {
        let single = kind.as_str().to_ascii_lowercase();
        word == kind.plural() || word == kind.short_name() || word == single
    })
}

/// The object that `phase/NAME` or `phase NAME` names; `None` for anything else.
#[must_use]
pub fn named(words: &[String]) -> Option<(DocumentKind, String)> {
    let (word, name) = match words {
        [both] => both.split_once('/')?,
        [kind, name] => (kind.as_str(), name.as_str()),
        _ => return None,
    };
    let kind = kind(word)?;
    (!name.is_empty()).then(|| (kind, name.to_owned()))
}

/// What is asked for: a kind, and names, all where none is named; `None`: no document.
#[must_use]
pub fn wanted(args: &GetArgs) -> Option<(DocumentKind, Vec<String>)> {
    let first = args.kind.as_deref()?;
    match kind(first) {
        Some(kind) => Some((kind, args.names.clone())),
        None => named(&[first.to_owned()]).map(|(kind, name)| (kind, vec![name])),
    }
}

/// All of a kind.
fn all(view: &View, kind: DocumentKind) -> Result<Vec<Known>, CliError> {
    if kind == DocumentKind::Check {
        let known = view.checks()?.into_iter().map(|check| Known {
            kind,
            generation: Some(check.generation),
            conditions: check.status.conditions.clone(),
            status: json!(check.status),
            name: check.name,
        });
        return Ok(known.collect());
    }
    if kind == DocumentKind::Alert {
        let statuses = alert::statuses(&view.alerts()?).into_iter();
        let known = statuses.map(|(name, status)| Known {
            kind,
            name,
            generation: None,
            conditions: status.conditions.clone(),
            status: json!(status),
        });
        return Ok(known.collect());
    }
    let known = view.phases()?.into_iter().map(|phase| Known {
        kind,
        generation: Some(phase.generation),
        conditions: phase.status.conditions.clone(),
        status: json!(phase.status),
        name: phase.name,
    });
    Ok(known.collect())
}

/// `evenkeel get checks`, `evenkeel get phases`.
pub fn get(
    globals: &Globals,
    args: &GetArgs,
    kind: DocumentKind,
    names: &[String],
) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    let plural = kind.plural();
    if args.watch {
        return Err(CliError::new(format!("{plural} cannot be watched"))
            .hint("`evenkeel run` prints what happens to them"));
    }
    let mut known = all(&view, kind)?;
    for name in names {
        find(&known, kind, name)?;
    }
    known.retain(|one| names.is_empty() || names.contains(&one.name));
    match args.output {
        GetFormat::Json => out::json(&as_value(&known, names))?,
        GetFormat::Yaml => out::text(&super::get::yaml(&as_value(&known, names))?)?,
        GetFormat::Table | GetFormat::Wide if known.is_empty() => {
            out::error_text(&message::note(&format!("no {plural} are known yet")));
            out::error_text(&message::hint(
                "`evenkeel run PATH` takes up what its manifests declare",
            ));
        }
        GetFormat::Table | GetFormat::Wide => {
            let rows: Vec<_> = known.iter().map(row).collect();
            out::text(&documents::list(&rows, Timestamp::now(), out::width()))?;
        }
    }
    Ok(Exit::Success)
}

/// `evenkeel describe check/NAME`, `evenkeel describe phase/NAME`.
pub fn describe(globals: &Globals, kind: DocumentKind, name: &str) -> Result<Exit, CliError> {
    let view = objects::open(globals)?;
    let known = all(&view, kind)?;
    let one = find(&known, kind, name)?;
    let events = match kind {
        DocumentKind::Check => view.events(Subject::Check(name.to_owned()))?,
        DocumentKind::Phase => view.events(Subject::Phase(name.to_owned()))?,
        _ => Vec::new(),
    };
    let facts = documents::Facts {
        row: row(one),
        status: &one.status,
        generation: one.generation,
        events: &events,
        operator_runs: view.operator_runs(),
        now: Timestamp::now(),
        width: out::width(),
    };
    out::text(&documents::describe(&facts))?;
    Ok(Exit::Success)
}

fn as_value(known: &[Known], names: &[String]) -> Value {
    match known {
        [one] if names.len() == 1 => as_object(one),
        all => json!({"apiVersion": "v1", "kind": "List",
                      "items": all.iter().map(as_object).collect::<Vec<_>>()}),
    }
}

fn row(known: &Known) -> Row<'_> {
    Row {
        kind: known.kind,
        name: &known.name,
        conditions: &known.conditions,
    }
}

fn as_object(known: &Known) -> Value {
    let mut metadata = json!({"name": known.name});
    if let Some(generation) = known.generation {
        metadata["generation"] = generation.into();
    }
    json!({
        "apiVersion": API_VERSION,
        "kind": known.kind.as_str(),
        "metadata": metadata,
        "status": known.status,
    })
}

fn find<'a>(known: &'a [Known], kind: DocumentKind, name: &str) -> Result<&'a Known, CliError> {
    let found = known.iter().find(|one| one.name == name);
    found.ok_or_else(|| missing(kind, name, known.iter().map(|one| one.name.as_str())))
}

/// No document of this name.
pub fn missing<'a>(
    kind: DocumentKind,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> CliError {
    let hint = match objects::nearest(name, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("`evenkeel get {}` lists what there is", kind.plural()),
    };
    CliError::new(format!("there is no {} `{name}`", kind.as_str())).hint(hint)
}
