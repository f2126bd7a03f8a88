//! One operator: the real engine, core and client on the world's ports.

use super::journal::FaultyJournal;
use super::prober::Gauger;
use super::set::Set;
use super::trace::What;
use super::wire::Wire;
use super::world::{Life, World};
use evenkeel::api::{Key, Status};
use evenkeel::engine::{Blindfold, Board, Command, Engine, Ports, Prober, Services, Settings};
use evenkeel::gcp::access::Access;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports as ClientPorts};
use evenkeel::gcp::clock::Clock;
use evenkeel::gcp::endpoint::EmulatorBase;
use evenkeel::gcp::entropy::Entropy;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// The operator's clock: true time and an error, constant for one run.
struct SkewedClock {
    world: Arc<World>,
    skew: SignedDuration,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.world.now() + self.skew
    }
}

pub struct Operator {
    pub life: Arc<Life>,
    pub board: Board,
    pub changes: watch::Receiver<u64>,
    commands: mpsc::Sender<Command>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    shown: BTreeMap<Key, Status>,
}

impl Operator {
    pub fn start(world: &Arc<World>, settings: &Settings, skew: i64) -> Operator {
        let life = Arc::new(Life::default());
        let clock: Arc<dyn Clock> = Arc::new(SkewedClock {
            world: Arc::clone(world),
            skew: SignedDuration::from_secs(skew),
        });
        let entropy = Arc::new(Entropy::seeded(world.rng(|rng| rng.u64(..))));
        let client = Client::new(ClientPorts {
            http: Arc::new(Wire {
                world: Arc::clone(world),
                life: Arc::clone(&life),
            }),
            access: Access::emulator(EmulatorBase::parse("http://127.0.0.1:1/", false).unwrap()),
            budgets: Budgets::new(),
            entropy: Arc::clone(&entropy),
            clock: Arc::clone(&clock),
        });
        let prober: Arc<dyn Prober> = if world.nature.is_measured() {
            Arc::new(Gauger::new(world, SignedDuration::from_secs(skew)))
        } else {
            Arc::new(Blindfold)
        };
        let ports = Ports {
            services: Services::new(&Arc::new(client)),
            journal: Arc::new(FaultyJournal {
                world: Arc::clone(world),
                life: Arc::clone(&life),
            }),
            prober,
            clock,
            entropy,
        };
        let budget = settings.deletes_per_sync;
        world.note(What::Start { skew, budget });
        let engine = Engine::new(ports, settings.clone()).unwrap();
        let board = engine.board();
        let (commands, receiver) = mpsc::channel(64);
        let stop = CancellationToken::new();
        Operator {
            life,
            changes: board.changes(),
            board,
            commands,
            task: tokio::task::spawn_local(engine.run(receiver, stop.clone())),
            stop,
            shown: BTreeMap::new(),
        }
    }

    pub fn declare(&self, world: &World, set: &Arc<Set>) {
        world.note(What::Declare(Arc::clone(set)));
        let _ = self
            .commands
            .try_send(Command::Declare(Box::new(set.declaration())));
    }

    pub fn source_failed(&self, world: &World) {
        world.note(What::SourceFailed);
        let why = "no such directory".to_owned();
        let _ = self.commands.try_send(Command::SourceFailed(why));
    }

    /// Notes what the board shows that it did not show before.
    pub fn look(&mut self, world: &World) {
        self.changes.mark_unchanged();
        if self.life.is_over() {
            return;
        }
        for (key, report) in self.board.resources() {
            if self.shown.get(&key) != Some(&report.status) {
                self.shown.insert(key.clone(), report.status.clone());
                let status = Box::new(report.status);
                let exists = world.truth(&key).is_some();
                world.note(What::Shown {
                    key,
                    status,
                    exists,
                });
            }
        }
    }

    /// Ends it at once; the life must be over already.
    pub async fn bury(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    /// A clean stop, unless it dies on the way.
    pub async fn stop(mut self, world: &World) {
        self.stop.cancel();
        tokio::select! {
            biased;
            _ = &mut self.task => {}
            () = world.died.notified() => self.task.abort(),
        }
        if !self.life.is_over() {
            self.life.end();
            world.note(What::Stop);
        }
    }

    pub fn failed(&self) -> bool {
        self.task.is_finished()
    }
}
