//! `evenkeel plan`: what a run would do, with GETs only.

mod dependencies;
mod json;
pub mod judge;

use super::args::{Gcp, Globals, PlanArgs, PlanFormat};
use super::world::{self, World};
use super::{CliError, Exit, block_on, load, out};
use crate::api::key::Scope;
use crate::api::{Declared, Key};
use crate::core::error::Fault;
use crate::core::observed::Live;
use crate::core::record::Record;

use crate::journal::{JournalError, View};
use crate::kinds::{self, SetNames};
use crate::render::plan_data::{Report, Summary, Verdict};
use crate::render::{message, plan, plan_markdown};
use crate::source::Set;
use futures::StreamExt;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// A scope with more declared resources than this is read by one LIST.
const GETS: usize = 3;
/// Scopes read at the same time.
const CONCURRENCY: usize = 8;

/// Makes the plan and prints it.
pub(super) fn run(globals: &Globals, args: &PlanArgs) -> Result<Exit, CliError> {
    let (set, paths) = declared(args)?;
    let gcp = world::wanted(&globals.gcp).map_err(|error| error.exit(Exit::Failure))?;
    let records = if globals.cluster.is_wanted() {
        by_key(super::view::View::open(globals)?.records()?)
    } else {
        records(&globals.state_path(), &gcp)?
    };
    let live = block_on(async {
        let world = world::open(&gcp, globals)?;
        let mut live = read(&world, &set.declared).await;
        look_closer(&world, &set.declared, &records, &mut live).await;
        Ok(live)
    })
    .map_err(|error: CliError| error.exit(Exit::Failure))?;
    let name = world::name(&gcp);
    let report = report(&set, &paths, &name, &live, &records);
    match args.output {
        PlanFormat::Table => out::text(&plan::table(&report, out::width()))?,
        PlanFormat::Markdown => out::text(&plan_markdown::markdown(&report))?,
        PlanFormat::Json => out::json(&json::report(&report))?,
    }
    Ok(exit(report.summary()))
}

/// The set to plan, and what to call its place.
fn declared(args: &PlanArgs) -> Result<(Set, String), CliError> {
    let Some(revision) = &args.git_ref else {
        let set = load::load_or_explain(&load::inputs(&args.paths), Exit::Failure)?;
        return Ok((set, load::names(&args.paths)));
    };
    let path = match args.paths.as_slice() {
        [] => Path::new("."),
        [path] => Path::new(path),
        _ => {
            return Err(CliError::new("one PATH at a time, with --git-ref")
                .hint("give the folder that holds them all"));
        }
    };
    Ok((at_revision(revision, path)?, path.display().to_string()))
}

#[cfg(feature = "git")]
fn at_revision(revision: &str, path: &Path) -> Result<Set, CliError> {
    load::at_revision(revision, path, Exit::Failure)
}

#[cfg(not(feature = "git"))]
fn at_revision(_: &str, _: &Path) -> Result<Set, CliError> {
    Err(CliError::new("this evenkeel was built without git")
        .hint("build it with the feature `git`, which is there by default"))
}

fn report<'a>(
    set: &'a Set,
    paths: &'a str,
    world: &'a str,
    live: &BTreeMap<Key, Live>,
    records: &HashMap<Key, Record>,
) -> Report<'a> {
    let unread = Live::Unknown(None);
    let names = names(&set.declared, live);
    let now = Timestamp::now();
    let objects = set
        .declared
        .iter()
        .map(|declared| {
            let live = live.get(&declared.key).unwrap_or(&unread);
            let record = records.get(&declared.key);
            let mut object = judge::judge(declared, &names, live, record, now);
            if matches!(object.verdict, Verdict::Change | Verdict::Create) {
                let waits = dependencies::waits(declared, &names, records);
                object.remarks.extend(waits);
            }
            object
        })
        .collect();
    Report {
        paths,
        revision: &set.revision,
        world,
        objects,
    }
}

fn exit(summary: Summary) -> Exit {
    if summary.blocked + summary.unknown > 0 {
        Exit::Failure
    } else if summary.change + summary.create > 0 {
        Exit::Changes
    } else {
        Exit::Success
    }
}

/// What the operator knows, where one has run on this state file and this GCP.
///
/// # Errors
/// The state file cannot be read.
pub fn records(state: &Path, gcp: &Gcp) -> Result<HashMap<Key, Record>, CliError> {
    let view = match View::open(state) {
        Ok(view) => view,
        Err(JournalError::Missing { .. }) => return Ok(HashMap::new()),
        Err(error) => return Err(error.into()),
    };
    let found = view.world()?;
    if found != world::name(gcp) {
        out::error_text(&message::note(&format!(
            "{} belongs to {found} and is not used here",
            state.display()
        )));
        return Ok(HashMap::new());
    }
    Ok(by_key(view.records()?))
}

