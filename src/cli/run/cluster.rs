//! `evenkeel run --source kubernetes`: one engine for each namespace, followed as one run.

use super::alerts::{self, Alerts};
use super::lead::{self, Seat};
use super::probes::FromHere;
use super::serves::{Door, Watched};
use super::signals::Signals;
use super::voice::Voice;
use super::{mode_text, operator, screen, table};
use crate::alert::{self, LivePost};
use crate::api::{DocumentKind, Event, Key};
use crate::check::{Probers, Vantage};
use crate::cli::args::{Globals, RunArgs};
use crate::cli::config::Config;
use crate::cli::keys::NamedSecrets;
use crate::cli::world::{self, World};
use crate::cli::{CliError, Exit, out, vantage};
use crate::engine::{Board, PhaseReport, Prober, Report};
use crate::kubernetes::alerts::{Teller, Tellers};
use crate::kubernetes::election::Leadership;
use crate::kubernetes::fleet::Shown;
use crate::kubernetes::words::ObjectId;
use crate::kubernetes::{Access, ClusterSecrets, Fleet, Options, Outfit, connect};
use crate::render::documents;
use crate::render::live::{self, Banner};
use crate::render::objects::Object;
use crate::source::Set;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::time::Instant;

/// How often is looked.
const TICK: Duration = Duration::from_millis(250);
/// Without a cluster for so long, that is said.
const SILENCE: Duration = Duration::from_secs(3);
/// How long everything must rest before `--once` takes it for done: what waits for another is
/// woken when that one is ready.
const REST: Duration = Duration::from_secs(2);
/// Samples of all checks of a namespace at the same time.
const SAMPLES: u32 = 256;
/// Deletes that one change of a namespace may do, where nothing else is said: an object is deleted
/// by its name, and they go one after the other.
const DELETES: u32 = 1;

/// Which cluster the arguments mean.
pub fn access(globals: &Globals) -> Access {
    Access {
        kubeconfig: globals.cluster.kubeconfig.clone(),
        context: globals.cluster.context.clone(),
    }
}

/// Runs until a signal, or with `--once` until all is settled.
pub async fn operate(globals: &Globals, args: &RunArgs, config: &Config) -> Result<Exit, CliError> {
    let gcp = world::wanted(&globals.gcp)?;
    let world = world::open(&gcp, globals)?;
    let mut signals = Signals::new()?;
    let dataplane = vantage::dataplane(&world).await?;
    let vantage = vantage::vantage(config, dataplane.as_ref())?;
    let served = operator::serve_emulator(&world, &args.emulator_listen).await?;
    let door = Door::open(args, config).await?;
    let (client, namespace) = connect(&access(globals))
        .await
        .map_err(|why| no_cluster(&why))?;
    let mut settings = operator::settings(args, config, &gcp)?;
    if args
        .deletes_per_sync
        .or(config.budgets.deletes_per_sync)
        .is_none()
    {
        settings.deletes_per_sync = DELETES;
    }
    let mut outfit = outfit(&world, client.clone(), vantage, settings);
    let options = Options {
        namespaces: globals.cluster.namespace.clone(),
        selector: globals.cluster.selector.clone(),
        ..Options::default()
    };
    let place = match options.namespaces.as_slice() {
        [] => "all namespaces".to_owned(),
        some => format!("namespace {}", some.join(", ")),
    };
    let voice = Voice::new(globals.log_format);
    let listens = door.as_ref().map(|door| door.address.to_string());
    let watched = Arc::new(OnceLock::new());
    let site = door.map(|door| door.serve_fleet(&watched, &world));
    let patience = args.once.then_some(args.timeout.0);
    let candidate = lead::candidate(&config.leader_election, &namespace);
    let seat = Seat::take(
        client.clone(),
        &candidate,
        &world,
        &voice,
        &mut signals,
        patience,
    );
    let Some(seat) = seat.await? else {
        return Ok(Exit::Interrupted);
    };
    outfit.leadership = Some(seat.leadership.clone());
    let fleet = Fleet::start(client, outfit, options);
    let _ = watched.set(Watched::new(&fleet));
    let mut run = Run::new(args, &world, fleet, voice, seat.leadership.clone());
    if !run.wait_for_cluster(&mut signals).await? {
        // Nobody leads before the calls of this one are at a safe point.
        run.fleet.stop().await;
        seat.leave().await;
        return Ok(Exit::Interrupted);
    }
    run.voice.start(&Banner {
        paths: "kubernetes",
        revision: &place,
        objects: run.resources().len(),
        world: &world::name(&gcp),
        address: served.as_ref().map(|served| served.address.to_string()),
        serves: listens,
        state: "in the status of the objects",
        mode: mode_text(config.mode(args)),
    })?;
    let end = run.follow(&mut signals).await;
    screen::show(None);
    let exit = run.conclude(end?, &mut signals).await;
    seat.leave().await;
    if let Some(site) = site {
        site.stop().await;
    }
    if let Some(served) = served {
        served.stop().await;
    }
    exit
}

