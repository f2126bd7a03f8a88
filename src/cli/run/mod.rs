//! `evenkeel run`: the operator in the foreground.
//!
//! Invariant: bad input ends it before anything is opened or sent; after the start, bad input
//! keeps the last set.

mod alerts;
#[cfg(feature = "kubernetes")]
pub mod cluster;
#[cfg(feature = "kubernetes")]
mod lead;
mod manifests;
mod operator;
mod probes;
pub mod screen;
mod serves;
mod session;
pub mod signals;
mod voice;

use super::args::{Globals, Mode, RunArgs};
use super::config::Config;
use super::{CliError, Exit, block_on, out};
use super::{vantage, world};
use crate::journal::SqliteJournal;
use crate::render::{live, objects};
use jiff::Timestamp;
use operator::Operator;
use session::{End, Session};
use signals::Signals;
use voice::Voice;

/// Runs the operator until a signal, or with `--once` until all is settled.
pub fn run(globals: &Globals, args: &RunArgs) -> Result<Exit, CliError> {
    let config = Config::load(args.config.as_deref())?;
    if globals.cluster.is_wanted() {
        if !args.paths.is_empty() || args.git.is_given() {
            return Err(CliError::new("the manifests are objects of the cluster: no PATH and no --git-url, please")
                .hint("`kubectl apply` brings files there; without --source kubernetes they are run as they are")
                .exit(Exit::BadInput));
        }
        return in_cluster(globals, args, &config);
    }
    block_on(operate(globals, args, &config))
}

#[cfg(feature = "kubernetes")]
fn in_cluster(globals: &Globals, args: &RunArgs, config: &Config) -> Result<Exit, CliError> {
    block_on(cluster::operate(globals, args, config))
}

#[cfg(not(feature = "kubernetes"))]
fn in_cluster(_: &Globals, _: &RunArgs, _: &Config) -> Result<Exit, CliError> {
    Err(CliError::new("this evenkeel was built without Kubernetes")
        .hint("build it with the feature `kubernetes`, which is there by default")
        .exit(Exit::BadInput))
}

async fn operate(globals: &Globals, args: &RunArgs, config: &Config) -> Result<Exit, CliError> {
    let opened = manifests::open(globals, args, config).await?;
    let gcp = world::wanted(&globals.gcp)?;
    let world = world::open(&gcp, globals)?;
    let state = globals.state_path();
    let journal = SqliteJournal::open(&state, &world::name(&gcp))?;
    let mut signals = Signals::new()?;
    let dataplane = vantage::dataplane(&world).await?;
    let vantage = vantage::vantage(config, dataplane.as_ref())?;
    let served = operator::serve_emulator(&world, &args.emulator_listen).await?;
    let voice = Voice::new(globals.log_format);
    let door = serves::Door::open(args, config).await?;
    voice.start(&live::Banner {
        paths: &opened.name,
        revision: &opened.set.revision,
        objects: opened.set.declared.len(),
        world: &world::name(&gcp),
        address: served.as_ref().map(|served| served.address.to_string()),
        serves: door.as_ref().map(|door| door.address.to_string()),
        state: &state.display().to_string(),
        mode: mode_text(config.mode(args)),
    })?;
    let settings = operator::settings(args, config, &gcp)?;
    let secrets = args.secrets.clone();
    let (operator, alerts) = Operator::start(&world, journal, settings, secrets, vantage)?;
    let site = door.map(|door| door.serve(&operator, opened.hook));
    let mut session = Session::new(args, &operator, voice);
    session.declare(opened.set).await;
    if let Some(trouble) = opened.trouble {
        session.refused(trouble).await?;
    }
    let end = session.follow(&mut signals, opened.manifests).await;
    screen::show(None);
    let drained = operator.drain(&mut signals).await;
    alerts.close().await;
    if let Some(site) = site {
        site.stop().await;
    }
    if let Some(served) = served {
        served.stop().await;
    }
    session.print_events()?;
    let exit = conclude(&mut session, args, end?)?;
    Ok(if drained { exit } else { Exit::Interrupted })
}

fn mode_text(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "apply",
        Mode::Observe => "observe: nothing is written",
    }
}

fn conclude(session: &mut Session<'_>, args: &RunArgs, end: End) -> Result<Exit, CliError> {
    if args.once {
        session.print_table()?;
    }
    match end {
        End::Settled if session.all_ready() => Ok(Exit::Success),
        End::Settled => Ok(Exit::Failure),
        End::Signal if args.once => Ok(Exit::Interrupted),
        End::Signal => {
            session.say_stopped()?;
            Ok(Exit::Success)
        }
        End::TimedOut => Err(
            CliError::new(format!("not settled within {}", args.timeout))
                .hint("run again to go on from here, or give it longer with --timeout"),
        ),
        End::Blind => Err(CliError::new("GCP cannot be read")
            .hint("the message above says why; run again once it is mended")),
        End::EngineGone => Err(CliError::new("the operator's loop ended by itself")
            .hint("this is a bug in evenkeel: please report it with the output above")),
    }
}

/// The columns of `get`, for the end of a run.
fn table(rows: &[objects::Object<'_>], now: Timestamp) -> String {
    objects::list(
        rows,
        objects::Layout {
            wide: false,
            head: true,
            now,
            width: out::width(),
        },
    )
}
