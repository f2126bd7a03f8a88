//! `evenkeel emulator`: an emulated GCP on a local port.

use super::args::{EmulatorArgs, Globals, Speed};
use super::run::signals;
use super::{CliError, Exit, block_on, out};
use crate::emulator::dataplane::{Dataplane, Listen};
use crate::emulator::{Emulator, FaultRule, Options, Scenario, Timing, server};
use crate::render;
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves until a signal.
pub fn run(globals: &Globals, args: &EmulatorArgs) -> Result<Exit, CliError> {
    let scenario = Scenario::by_name(&args.scenario).map_err(|unknown| {
        CliError::new(unknown.to_string())
            .hint("leave --scenario out for netra-staging")
            .exit(Exit::BadInput)
    })?;
    let options = Options {
        scenario,
        seed: args.seed,
        timing: match args.timing {
            Speed::Demo => Timing::demo(),
            Speed::Realistic => Timing::realistic(),
            Speed::Instant => Timing::instant(),
        },
    };
    let emulator = match &globals.state {
        Some(path) => open(options, path)?,
        None => Emulator::new(options),
    };
    if let Some(path) = &args.faults {
        emulator.set_faults(read_faults(path)?);
    }
    block_on(serve(Arc::new(emulator), args, scenario))
}

fn open(options: Options, path: &Path) -> Result<Emulator, CliError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    Emulator::open(options, path)
        .map_err(|error| CliError::new(error.to_string()).hint("give another file with --state"))
}

fn read_faults(path: &Path) -> Result<Vec<FaultRule>, CliError> {
    let unusable = |why: String| {
        CliError::new(format!("{}: {why}", path.display()))
            .hint("a rule looks like {\"match\": {\"method\": \"PATCH\"}, \"action\": \"reset-before\"}")
            .exit(Exit::BadInput)
    };
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let json = serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))?;
    FaultRule::list_from_json(&json).map_err(|error| unusable(error.to_string()))
}

async fn serve(
    emulator: Arc<Emulator>,
    args: &EmulatorArgs,
    scenario: Scenario,
) -> Result<Exit, CliError> {
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        CliError::new(format!("cannot listen on {}: {error}", args.listen))
            .hint("--listen 127.0.0.1:0 takes any free port")
    })?;
    let address = listener.local_addr()?;
    let mut signals = signals::Signals::new()?;
    let project = match scenario {
        Scenario::NetraStaging => "netra-staging",
        Scenario::Many => "netra-many",
        // Every project is let in.
        Scenario::Empty => "my-project",
    };
    let dataplane = Dataplane::start(
        Arc::clone(&emulator),
        Arc::new(Timestamp::now),
        Listen::default(),
    );
    let dataplane = dataplane
        .await
        .map_err(|error| CliError::new(error.to_string()))?;
    let greeting = render::message::emulator(&address.to_string(), scenario.name(), project);
    out::text(&greeting)?;
    let (gateway, dns) = (dataplane.gateway(), dataplane.dns());
    let greeting = render::message::dataplane(&address, &gateway, &dns);
    out::text(&greeting)?;
    let shutdown = async move {
        signals.next().await;
    };
    server::serve(emulator, listener, shutdown).await;
    Ok(Exit::Success)
}
