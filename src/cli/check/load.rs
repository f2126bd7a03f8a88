//! `evenkeel check run`: one check, with as much load as asked for.

use super::probe::{Place, Rig, evaluate};
use crate::api::probe::{Load, SAMPLES_LIMIT};
use crate::api::{CheckSpec, Document, HumanDuration, Source};
use crate::check::{Ask, Prober as _, Progress};
use crate::cli::args::{CheckRunArgs, GetFormat, Globals};
use crate::cli::run::{screen, signals::Signals};
use crate::cli::{CliError, Exit, block_on, get, load as manifests, objects, out};
use crate::core::check::{ProberError, Verdict, Window};
use crate::core::health::load::{self, Effort, LoadReport};
use crate::render;
use crate::source::Set;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(200);
/// Requests that are counted are sent for so long at most.
const LONGEST: Duration = Duration::from_hours(1);
/// Most HTTP requests at the same time.
const HTTP_LIMIT: u32 = 200;

/// Runs the verb.
pub fn run(globals: &Globals, args: &CheckRunArgs) -> Result<Exit, CliError> {
    let set = manifests::load_or_explain(&manifests::inputs(&args.paths), Exit::BadInput)?;
    let check = named(&set, args)?;
    let test = Test::of(check, args)?;
    block_on(carry_out(globals, args, test))
}

fn named<'a>(set: &'a Set, args: &CheckRunArgs) -> Result<&'a Document<CheckSpec>, CliError> {
    let mut checks = set.checks.iter();
    checks.find(|check| check.name == args.name).ok_or_else(|| {
        let names = set.checks.iter().map(|check| &*check.name);
        let hint = match objects::nearest(&args.name, names.clone()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if set.checks.is_empty() => "there is none at all".to_owned(),
            None => format!("there are {}", names.collect::<Vec<_>>().join(", ")),
        };
        let place = manifests::names(&args.paths);
        CliError::new(format!("there is no Check `{}` in {place}", args.name))
            .hint(hint)
            .exit(Exit::BadInput)
    })
}

/// A check with its load, and how often it is probed.
#[derive(Debug)]
struct Test {
    check: Document<CheckSpec>,
    concurrency: u32,
    /// Samples of all rounds; `None`: one round, or as many as fit into the time.
    requests: Option<u32>,
    duration: Option<Duration>,
}

impl Test {
    fn of(check: &Document<CheckSpec>, args: &CheckRunArgs) -> Result<Self, CliError> {
        let test = |concurrency, rounds: bool| Test {
            concurrency,
            requests: args.requests.filter(|_| rounds),
            duration: args.duration.map(|given| given.0).filter(|_| rounds),
            check: check.clone(),
        };
        let refused =
            |what: String, hint: &str| Err(CliError::new(what).hint(hint).exit(Exit::BadInput));
        let written = at_once(&check.spec);
        let concurrency = args.concurrency.unwrap_or(written);
        match check.spec.source() {
            Some(Source::Http(http)) => {
                if concurrency > HTTP_LIMIT {
                    return refused(
                        format!("--concurrency {concurrency}: http takes at most {HTTP_LIMIT}"),
                        "run it from several machines for more",
                    );
                }
                let load = http_load(http.load.as_ref(), concurrency, args);
                let longest = load.duration.map_or(LONGEST, |duration| duration.0);
                let mut test = test(concurrency, false);
                test.check.spec.interval = HumanDuration(longest);
                if let Some(http) = test.check.spec.http.as_mut() {
                    http.load = Some(load);
                }
                Ok(test)
            }
            Some(Source::Dns(_)) if args.concurrency.is_some() => refused(
                "--concurrency: dns asks each server once a round".to_owned(),
                "--requests and --duration ask again and again",
            ),
            Some(Source::Tls(_) | Source::Tcp(_) | Source::Postgres(_) | Source::Dns(_)) => {
                Ok(test(concurrency, true))
            }
            source => {
                let name = source.map_or("it", Source::as_str);
                let what = format!("Check {} takes no load: {name} asks Google", check.name);
                refused(what, "`evenkeel check --once` shows what it says")
            }
        }
    }

    /// The size of the next round; `None`: it is over.
    fn next_round(&self, samples: u64, since: Instant) -> Option<u32> {
        let samples = u32::try_from(samples).unwrap_or(u32::MAX);
        let left = match (self.requests, self.duration) {
            (Some(requests), _) => requests.saturating_sub(samples),
            (None, Some(duration)) if since.elapsed() < duration => SAMPLES_LIMIT - samples,
            (None, None) if samples == 0 => self.concurrency,
            _ => 0,
        };
        let size = self.concurrency.min(left);
        (size > 0).then_some(size)
    }
}

