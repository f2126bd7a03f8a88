//! `evenkeel export`: what is live as manifests, with GETs only.

mod build;
mod files;
mod read;

pub use build::{Exported, Found, Manifest, build};

use super::args::{ExportArgs, Globals, ManifestFormat};
use super::load::KindRules;
use super::{CliError, Exit, block_on, objects, out, world};
use crate::api::{Declared, Key, Kind, Reference};
use crate::core::fields::Fields;
use crate::kinds::{self, SetNames};
use crate::render::{export as words, manifest, message};
use crate::source::{self, Check};
use read::Wanted;

/// Reads, writes the manifests, and says what is not in them.
pub(super) fn run(globals: &Globals, args: &ExportArgs) -> Result<Exit, CliError> {
    let mut wanted = wanted(args)?;
    let gcp = world::wanted(&globals.gcp)?;
    let lender = globals.gcp.quota_project.as_ref();
    // What another project does not use says nothing about this one.
    if args.kind.is_empty() && lender.is_none_or(|lender| *lender == args.project) {
        wanted = wanted.sparing_disabled();
    }
    let read = block_on(async {
        let world = world::open(&gcp, globals)?;
        read::read(&world, &wanted).await
    })?;
    let tail = read.found.is_empty().then(|| wanted.nothing(&read));
    let exported = build(read.found);
    let texts = texts(&exported.manifests, args.format)?;
    match &args.output {
        Some(folder) => {
            let files = files::plan(folder, &exported.manifests, texts, args.format);
            files::write(folder, &files, args.force)?;
        }
        None => print(&stream(&texts, args.format))?,
    }
    for one in &exported.manifests {
        out::error_text(&words::remarks(&one.declared, &one.remarks));
    }
    out::error_text(&words::left_out(&exported.left_out));
    out::error_text(&words::skipped(&exported.skipped));
    out::error_text(&words::disabled(&read.disabled, &args.project));
    let sum = || words::sum(exported.manifests.iter().map(|one| &one.declared.key));
    out::error_text(&message::note(&tail.unwrap_or_else(sum)));
    Ok(Exit::Success)
}

fn print(text: &str) -> Result<(), CliError> {
    out::text(text)?;
    if text.len() > source::FILE_LIMIT {
        let note = "one file may hold 1 MiB, and this is more: write it with --output DIR";
        out::error_text(&message::note(note));
    }
    Ok(())
}

fn wanted(args: &ExportArgs) -> Result<Wanted, CliError> {
    let bad = |error: CliError| error.exit(Exit::BadInput);
    let mut kinds = Vec::new();
    for text in &args.kind {
        kinds.push(objects::kind(text).map_err(bad)?);
    }
    if kinds.is_empty() {
        kinds = Kind::ALL.to_vec();
    }
    kinds.sort_unstable();
    kinds.dedup();
    let mut locations = args.location.clone();
    locations.sort_unstable();
    locations.dedup();
    check_names(&args.project, &locations)?;
    Wanted::new(&args.project, kinds, &locations)
}

/// A project or location that no manifest could name is a slip; GCP would call it a missing
/// permission.
fn check_names(project: &str, locations: &[String]) -> Result<(), CliError> {
    let any = ["global".to_owned()];
    let locations = if locations.is_empty() {
        &any
    } else {
        locations
    };
    for location in locations {
        let draft = build::draft(Key {
            kind: Kind::HealthCheck,
            project: project.to_owned(),
            location: location.clone(),
            name: "any".to_owned(),
        });
        let refusals = source::refusals(&draft, &source::NoCheck);
        if let Some(refusal) = refusals.into_iter().next() {
            return Err(CliError::new(refusal.message)
                .hint(refusal.help)
                .exit(Exit::BadInput));
        }
    }
    Ok(())
}

fn texts(manifests: &[Manifest], format: ManifestFormat) -> Result<Vec<String>, CliError> {
    let write = |one: &Manifest| {
        let text = match format {
            ManifestFormat::Yaml => manifest::yaml(&one.declared, &one.remarks),
            ManifestFormat::Json => manifest::json(&one.declared),
        };
        text.map_err(|error| defect(&one.declared, &error))
    };
    let texts: Vec<String> = manifests.iter().map(write).collect::<Result<_, _>>()?;
    for (one, text) in manifests.iter().zip(&texts) {
        read_back(&one.declared, text)?;
    }
    Ok(texts)
}

/// What is written must load as what was meant, before anybody relies on it.
fn read_back(meant: &Declared, text: &str) -> Result<(), CliError> {
    struct Alone;
    impl Check for Alone {
        fn check(&self, declared: &Declared) -> Vec<crate::api::Finding> {
            KindRules.check(declared)
        }
    }
    let read = source::load_bytes("export", text.as_bytes().to_vec(), &Alone);
    let set = read.map_err(|errors| defect(meant, &errors.render(false)))?;
    let same = |read: &Declared| read.key == meant.key && says(read) == says(meant);
    match set.declared.as_slice() {
        [one] if same(one) => Ok(()),
        _ => Err(defect(meant, "it reads back as something else")),
    }
}

/// What a manifest declares, whatever the spelling: `1` and `1.0` are one.
fn says(declared: &Declared) -> (Fields, Vec<Reference>) {
    let kind = kinds::of(declared.key.kind);
    let fields = kind.declared(declared, &SetNames::of(&[]));
    (fields, kind.references(declared))
}

fn defect(declared: &Declared, what: &str) -> CliError {
    CliError::new(format!(
        "the manifest of {} cannot be written: {what}",
        declared.key
    ))
    .hint("this is a defect of evenkeel: please report it; --kind leaves the others out")
}

fn stream(texts: &[String], format: ManifestFormat) -> String {
    match format {
        _ if texts.is_empty() => String::new(),
        ManifestFormat::Yaml => manifest::yaml_stream(texts),
        ManifestFormat::Json => manifest::json_list(texts),
    }
}
