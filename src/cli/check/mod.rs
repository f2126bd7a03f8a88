//! `evenkeel check`: the health report of the declared checks, from probes that are made now.

mod load;
mod probe;
mod resource;

use super::args::{CheckArgs, CheckVerb, GetFormat, Globals};
use super::run::screen;
use super::run::signals::Signals;
use super::{CliError, Exit, block_on, get, load as manifests, objects, out};
use crate::api::{CheckSpec, Declared, Document};
use crate::core::health::{self, Health};
use crate::render;
use crate::source::Set;
use jiff::Timestamp;
use probe::{Place, Probed, Rig};
use std::collections::BTreeSet;

/// Runs the verb, or the one below it.
pub fn run(globals: &Globals, args: &CheckArgs) -> Result<Exit, CliError> {
    if let Some(CheckVerb::Run(args)) = &args.verb {
        return load::run(globals, args);
    }
    let set = manifests::load_or_explain(&manifests::inputs(&args.paths), Exit::BadInput)?;
    let declared = set.declared.clone();
    let mut checks = in_focus(set, args)?;
    if globals.gcp.gcp.is_none() {
        checks = without_resources(checks)?;
    }
    block_on(report(globals, args, (checks, declared)))
}

/// The checks of the component in focus, all of them where none is.
fn in_focus(set: Set, args: &CheckArgs) -> Result<Vec<Document<CheckSpec>>, CliError> {
    let place = manifests::names(&args.paths);
    let wrong = |what: String, hint: String| {
        let error = CliError::new(what).hint(hint).exit(Exit::BadInput);
        Err(error)
    };
    if set.checks.is_empty() {
        let what = format!("there is no Check in {place}");
        return wrong(
            what,
            "manifests/examples/checks.yaml has some to start from".to_owned(),
        );
    }
    let Some(focus) = &args.focus else {
        return Ok(set.checks);
    };
    let wanted = focus.replace('-', "_").to_lowercase();
    let known: BTreeSet<_> = set
        .checks
        .iter()
        .map(|check| health::component(&check.spec))
        .collect();
    if !known.contains(&wanted) {
        let known: Vec<_> = known.iter().map(|name| name.replace('_', "-")).collect();
        let hint = match objects::nearest(focus, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are checks of {}", known.join(", ")),
        };
        return wrong(format!("no Check in {place} is about `{focus}`"), hint);
    }
    let about = |check: &Document<CheckSpec>| health::component(&check.spec) == wanted;
    Ok(set.checks.into_iter().filter(about).collect())
}

/// Without those of managed resources: nobody said which Google has them.
fn without_resources(
    checks: Vec<Document<CheckSpec>>,
) -> Result<Vec<Document<CheckSpec>>, CliError> {
    let (left_out, kept): (Vec<_>, Vec<_>) = checks
        .into_iter()
        .partition(|check| check.spec.resource.is_some());
    if left_out.is_empty() {
        return Ok(kept);
    }
    let names: Vec<_> = left_out.iter().map(|check| check.name.as_str()).collect();
    let text = format!(
        "left out: {}; checks of managed resources ask Google: say which with --gcp",
        names.join(", ")
    );
    if kept.is_empty() {
        let hint = "--gcp live means Google; --gcp emulator tries it without a cloud";
        return Err(CliError::new(text).hint(hint).exit(Exit::BadInput));
    }
    out::error_text(&render::message::note(&text));
    Ok(kept)
}

async fn report(
    globals: &Globals,
    args: &CheckArgs,
    (checks, declared): (Vec<Document<CheckSpec>>, Vec<Declared>),
) -> Result<Exit, CliError> {
    let rig = Rig::new(
        globals,
        Place {
            config: args.config.as_deref(),
            secrets: args.secrets.as_deref(),
        },
        &checks,
        &declared,
    )
    .await?;
    let mut signals = Signals::new()?;
    let mut exit = Exit::Interrupted;
    loop {
        screen::show(Some(format!("probing {} check(s)", checks.len())));
        let probed = tokio::select! {
            probed = rig.probe_all(&checks) => probed,
            () = signals.next() => return Ok(exit),
        };
        screen::show(None);
        let looks: Vec<_> = probed.iter().map(Probed::look).collect();
        let health = health::report(&looks, Vec::new(), Timestamp::now());
        print(&health, args)?;
        exit = if health.state.is_good() {
            Exit::Success
        } else {
            Exit::Failure
        };
        if args.once {
            return Ok(exit);
        }
        tokio::select! {
            () = tokio::time::sleep(args.interval.0) => {}
            () = signals.next() => return Ok(exit),
        }
    }
}

/// One report. Those that follow each other are documents of YAML, or lines of JSON.
fn print(health: &Health, args: &CheckArgs) -> Result<(), CliError> {
    let wide = args.output == GetFormat::Wide;
    match args.output {
        GetFormat::Table | GetFormat::Wide if args.once => {
            out::text(&render::health::report(health, wide, out::width()))
        }
        GetFormat::Table | GetFormat::Wide => {
            out::text(&render::health::next(health, wide, out::width()))
        }
        GetFormat::Json if args.once => out::json(health),
        GetFormat::Json => out::line(&serde_json::json!(health).to_string()),
        GetFormat::Yaml if args.once => out::text(&get::yaml(health)?),
        GetFormat::Yaml => out::text(&format!("---\n{}", get::yaml(health)?)),
    }
}
