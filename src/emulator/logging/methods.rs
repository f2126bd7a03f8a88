//! Searching for entries.
//!
//! A search looks at a bounded stretch of time and gives up there, with what it found so far and a token to go on
//! with: "if a value for nextPageToken appears and the entries field is empty, it means that the search found no
//! log entries so far but it did not have time to search all the possible log entries".

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::audit;
use super::entry::INGEST;
use super::filter::Filter;
use super::writers::{SPAN, SPAN_SECONDS, Span};
use crate::emulator::api::Request;
use crate::emulator::errors::ApiError;
use crate::emulator::messages::int32;
use crate::emulator::query::{open_token, seal_token};
use crate::emulator::timing::{earlier, later};
use crate::emulator::world::World;

/// "Number of entries.list requests: 60 per minute, per Google Cloud project", not to be raised ("Quotas and limits").
const READS_PER_MINUTE: u64 = 60;

/// "Default is 50"; more than 1000 are not given at once.
const PAGE_DEFAULT: usize = 50;
const PAGE_MAX: usize = 1_000;

/// "A maximum of 100 resources may be specified in a single request."
const RESOURCES_MAX: usize = 100;

/// One search looks at this many spans: an hour.
const SPANS_MAX: i64 = 360;

pub(super) fn list(world: &mut World, request: &Request) -> Result<Value, ApiError> {
    let body = &request.body;
    let projects = projects(body)?;
    for project in &projects {
        if !world.knows_project(project) {
            return Err(denied(project));
        }
        let (api, clock) = (request.route.api, world.clock);
        world
            .meter
            .charge_project(clock, api, project, READS_PER_MINUTE)?;
    }
    let filter = Filter::read(text(body, "filter"))?;
    let newest_first = match text(body, "orderBy") {
        "" | "timestamp asc" | "timestamp" => false,
        "timestamp desc" => true,
        other => {
            let message = format!(
                "orderBy must be \"timestamp asc\" or \"timestamp desc\", got \"{other}\"."
            );
            return Err(ApiError::invalid(message));
        }
    };
    let size = size(body)?;
    world.watch(world.clock);
    let search = Search {
        world,
        projects: &projects,
        seen_at: request.view.at,
        newest_first,
        filter: &filter,
    };
    let parent = format!(
        "{}{}{projects:?}",
        text(body, "filter"),
        text(body, "orderBy")
    );
    let from = match text(body, "pageToken") {
        "" => None,
        token => Some(Place::read(&open_token(token, &parent)?)?),
    };
    let (entries, next) = search.run(from, size);
    let mut reply = json!({});
    if !entries.is_empty() {
        reply["entries"] = entries.into();
    }
    if let Some(next) = next {
        reply["nextPageToken"] = seal_token(&next.text(), &parent).into();
    }
    Ok(reply)
}

fn text<'a>(body: &'a Map<String, Value>, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The ids of the projects to search. Other containers, and views, are not emulated.
fn projects(body: &Map<String, Value>) -> Result<Vec<String>, ApiError> {
    let list = |name: &str| {
        body.get(name)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let names = list("resourceNames").into_iter();
    let ids = list("projectIds")
        .into_iter()
        .filter_map(|id| Some(format!("projects/{}", id.as_str()?)));
    let names: Vec<String> = names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .chain(ids)
        .collect();
    if names.is_empty() || names.len() > RESOURCES_MAX {
        let message = "resourceNames must name between 1 and 100 resources to list entries from.";
        return Err(ApiError::invalid(message));
    }
    let project = |name: &String| match name.split('/').collect::<Vec<_>>()[..] {
        ["projects", project] if !project.is_empty() => Ok(project.to_owned()),
        _ => Err(ApiError::invalid(format!(
            "Invalid resource name \"{name}\": only projects can be searched here."
        ))),
    };
    names.iter().map(project).collect()
}

fn denied(project: &str) -> ApiError {
    let metadata =
        json!({"permission": "logging.logEntries.list", "resource": format!("projects/{project}")});
    ApiError::new(403, "Permission denied for all log views").with_info(
        "IAM_PERMISSION_DENIED",
        "logging.googleapis.com",
        &metadata,
    )
}

fn size(body: &Map<String, Value>) -> Result<usize, ApiError> {
    let size = body.get("pageSize").and_then(int32).unwrap_or_default();
    match usize::try_from(size) {
        Ok(0) => Ok(PAGE_DEFAULT),
        Ok(size) => Ok(size.min(PAGE_MAX)),
        Err(_) => Err(ApiError::invalid("page_size must not be negative.")),
    }
}

/// Where a search goes on: a span by its number, and how many of its entries are done.
#[derive(Debug, Clone, Copy)]
struct Place {
    span: i64,
    done: usize,
}

impl Place {
    fn text(self) -> String {
        format!("{}:{}", self.span, self.done)
    }

    fn read(text: &str) -> Result<Self, ApiError> {
        let read = || {
            let (span, done) = text.split_once(':')?;
            Some(Self {
                span: span.parse().ok()?,
                done: done.parse().ok()?,
            })
        };
        read().ok_or_else(|| ApiError::invalid("The page token is invalid."))
    }
}

struct Search<'a> {
    world: &'a World,
    projects: &'a [String],
    seen_at: Timestamp,
    newest_first: bool,
    filter: &'a Filter,
}

