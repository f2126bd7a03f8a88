//! What is live, in full or not at all.

use super::build::Found;
use crate::api::{Key, Kind};
use crate::cli::exit::way_out;
use crate::cli::world::World;
use crate::cli::{CliError, Exit, out};
use crate::core::error::{Fault, FaultKind};
use crate::gcp::service::Survey;
use crate::render::message;
use futures::StreamExt;
use std::collections::BTreeSet;

/// Kinds read at the same time.
const CONCURRENCY: usize = 6;

/// What to export.
pub struct Wanted {
    project: String,
    /// A kind, and where; `None`: everywhere.
    scopes: Vec<(Kind, Option<String>)>,
}

impl Wanted {
    /// Every kind in every location, where it can be there.
    ///
    /// # Errors
    /// When none of the kinds can be in any of the locations.
    pub fn new(project: &str, kinds: Vec<Kind>, locations: &[String]) -> Result<Self, CliError> {
        let mut scopes = Vec::new();
        for kind in kinds {
            if locations.is_empty() {
                scopes.push((kind, None));
            }
            let here = locations.iter().filter(|location| kind.lives_in(location));
            scopes.extend(here.map(|location| (kind, Some(location.clone()))));
        }
        if scopes.is_empty() {
            return Err(CliError::new("none of these kinds is ever global")
                .hint("give a region with --location, or leave --location out")
                .exit(Exit::BadInput));
        }
        Ok(Wanted {
            project: project.to_owned(),
            scopes,
        })
    }

    /// That there is nothing.
    pub fn nothing(&self) -> String {
        let kinds: BTreeSet<Kind> = self.scopes.iter().map(|(kind, _)| *kind).collect();
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
        let (project, places) = (&self.project, self.places());
        format!(
            "nothing to export: {project} has no {}{places}",
            kinds.join(", no ")
        )
    }

    fn places(&self) -> String {
        let places: BTreeSet<&str> = self
            .scopes
            .iter()
            .filter_map(|(_, at)| at.as_deref())
            .collect();
        if places.is_empty() {
            return String::new();
        }
        let places: Vec<&str> = places.into_iter().collect();
        format!(" in {}", places.join(", "))
    }
}

/// A scope that was not read in full.
struct Unread {
    scope: String,
    why: Result<Vec<String>, Fault>,
}

/// Everything there is.
///
/// # Errors
/// When a scope could not be read in full: each of them is said, and why.
pub async fn read(world: &World, wanted: &Wanted) -> Result<Vec<Found>, CliError> {
    let reads = wanted
        .scopes
        .iter()
        .map(|(kind, location)| one(world, &wanted.project, *kind, location.as_deref()));
    let results: Vec<_> = futures::stream::iter(reads)
        .buffered(CONCURRENCY)
        .collect()
        .await;
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(some) => found.extend(some),
            Err(scope) => unread.push(scope),
        }
    }
    if unread.is_empty() {
        return Ok(found);
    }
    Err(failed(wanted, &unread))
}

async fn one(
    world: &World,
    project: &str,
    kind: Kind,
    location: Option<&str>,
) -> Result<Vec<Found>, Unread> {
    let scope = match location {
        Some(location) => format!("{kind} of {project} in {location}"),
        None => format!("{kind} of {project}"),
    };
    let service = world.services.of(kind);
    let survey = match location {
        Some(location) => service.survey_in(project, location).await,
        None => service.survey(project).await,
    };
    match survey {
        Err(fault) => Err(Unread {
            scope,
            why: Err(fault),
        }),
        Ok(survey) if !survey.unreachable.is_empty() => Err(Unread {
            scope,
            why: Ok(survey.unreachable),
        }),
        Ok(survey) => Ok(keyed(world, project, kind, survey)),
    }
}

fn keyed(world: &World, project: &str, kind: Kind, survey: Survey) -> Vec<Found> {
    let service = world.services.of(kind);
    let found = survey.found.into_iter();
    found
        .filter_map(|(location, raw)| {
            let key = Key {
                kind,
                project: project.to_owned(),
                location,
                name: service.name_of(&raw)?,
            };
            Some(Found { key, raw })
        })
        .collect()
}

/// Says which scopes could not be read. A part of the truth is not exported: what is missing in it
/// would look as if it were not there.
fn failed(wanted: &Wanted, unread: &[Unread]) -> CliError {
    let mut hints = BTreeSet::new();
    for Unread { scope, why } in unread {
        let what = match why {
            Ok(places) => {
                hints.insert("try again later".to_owned());
                let places: BTreeSet<&str> = places.iter().map(String::as_str).collect();
                let places: Vec<&str> = places.into_iter().collect();
                format!("GCP could not reach {}", places.join(", "))
            }
            Err(fault) => {
                hints.insert(hint(wanted, fault));
                fault.to_string()
            }
        };
        let what = format!("cannot read every {scope}: {what}");
        out::error_text(&message::error(&what, None));
    }
    // Of two hints that start alike the longer one says it all.
    let said = |hint: &String| {
        hints
            .iter()
            .any(|other| other != hint && other.starts_with(hint))
    };
    for hint in hints.iter().filter(|hint| !said(hint)) {
        out::error_text(&message::hint(hint));
    }
    out::error_text(&message::note("nothing was exported"));
    CliError::said(Exit::Failure)
}

fn hint(wanted: &Wanted, fault: &Fault) -> String {
    let project = &wanted.project;
    let somewhere = wanted.scopes.iter().any(|(_, location)| location.is_some());
    let names = if somewhere {
        format!("is {project} the project's id, and is each --location a region or `global`?")
    } else {
        format!("is {project} the project's id?")
    };
    match fault.kind {
        FaultKind::Denied if fault.code != "NO_CREDENTIALS" => format!(
            "{names} Then grant the permission, enable the API, or name the kinds to export with \
             --kind"
        ),
        FaultKind::NotFound | FaultKind::Invalid => names,
        _ => way_out(fault),
    }
}