pub fn no_cluster(why: &str) -> CliError {
    CliError::new(format!("no way to a cluster: {why}"))
        .hint("give --kubeconfig FILE and --context NAME, or run in a Pod")
        .exit(Exit::BadInput)
}

fn outfit(
    world: &World,
    client: kube::Client,
    vantage: Vantage,
    settings: crate::engine::Settings,
) -> Outfit {
    let (told_by, keeper) = (client.clone(), client.clone());
    let (clock, google) = (Arc::clone(&world.clock), Arc::clone(&world.client));
    let prober = move |namespace: &str| -> Arc<dyn Prober> {
        let secrets = ClusterSecrets::new(client.clone(), namespace);
        Arc::new(FromHere {
            probers: Probers::new(Arc::new(secrets), SAMPLES)
                .at(vantage.clone())
                .with_google(&google),
            clock: Arc::clone(&clock),
        })
    };
    let (all, google) = (world.services.clone(), Arc::clone(&world.client));
    let services = move |namespace: &str| {
        let keys = NamedSecrets(ClusterSecrets::new(keeper.clone(), namespace));
        all.clone().with_keys(&google, Arc::new(keys))
    };
    Outfit {
        services: Arc::new(services),
        prober: Arc::new(prober),
        clock: Arc::clone(&world.clock),
        entropy: Arc::clone(&world.entropy),
        settings,
        leadership: None,
        tellers: tellers(world, told_by),
    }
}

/// A desk for each namespace, whose Secrets are its own.
fn tellers(world: &World, client: kube::Client) -> Tellers {
    let (clock, entropy) = (Arc::clone(&world.clock), Arc::clone(&world.entropy));
    Arc::new(move |namespace, store, board| {
        let secrets = NamedSecrets(ClusterSecrets::new(client.clone(), namespace));
        let clocks = (Arc::clone(&clock), Arc::clone(&entropy));
        let secrets = alert::Secrets::elsewhere(Arc::new(secrets));
        let post = LivePost::new().map_err(|error| error.to_string());
        let started = post.and_then(|post| {
            let desk = Alerts::start_with(clocks, post, store, board, secrets);
            desk.map_err(|error| format!("{error:?}"))
        });
        match started {
            Ok(alerts) => Some(Box::new(Desk(alerts)) as Box<dyn Teller>),
            Err(error) => {
                tracing::error!(namespace, error, "nobody is told");
                None
            }
        }
    })
}

struct Desk(Alerts);

impl Teller for Desk {
    fn declare(&self, set: &Set) {
        self.0
            .handle()
            .declare(set.alerts.clone(), alerts::objects(set));
    }
}

/// Why a run ends.
enum End {
    Settled,
    Signal,
    TimedOut,
    Gone,
    /// Another may lead.
    Deposed,
}

struct Run<'a> {
    args: &'a RunArgs,
    world: &'a World,
    fleet: Fleet,
    voice: Voice,
    ears: BTreeMap<String, broadcast::Receiver<Event>>,
    refused: BTreeMap<(String, ObjectId), String>,
    failing: BTreeMap<DocumentKind, String>,
    rests_since: Option<Instant>,
    leadership: Leadership,
}

