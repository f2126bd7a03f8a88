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
use std::collections::{BTreeMap, BTreeSet};

/// Kinds read at the same time.
const CONCURRENCY: usize = 6;

/// What to export.
pub struct Wanted {
    project: String,
    /// A kind, and where; `None`: everywhere.
    scopes: Vec<(Kind, Option<String>)>,
    /// Kinds whose API the project does not use are left out, instead of failing.
    spare_disabled: bool,
}

/// What was read.
pub struct Read {
    pub found: Vec<Found>,
    /// Google's words, and the kinds that it said them of.
    pub disabled: BTreeMap<String, BTreeSet<Kind>>,
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
            let places = locations.join(" or ");
            return Err(
                CliError::new(format!("none of these kinds is ever in {places}"))
                    .hint("give another --location, or leave it out")
                    .exit(Exit::BadInput),
            );
        }
        Ok(Wanted {
            project: project.to_owned(),
            scopes,
            spare_disabled: false,
        })
    }

    /// Leaves out the kinds whose API the project does not use.
    pub fn sparing_disabled(self) -> Self {
        Wanted {
            spare_disabled: true,
            ..self
        }
    }

    /// That there is nothing.
    pub fn nothing(&self, read: &Read) -> String {
        let disabled: BTreeSet<Kind> = read.disabled.values().flatten().copied().collect();
        let kinds: BTreeSet<Kind> = self.scopes.iter().map(|(kind, _)| *kind).collect();
        let kinds: Vec<_> = kinds
            .difference(&disabled)
            .map(|kind| kind.as_str())
            .collect();
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
    kind: Kind,
    scope: String,
    why: Result<Vec<String>, Fault>,
}

/// Everything there is.
///
/// # Errors
/// When a scope could not be read in full: each of them is said, and why.
pub async fn read(world: &World, wanted: &Wanted) -> Result<Read, CliError> {
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
    // A project without any of the APIs is more likely a wrong one.
    let spare = wanted.spare_disabled && unread.len() < wanted.scopes.len();
    let off = |one: &Unread| spare && one.disabled().is_some();
    let (off, unread): (Vec<_>, Vec<_>) = unread.into_iter().partition(off);
    if !unread.is_empty() {
        return Err(failed(wanted, &unread));
    }
    let mut disabled: BTreeMap<String, BTreeSet<Kind>> = BTreeMap::new();
    for one in &off {
        let words = one.disabled().unwrap_or_default().to_owned();
        disabled.entry(words).or_default().insert(one.kind);
    }
    Ok(Read { found, disabled })
}

impl Unread {
    /// Google's words, where the API is off.
    fn disabled(&self) -> Option<&str> {
        let fault = self.why.as_ref().err()?;
        fault.is_api_disabled().then_some(&*fault.message)
    }
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
            kind,
            scope,
            why: Err(fault),
        }),
        Ok(survey) if !survey.unreachable.is_empty() => Err(Unread {
            kind,
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
    for Unread { scope, why, .. } in unread {
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