impl Search<'_> {
    fn run(&self, from: Option<Place>, size: usize) -> (Vec<Value>, Option<Place>) {
        let (first, last) = self.bounds();
        let step = if self.newest_first { -1 } else { 1 };
        let start = if self.newest_first { last } else { first };
        let mut place = from.unwrap_or(Place {
            span: start,
            done: 0,
        });
        let mut found = Vec::new();
        for _ in 0..SPANS_MAX {
            if !(first..=last).contains(&place.span) {
                return (found, None);
            }
            let entries = self.span(place.span);
            for entry in entries.iter().skip(place.done) {
                if found.len() == size {
                    return (found, Some(place));
                }
                found.push(entry.clone());
                place.done += 1;
            }
            place = Place {
                span: place.span + step,
                done: 0,
            };
        }
        let more = (first..=last).contains(&place.span);
        (found, more.then_some(place))
    }

    /// The first and the last span that may hold something.
    fn bounds(&self) -> (i64, i64) {
        let number = |at: Timestamp| at.as_second().div_euclid(SPAN_SECONDS);
        let began = self.world.traffic_began().min(self.world.clock);
        let from = self.filter.from.unwrap_or(began).max(began);
        let newest = earlier(self.seen_at, INGEST);
        let to = self.filter.to.unwrap_or(newest).min(newest);
        (number(from), number(to))
    }

    /// What the filter takes of a span, in order.
    fn span(&self, number: i64) -> Vec<Value> {
        let Ok(from) = Timestamp::from_second(number * SPAN_SECONDS) else {
            return Vec::new();
        };
        let load = self.world.load_at(from);
        let written = load.map(|load| {
            Span {
                world: self.world,
                load: &load,
                from,
            }
            .entries(self.filter.kind.as_deref())
        });
        let mut entries = written.unwrap_or_default();
        entries.extend(audit::entries(self.world, from, later(from, SPAN)));
        let newest = earlier(self.seen_at, INGEST);
        let has_come = |entry: &Value| {
            let at = text_of(entry, "timestamp").parse::<Timestamp>();
            at.is_ok_and(|at| at <= newest)
        };
        let prefixes: Vec<String> = self
            .projects
            .iter()
            .map(|p| format!("projects/{p}/"))
            .collect();
        let asked = |entry: &Value| {
            prefixes
                .iter()
                .any(|prefix| text_of(entry, "logName").starts_with(prefix))
        };
        entries.retain(|entry| asked(entry) && has_come(entry) && self.filter.takes(entry));
        entries.sort_by(|one, other| key(one).cmp(&key(other)));
        if self.newest_first {
            entries.reverse();
        }
        entries
    }
}

fn text_of<'a>(entry: &'a Value, name: &str) -> &'a str {
    entry[name].as_str().unwrap_or_default()
}

/// "Entries with equal timestamps are returned in order of their insertId values."
fn key(entry: &Value) -> (Option<Timestamp>, &str) {
    let at = text_of(entry, "timestamp").parse().ok();
    (at, text_of(entry, "insertId"))
}