fn by_key(records: Vec<Record>) -> HashMap<Key, Record> {
    let records = records.into_iter();
    records.map(|record| (record.key.clone(), record)).collect()
}

/// The names of the set as GCP has them.
fn names(declared: &[Declared], live: &BTreeMap<Key, Live>) -> SetNames {
    let mut names = SetNames::of(declared);
    for (key, live) in live {
        if let Live::Present(present) = live
            && let Some(name) = present.other_name()
        {
            names.rename(key, name);
        }
    }
    names
}

/// Reads the whole of what a procedure would change, so that the plan can name all it touches.
async fn look_closer(
    world: &World,
    declared: &[Declared],
    records: &HashMap<Key, Record>,
    live: &mut BTreeMap<Key, Live>,
) {
    let names = names(declared, live);
    let now = Timestamp::now();
    let mut declared_in: BTreeMap<Scope, usize> = BTreeMap::new();
    for one in declared {
        *declared_in.entry(one.key.scope()).or_default() += 1;
    }
    for one in declared {
        let key = &one.key;
        let Some(procedures) = kinds::of(key.kind).rules().procedures else {
            continue;
        };
        let listed = declared_in.get(&key.scope()).is_some_and(|n| *n > GETS);
        let known = match live.get(key) {
            Some(Live::Present(present)) => Some(&**present),
            Some(Live::Absent) if procedures.always => None,
            _ => continue,
        };
        if !procedures.looks_around
            || procedures.always && !listed
            || !judge::takes_a_procedure(one, &names, known, records.get(key), now)
        {
            continue;
        }
        let service = world.services.of(key.kind);
        let found = service
            .get_whole(&key.project, &key.location, &key.name)
            .await;
        live.insert(key.clone(), as_live(key, found));
    }
}

/// The live side of every declared resource.
async fn read(world: &World, declared: &[Declared]) -> BTreeMap<Key, Live> {
    let mut scopes: BTreeMap<Scope, Vec<&Key>> = BTreeMap::new();
    for one in declared {
        scopes.entry(one.key.scope()).or_default().push(&one.key);
    }
    let reads = scopes
        .into_iter()
        .map(|(scope, keys)| read_scope(world, scope, keys));
    let found: Vec<_> = futures::stream::iter(reads)
        .buffer_unordered(CONCURRENCY)
        .collect()
        .await;
    found.into_iter().flatten().collect()
}

async fn read_scope(world: &World, scope: Scope, keys: Vec<&Key>) -> Vec<(Key, Live)> {
    if keys.len() > GETS {
        return list(world, &scope, keys).await;
    }
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.push((key.clone(), get(world, key).await));
    }
    found
}

/// One resource as it is.
pub async fn get(world: &World, key: &Key) -> Live {
    let service = world.services.of(key.kind);
    as_live(
        key,
        service.get(&key.project, &key.location, &key.name).await,
    )
}

fn as_live(key: &Key, found: Result<Option<Value>, Fault>) -> Live {
    match found {
        Ok(Some(raw)) => Live::Present(Box::new(kinds::of(key.kind).live(raw))),
        Ok(None) => Live::Absent,
        Err(fault) => Live::Unknown(Some(fault)),
    }
}

async fn list(world: &World, scope: &Scope, keys: Vec<&Key>) -> Vec<(Key, Live)> {
    let service = world.services.of(scope.kind);
    let listing = match service.list(&scope.project, &scope.location).await {
        Ok(listing) => listing,
        Err(fault) => {
            let unknown = |key: &Key| (key.clone(), Live::Unknown(Some(fault.clone())));
            return keys.into_iter().map(unknown).collect();
        }
    };
    let missing = if listing.unreachable {
        // A scope that was not reached in full is never "gone".
        Live::Unknown(None)
    } else {
        Live::Absent
    };
    let items: HashMap<String, _> = listing
        .items
        .into_iter()
        .filter_map(|item| Some((service.name_of(&item)?, item)))
        .collect();
    let kind = kinds::of(scope.kind);
    keys.into_iter()
        .map(|key| {
            let live = items.get(&key.name).map_or_else(
                || missing.clone(),
                |item| Live::Present(Box::new(kind.live(item.clone()))),
            );
            (key.clone(), live)
        })
        .collect()
}