/// Samples at the same time, as the check has it.
fn at_once(spec: &CheckSpec) -> u32 {
    match spec.source() {
        Some(Source::Http(http)) => http.load.as_ref().map_or(1, |load| load.concurrency),
        Some(Source::Tls(tls)) => tls.concurrency,
        Some(Source::Tcp(tcp)) => tcp.connections,
        Some(Source::Postgres(postgres)) => postgres.connections,
        _ => 1,
    }
}

fn http_load(written: Option<&Load>, concurrency: u32, args: &CheckRunArgs) -> Load {
    let (requests, duration) = match (args.requests, args.duration, written) {
        (Some(requests), ..) => (Some(requests), None),
        (None, Some(duration), _) => (None, Some(duration)),
        (None, None, Some(load)) => (load.requests, load.duration),
        (None, None, None) => (Some(concurrency), None),
    };
    Load {
        concurrency,
        requests,
        duration,
    }
}

/// The same check with rounds of this size.
fn sized(spec: &CheckSpec, size: u32) -> CheckSpec {
    let mut spec = spec.clone();
    if let Some(tls) = spec.tls.as_mut() {
        tls.concurrency = size;
    }
    if let Some(tcp) = spec.tcp.as_mut() {
        tcp.connections = size;
    }
    if let Some(postgres) = spec.postgres.as_mut() {
        postgres.connections = size;
    }
    spec
}

async fn carry_out(globals: &Globals, args: &CheckRunArgs, test: Test) -> Result<Exit, CliError> {
    let rig = Rig::new(
        globals,
        Place {
            config: args.config.as_deref(),
            secrets: args.secrets.as_deref(),
        },
        [&test.check],
        &[],
    )
    .await?;
    let mut signals = Signals::new()?;
    let (started_at, began) = (Timestamp::now(), Instant::now());
    let progress = Arc::new(Progress::default());
    let rig = rig.watched(&progress);
    let outcome = tokio::select! {
        outcome = rounds(&rig, &test, began, &progress) => Some(outcome),
        () = show(&test, began, &progress) => None,
        () = signals.next() => None,
    };
    screen::show(None);
    let stopped = outcome.is_none();
    // What was measured until then is worth something.
    let outcome = outcome.unwrap_or_else(|| Ok(progress.window()));
    let effort = Effort {
        started_at,
        took: began.elapsed(),
        concurrency: test.concurrency,
        stopped,
    };
    let spec = &test.check.spec;
    let evaluation = evaluate(spec, started_at, &outcome);
    let window = outcome.unwrap_or_default();
    let report = load::report((&test.check.name, spec), effort, &window, &evaluation);
    print(&report, args.output)?;
    if stopped {
        return Ok(Exit::Interrupted);
    }
    Ok(match report.verdict {
        Verdict::Passing => Exit::Success,
        Verdict::Failing | Verdict::Unknown => Exit::Failure,
    })
}

/// One probe of HTTP, which makes its load itself; of others rounds that follow each other.
async fn rounds(
    rig: &Rig,
    test: &Test,
    began: Instant,
    progress: &Progress,
) -> Result<Window, ProberError> {
    let mut all = Window::new();
    let http = test.check.spec.http.is_some();
    while let Some(size) = test.next_round(all.samples(), began) {
        let ask = Ask {
            now: Timestamp::now(),
            not_before: None,
        };
        let round = rig.probers.probe(&sized(&test.check.spec, size), ask).await;
        let window = round.outcome?;
        let silent = window.samples() == 0;
        if !http {
            progress.absorb(window.clone());
        }
        all.absorb(window);
        if http || silent {
            break;
        }
    }
    Ok(all)
}

/// Says how far it is, for ever.
async fn show(test: &Test, began: Instant, progress: &Progress) {
    let load = test
        .check
        .spec
        .http
        .as_ref()
        .and_then(|http| http.load.as_ref());
    let requests = test.requests.or(load.and_then(|load| load.requests));
    let duration = load.and_then(|load| load.duration).map(|given| given.0);
    let duration = test.duration.or(duration);
    loop {
        let line = render::health::progress(
            &test.check.name,
            progress.samples(),
            requests,
            (began.elapsed(), duration),
        );
        screen::show(Some(line));
        tokio::time::sleep(LOOK).await;
    }
}

fn print(report: &LoadReport, form: GetFormat) -> Result<(), CliError> {
    match form {
        GetFormat::Table | GetFormat::Wide => out::text(&render::health::load(
            report,
            form == GetFormat::Wide,
            out::width(),
        )),
        GetFormat::Json => out::json(report),
        GetFormat::Yaml => out::text(&get::yaml(report)?),
    }
}
