//! Finding resources in the state file by what people type.

use super::args::Globals;
use super::{CliError, Exit};
use crate::api::{API_VERSION, Kind};
use crate::cli::view::View;
use crate::core::record::Record;
use serde_json::{Value, json};

/// What people may have typed: kinds, with all their names.
fn known_kinds() -> String {
    let names: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| format!("{} ({})", kind.plural(), kind.short_name()))
        .collect();
    names.join(", ")
}

/// A kind by any of its names.
///
/// # Errors
/// Unknown, with the nearest one there is.
pub fn kind(text: &str) -> Result<Kind, CliError> {
    Kind::parse(text).ok_or_else(|| {
        let words = Kind::ALL
            .iter()
            .flat_map(|kind| [kind.as_str(), kind.plural(), kind.short_name()]);
        let hint = match nearest(text, words) {
            Some(word) => format!("did you mean `{word}`? Known: {}", known_kinds()),
            None => format!("known: {}", known_kinds()),
        };
        CliError::new(format!("there is no kind `{text}`"))
            .hint(hint)
            .exit(Exit::Failure)
    })
}

/// What the operator remembers, for reading.
///
/// # Errors
/// There is none, or it cannot be used.
pub fn open(globals: &Globals) -> Result<View, CliError> {
    View::open(globals)
}

/// `KIND/NAME`, or `KIND NAME`.
///
/// # Errors
/// Neither, or an unknown kind.
pub fn split(words: &[String]) -> Result<(Kind, String), CliError> {
    match words {
        [both] => match both.split_once('/') {
            Some((first, name)) if !name.is_empty() => Ok((kind(first)?, name.to_owned())),
            _ => Err(CliError::new(format!("`{both}` names no resource"))
                .hint("write KIND/NAME, such as vac/staging-connector")
                .exit(Exit::BadInput)),
        },
        [first, name] => Ok((kind(first)?, name.clone())),
        _ => Err(CliError::new("one resource, please")
            .hint("write KIND/NAME, such as vac/staging-connector")
            .exit(Exit::BadInput)),
    }
}

/// The one resource that the words name.
///
/// # Errors
/// None, with the nearest one the state knows, or several.
pub fn one(view: &View, words: &[String]) -> Result<Record, CliError> {
    let (kind, name) = split(words)?;
    named(view.records()?, kind, &name)
}

/// The one record of this kind and name.
///
/// # Errors
/// As [`one`].
pub fn named(records: Vec<Record>, kind: Kind, name: &str) -> Result<Record, CliError> {
    let (mut found, others): (Vec<_>, Vec<_>) = records
        .into_iter()
        .partition(|record| record.key.kind == kind && answers_to(record, name));
    match (found.pop(), found.len()) {
        (Some(record), 0) => Ok(record),
        (Some(_), _) => Err(CliError::new(format!("several {kind}s are named {name}"))
            .hint("write the whole name: PROJECT/LOCATION/NAME")),
        (None, _) => {
            let names = others.iter().map(|record| record.name.as_str());
            let hint = match nearest(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None if others.is_empty() => "nothing is managed yet: `evenkeel run`".to_owned(),
                None => "`evenkeel get` lists what there is".to_owned(),
            };
            Err(CliError::new(format!("there is no {kind} `{name}`")).hint(hint))
        }
    }
}

/// `metadata.name`, the name in GCP, or `PROJECT/LOCATION/NAME`.
fn answers_to(record: &Record, name: &str) -> bool {
    let key = &record.key;
    record.name == name
        || key.name == name
        || format!("{}/{}/{}", key.project, key.location, key.name) == name
}

/// The known name nearest to a word, when it is near enough to be a slip.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .map(|name| {
            (
                strsim::damerau_levenshtein(&word, &name.to_lowercase()),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A record as a Kubernetes object. Of the spec, the state file knows the identity.
#[must_use]
pub fn as_object(record: &Record) -> Value {
    json!({
        "apiVersion": API_VERSION,
        "kind": record.key.kind,
        "metadata": {"name": record.name, "generation": record.generation},
        "spec": {
            "project": record.key.project,
            "location": record.key.location,
            "resourceName": record.key.name,
        },
        "status": record.status,
    })
}
