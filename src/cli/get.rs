//! `evenkeel get`: what the operator knows, from its state file.

use super::args::{GetArgs, GetFormat, Globals};
use super::{CliError, Exit, documents, objects, out};
use crate::api::Kind;
use crate::cli::view::View;
use crate::core::record::Record;
use crate::render::message;
use crate::render::objects::{Layout, Object, list};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Time between two looks with `--watch`.
const LOOK: Duration = Duration::from_millis(300);

/// Prints the list, and with `--watch` what changes in it.
pub fn run(globals: &Globals, args: &GetArgs) -> Result<Exit, CliError> {
    if let Some((kind, names)) = documents::wanted(args) {
        return documents::get(globals, args, kind, &names);
    }
    let wanted = Wanted::parse(args)?;
    let view = objects::open(globals)?;
    let records = wanted.records(&view)?;
    if args.watch {
        return watch(&view, &wanted, args.output, records);
    }
    if records.is_empty() && matches!(args.output, GetFormat::Table | GetFormat::Wide) {
        out::error_text(&message::note("nothing is managed yet"));
        out::error_text(&message::hint(
            "`evenkeel run PATH` manages what its manifests declare",
        ));
        return Ok(Exit::Success);
    }
    print(&records, args.output, wanted.is_single(), true)?;
    Ok(Exit::Success)
}

/// What is asked for.
struct Wanted {
    kind: Option<Kind>,
    names: Vec<String>,
}

impl Wanted {
    fn parse(args: &GetArgs) -> Result<Self, CliError> {
        let Some(first) = args.kind.as_deref().filter(|kind| *kind != "all") else {
            return Ok(Wanted {
                kind: None,
                names: Vec::new(),
            });
        };
        if !first.contains('/') {
            return Ok(Wanted {
                kind: Some(objects::kind(first)?),
                names: args.names.clone(),
            });
        }
        let (kind, name) = objects::split(&[first.to_owned()])?;
        let mut names = vec![name];
        for other in &args.names {
            let (other_kind, name) = objects::split(std::slice::from_ref(other))?;
            if other_kind != kind {
                return Err(CliError::new("several kinds at once")
                    .hint("ask for one kind, or for everything with `evenkeel get`"));
            }
            names.push(name);
        }
        Ok(Wanted {
            kind: Some(kind),
            names,
        })
    }

    fn is_single(&self) -> bool {
        self.names.len() == 1
    }

    fn records(&self, view: &View) -> Result<Vec<Record>, CliError> {
        let all = view.records()?;
        let Some(kind) = self.kind else {
            return Ok(all);
        };
        if self.names.is_empty() {
            return Ok(all.into_iter().filter(|r| r.key.kind == kind).collect());
        }
        self.names
            .iter()
            .map(|name| objects::named(all.clone(), kind, name))
            .collect()
    }
}

fn print(records: &[Record], form: GetFormat, single: bool, head: bool) -> Result<(), CliError> {
    match form {
        GetFormat::Table | GetFormat::Wide => out::text(&table(records, form, head)),
        GetFormat::Json => out::json(&as_value(records, single)),
        GetFormat::Yaml => out::text(&yaml(&as_value(records, single))?),
    }
}

fn table(records: &[Record], form: GetFormat, head: bool) -> String {
    let objects: Vec<_> = records
        .iter()
        .map(|record| Object {
            key: &record.key,
            name: &record.name,
            generation: record.generation,
            revision: record.revision,
            status: &record.status,
        })
        .collect();
    let layout = Layout {
        wide: form == GetFormat::Wide,
        head,
        now: Timestamp::now(),
        width: out::width(),
    };
    list(&objects, layout)
}

fn as_value(records: &[Record], single: bool) -> Value {
    match records {
        [record] if single => objects::as_object(record),
        all => json!({
            "apiVersion": "v1",
            "kind": "List",
            "items": all.iter().map(objects::as_object).collect::<Vec<_>>(),
        }),
    }
}

pub fn yaml(value: &impl Serialize) -> Result<String, CliError> {
    let mut options = serde_saphyr::SerializerOptions::default();
    options.prefer_block_scalars = false;
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options)
        .map_err(|error| CliError::new(format!("cannot be written as YAML: {error}")))?;
    Ok(text)
}

/// Prints a row for each resource whose status changed, until a signal.
fn watch(
    view: &View,
    wanted: &Wanted,
    form: GetFormat,
    first: Vec<Record>,
) -> Result<Exit, CliError> {
    print(&first, form, wanted.is_single(), true)?;
    let mut seen: BTreeMap<_, _> = first
        .into_iter()
        .map(|record| (record.key.clone(), record.status))
        .collect();
    loop {
        std::thread::sleep(LOOK);
        let changed: Vec<Record> = wanted
            .records(view)?
            .into_iter()
            .filter(|record| seen.get(&record.key) != Some(&record.status))
            .collect();
        for record in &changed {
            seen.insert(record.key.clone(), record.status.clone());
        }
        if !changed.is_empty() {
            print(&changed, form, wanted.is_single(), false)?;
        }
    }
}
