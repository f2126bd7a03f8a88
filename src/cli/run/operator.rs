//! The engine as a task, and the emulator beside it.

use super::alerts::{self, Alerts};
use super::probes::FromHere;
use super::serves::Serving;
use super::signals::Signals;
use crate::alert::Handle;
use crate::check::{Probers, Vantage};
use crate::cli::args::{Gcp, Mode, RunArgs};
use crate::cli::config::Config;
use crate::cli::keys::NamedSecrets;
use crate::cli::world::{self, World};
use crate::cli::{CliError, Exit};
use crate::emulator::server;
use crate::engine::{Board, Command, Declaration, Engine, Ports, Settings};
use crate::journal::SqliteJournal;
use crate::secrets::LocalSecrets;
use crate::source::Set;
use jiff::Timestamp;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;

/// Commands that may wait; the engine takes them at once.
const COMMANDS: usize = 16;

/// Samples of all checks at the same time: connections that this machine may hold open.
const SAMPLES: u32 = 256;

/// How the engine behaves.
pub fn settings(args: &RunArgs, config: &Config, gcp: &Gcp) -> Result<Settings, CliError> {
    let budgets = &config.budgets;
    Ok(Settings {
        poll: args
            .interval
            .or(config.interval)
            .map_or_else(|| world::interval(gcp), |given| given.0),
        apply: config.mode(args) == Mode::Apply,
        deletes_per_sync: args
            .deletes_per_sync
            .or(budgets.deletes_per_sync)
            .unwrap_or_default(),
        concurrent_rollouts: args.concurrent_rollouts.or(budgets.concurrent_rollouts),
        freezes: config.freezes().map_err(CliError::new)?,
        load: Some(world::load_interval(gcp)),
        timing: world::timing(gcp),
        ..Settings::default()
    })
}

/// A running engine.
pub struct Operator {
    pub board: Board,
    pub clock: Arc<dyn crate::gcp::clock::Clock>,
    commands: mpsc::Sender<Command>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    pub client: Arc<crate::gcp::client::Client>,
    news: Handle,
}

impl Operator {
    pub fn start(
        world: &World,
        journal: SqliteJournal,
        settings: Settings,
        secrets: Option<PathBuf>,
        vantage: Vantage,
    ) -> Result<(Self, Alerts), CliError> {
        let journal = Arc::new(journal);
        let ports = Ports {
            services: world.services.clone().with_keys(
                &world.client,
                Arc::new(NamedSecrets(LocalSecrets::new(secrets.clone()))),
            ),
            journal: Arc::clone(&journal) as _,
            prober: Arc::new(FromHere {
                probers: Probers::new(Arc::new(LocalSecrets::new(secrets.clone())), SAMPLES)
                    .at(vantage)
                    .with_google(&world.client),
                clock: Arc::clone(&world.clock),
            }),
            clock: Arc::clone(&world.clock),
            entropy: Arc::clone(&world.entropy),
        };
        let engine = Engine::new(ports, settings)?;
        let board = engine.board();
        let alerts = Alerts::start(
            world,
            journal,
            board.clone(),
            crate::alert::Secrets::new(secrets),
        )?;
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let stop = CancellationToken::new();
        let task = tokio::spawn(engine.run(inbox, stop.clone()));
        let operator = Operator {
            news: alerts.handle(),
            client: Arc::clone(&world.client),
            board,
            clock: Arc::clone(&world.clock),
            commands,
            stop,
            task,
        };
        Ok((operator, alerts))
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn declare(&self, set: Set) {
        let objects = alerts::objects(&set);
        let declaration = Declaration {
            resources: set.declared,
            checks: set.checks,
            phases: set.phases,
        };
        self.news.declare(set.alerts, objects);
        // An engine that is gone is noticed by its task.
        let _ = self
            .commands
            .send(Command::Declare(Box::new(declaration)))
            .await;
    }

    pub async fn source_failed(&self, why: String) {
        let _ = self.commands.send(Command::SourceFailed(why)).await;
    }

    /// Whether the loop has ended, for those who outlive this borrow.
    pub fn pulse(&self) -> AbortHandle {
        self.task.abort_handle()
    }

    pub fn is_gone(&self) -> bool {
        self.task.is_finished()
    }

    /// Lets the running calls come to their next safe point. False when a signal cut that short.
    pub async fn drain(&self, signals: &mut Signals) -> bool {
        self.stop.cancel();
        let done = async {
            while !self.task.is_finished() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = done => true,
            () = signals.next() => false,
        }
    }
}

/// The emulator of this process, reachable from outside.
pub struct Served {
    pub address: SocketAddr,
    serving: Serving,
}

impl Served {
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

/// Serves the emulator of this process, if there is one and `listen` is not `off`.
pub async fn serve_emulator(world: &World, listen: &str) -> Result<Option<Served>, CliError> {
    let Some(emulator) = &world.emulator else {
        return Ok(None);
    };
    if listen == "off" {
        return Ok(None);
    }
    let failed = |why: String| {
        CliError::new(format!("cannot serve the emulator on {listen}: {why}"))
            .hint("--emulator-listen 127.0.0.1:0 takes any free port; off serves it nowhere")
            .exit(Exit::BadInput)
    };
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let address = listener
        .local_addr()
        .map_err(|error| failed(error.to_string()))?;
    let emulator = Arc::clone(emulator);
    Ok(Some(Served {
        address,
        serving: Serving::start(|stopped| server::serve(emulator, listener, stopped)),
    }))
}