impl<'a> Run<'a> {
    fn new(
        args: &'a RunArgs,
        world: &'a World,
        fleet: Fleet,
        voice: Voice,
        leadership: Leadership,
    ) -> Self {
        Run {
            args,
            world,
            fleet,
            voice,
            ears: BTreeMap::new(),
            refused: BTreeMap::new(),
            failing: BTreeMap::new(),
            rests_since: None,
            leadership,
        }
    }

    /// Everything was listed once. False where a signal came first.
    async fn wait_for_cluster(&mut self, signals: &mut Signals) -> Result<bool, CliError> {
        let started = Instant::now();
        while !self.fleet.shown().started {
            if self.fleet.is_gone() {
                return Ok(false);
            }
            if started.elapsed() >= SILENCE {
                self.say_failures()?;
            }
            if self.args.once && started.elapsed() >= self.args.timeout.0 {
                return Err(CliError::new("the cluster does not answer")
                    .hint("the messages above say why; are the CRDs there? `evenkeel crds | kubectl apply -f -`"));
            }
            tokio::select! {
                () = signals.next() => return Ok(false),
                () = self.leadership.lost().cancelled() => return Err(lead::lost()),
                () = tokio::time::sleep(TICK) => {}
            }
        }
        Ok(true)
    }

    async fn follow(&mut self, signals: &mut Signals) -> Result<End, CliError> {
        let deadline = Instant::now() + self.args.timeout.0;
        loop {
            let heard = self.look()?;
            if self.fleet.is_gone() {
                return Ok(End::Gone);
            }
            if self.args.once {
                let rests = heard == 0 && self.is_settled();
                let since = rests.then(|| self.rests_since.unwrap_or_else(Instant::now));
                self.rests_since = since;
                if since.is_some_and(|since| since.elapsed() >= REST) {
                    return Ok(End::Settled);
                }
                if Instant::now() >= deadline {
                    return Ok(End::TimedOut);
                }
            }
            tokio::select! {
                () = signals.next() => return Ok(End::Signal),
                () = self.leadership.lost().cancelled() => return Ok(End::Deposed),
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Says what happened; how many events it was.
    fn look(&mut self) -> Result<u64, CliError> {
        let shown = self.fleet.shown();
        for (namespace, board) in &shown.boards {
            let ear = self.ears.entry(namespace.clone());
            ear.or_insert_with(|| board.events());
        }
        self.ears
            .retain(|namespace, _| shown.boards.contains_key(namespace));
        self.say_failures()?;
        self.say_refusals(&shown)?;
        let several = shown.boards.len() > 1;
        let (mut heard, now) = (0, self.world.clock.now());
        for (namespace, ear) in &mut self.ears {
            let resources = shown.boards[namespace].resources();
            loop {
                let event = match ear.try_recv() {
                    Ok(event) => event,
                    Err(TryRecvError::Lagged(count)) => {
                        heard += count;
                        continue;
                    }
                    Err(TryRecvError::Empty) => break,
                    // Its engine was started anew.
                    Err(TryRecvError::Closed) => {
                        *ear = shown.boards[namespace].events();
                        break;
                    }
                };
                let report = event.about.key().and_then(|key| resources.get(key));
                let name = report.map_or(event.about.name(), |report| &*report.name);
                let name = if several {
                    format!("{namespace}/{name}")
                } else {
                    name.to_owned()
                };
                self.voice.event(&event, &name, 0)?;
                heard += 1;
            }
        }
        let all = resources(&shown);
        let rows: Vec<_> = all
            .iter()
            .map(|(key, report)| live::Row {
                key,
                name: &report.name,
                status: &report.status,
            })
            .collect();
        screen::show(live::progress(&rows, now));
        Ok(heard)
    }

    fn say_failures(&mut self) -> Result<(), CliError> {
        let failing = self.fleet.shown().failing;
        let now = self.world.clock.now();
        for (kind, why) in &failing {
            if self.failing.get(kind) != Some(why) {
                let text = format!("{kind}: {why}");
                self.voice.note(now, "WatchFailed", &text)?;
            }
        }
        self.failing = failing;
        Ok(())
    }

    fn say_refusals(&mut self, shown: &Shown) -> Result<(), CliError> {
        let now = self.world.clock.now();
        for ((namespace, id), why) in &shown.refused {
            if self.refused.get(&(namespace.clone(), id.clone())) != Some(why) {
                let text = format!("{namespace}/{id}: {why}");
                self.voice.note(now, "Refused", &text)?;
            }
        }
        self.refused.clone_from(&shown.refused);
        Ok(())
    }

    fn resources(&self) -> Vec<(Key, Report)> {
        resources(&self.fleet.shown())
    }

    fn is_settled(&self) -> bool {
        let shown = self.fleet.shown();
        shown.failing.is_empty()
            && shown.boards.iter().all(|(namespace, board)| {
                let revision = shown.revisions.get(namespace).map_or("", String::as_str);
                is_settled(board, revision)
            })
    }

    async fn conclude(self, end: End, signals: &mut Signals) -> Result<Exit, CliError> {
        if let End::Deposed = end {
            // Nothing is brought to a safe point: another may be at it.
            self.fleet.kill();
            return Err(lead::lost());
        }
        let shown = self.fleet.shown();
        let (voice, once, now) = (self.voice, self.args.once, self.world.clock.now());
        let timeout = &self.args.timeout;
        let gone = self.fleet.is_gone();
        let drained = tokio::select! {
            () = self.fleet.stop() => true,
            () = signals.next() => false,
        };
        if once {
            print_tables(voice, &shown, now)?;
        }
        let ready = shown.refused.is_empty()
            && resources(&shown)
                .iter()
                .all(|(_, report)| report.status.is_ready())
            && shown
                .boards
                .values()
                .all(|board| board.phases().values().all(PhaseReport::is_ready));
        match end {
            _ if gone => Err(CliError::new("the operator's loop ended by itself")
                .hint("this is a bug in evenkeel: please report it with the output above")),
            End::Settled if ready => Ok(Exit::Success),
            End::Settled | End::Gone | End::Deposed => Ok(Exit::Failure),
            End::Signal if once || !drained => Ok(Exit::Interrupted),
            End::Signal => {
                voice.note(now, "Stopped", "stopped; the next run goes on from here")?;
                Ok(Exit::Success)
            }
            End::TimedOut => Err(CliError::new(format!("not settled within {timeout}"))
                .hint("run again to go on from here, or give it longer with --timeout")),
        }
    }
}

/// Every declared resource, of all namespaces.
fn resources(shown: &Shown) -> Vec<(Key, Report)> {
    let all = shown.boards.values().flat_map(Board::resources);
    all.filter(|(_, report)| report.declared).collect()
}

/// Everything was decided on for this very revision, and nothing is pending.
fn is_settled(board: &Board, revision: &str) -> bool {
    board.resources().values().all(|report| {
        report.settled && (!report.declared || report.status.source_revision == revision)
    }) && board
        .phases()
        .values()
        .all(|phase| phase.settled && phase.status.source_revision == revision)
        && board.checks().values().all(|check| check.settled)
}

fn print_tables(voice: Voice, shown: &Shown, now: jiff::Timestamp) -> Result<(), CliError> {
    for (namespace, board) in &shown.boards {
        let resources = board.resources();
        let objects: Vec<_> = resources
            .iter()
            .map(|(key, report)| Object {
                key,
                name: &report.name,
                generation: report.status.observed_generation,
                revision: report
                    .status
                    .last_good
                    .as_ref()
                    .map_or(0, |good| good.revision),
                status: &report.status,
            })
            .collect();
        if shown.boards.len() > 1 {
            voice.table(&format!("namespace {namespace}\n"))?;
        }
        if !objects.is_empty() {
            voice.table(&table(&objects, now))?;
        }
        let (phases, checks) = (board.phases(), board.checks());
        let phases = phases.iter().map(|(name, phase)| documents::Row {
            kind: DocumentKind::Phase,
            name,
            conditions: &phase.status.conditions,
        });
        let checks = checks.iter().map(|(name, check)| documents::Row {
            kind: DocumentKind::Check,
            name,
            conditions: &check.status.conditions,
        });
        let rows: Vec<_> = phases.chain(checks).collect();
        if !rows.is_empty() {
            voice.table(&documents::list(&rows, now, out::width()))?;
        }
    }
    Ok(())
}
