//! One seed from start to end: the script with faults, then calm, then nothing more may happen.

use super::kinds::{self, Place};
use super::operator::Operator;
use super::script::{Act, Script};
use super::set::Set;
use super::trace::{Fact, What};
use super::world::World;
use super::{checkers, people};
use checkers::Violation;
use evenkeel::api::Key;
use evenkeel::core::token::Ask;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// How long after the faults an operator may take until nothing moves any more.
const SETTLES_WITHIN: Duration = Duration::from_hours(10);
/// How long nothing may happen then: five polls and more.
const QUIET: Duration = Duration::from_secs(400);
/// Facts of a run that cannot come to rest.
const BUSY: usize = 30_000;
/// Questions about one resource that a person answers.
const HELPS: u32 = 12;
/// The longest the clock is set forward or back between two runs.
const CLOCK_JUMP: i64 = 3 * 3600;

/// What came of a seed.
pub struct Outcome {
    pub trace: Vec<Fact>,
    pub violations: Vec<Violation>,
    pub injected: BTreeMap<String, u64>,
    pub simulated: Duration,
}

/// Plays a script in a runtime of its own; the seed is left with the faults.
pub fn play(seed: u64, script: Script) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        let began = Instant::now();
        let mut play = Play::new(seed, script);
        let stuck = play.act().await;
        let trace = play.world.trace.take();
        let mut violations = checkers::all(&trace);
        violations.extend(stuck);
        violations.sort_by_key(|violation| violation.at);
        Outcome {
            trace,
            violations,
            injected: play.world.injected(),
            simulated: began.elapsed(),
        }
    })
}

struct Play {
    world: Arc<World>,
    script: Script,
    operator: Option<Operator>,
    /// What the source says now; `None`: it cannot be read.
    source: Option<Arc<Set>>,
    skew: i64,
    outage_until: Option<Instant>,
    /// How often a person answered the questions about each resource, and how often by a retry.
    helped: BTreeMap<Key, (u32, u32)>,
    helped_phases: BTreeMap<String, u32>,
}

impl Play {
    fn new(seed: u64, script: Script) -> Play {
        Play {
            world: Arc::new(World::new(seed, &script)),
            script,
            operator: None,
            source: None,
            skew: 0,
            outage_until: None,
            helped: BTreeMap::new(),
            helped_phases: BTreeMap::new(),
        }
    }

    /// The whole play. A violation where it does not come to rest.
    async fn act(&mut self) -> Option<Violation> {
        self.start();
        for (wait, act) in self.script.acts.clone() {
            self.wait(wait).await;
            self.perform(act).await;
        }
        let tail = self.world.rng(|rng| Duration::from_secs(rng.u64(..900)));
        self.wait(tail).await;
        self.outage_until = None;
        self.world.calm();
        if self.operator.is_none() {
            self.start();
        }
        self.source = Some(Arc::clone(&self.script.last));
        self.declare();
        for helped in [false, true] {
            if let Some(stuck) = self.settle(helped).await {
                return Some(stuck);
            }
            self.world.note(What::Quiet { helped });
            self.wait(QUIET).await;
            self.verdict(helped);
        }
        None
    }

    async fn perform(&mut self, act: Act) {
        let place = |index: usize| -> &Place { &self.script.fleet[index] };
        match act {
            Act::Declare(label, set) => {
                self.world.note(What::Note(label));
                self.source = Some(set);
                self.declare();
            }
            Act::SourceFailed => {
                self.source = None;
                if let Some(operator) = &self.operator {
                    operator.source_failed(&self.world);
                }
            }
            Act::Ask(index, wish) => {
                if let Some(operator) = &self.operator {
                    people::wish(&self.world, operator, place(index), wish);
                }
            }
            Act::AskPhase(name, wish) => {
                if let Some(operator) = &self.operator {
                    people::wish_of_phase(&self.world, operator, &name, wish);
                }
            }
            Act::Turn(check, temper) => self.world.turn(check, temper),
            Act::Foreign(index, meddle) => self.world.meddle(place(index), &meddle),
            Act::Outage(length) => {
                self.world.outage();
                self.outage_until = Some(Instant::now() + length);
            }
            Act::Weather => self.world.new_weather(),
            Act::Quota => self.world.low_quota(),
            Act::Restart => {
                if let Some(operator) = self.operator.take() {
                    self.world.count("clean stop");
                    operator.stop(&self.world).await;
                    self.come_back().await;
                }
            }
            Act::Kill => {
                if let Some(operator) = &self.operator {
                    self.world.kill(&operator.life, "anywhere");
                }
            }
        }
    }

    /// Lets time pass, and watches the operator meanwhile.
    async fn wait(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let weather = self.outage_until.unwrap_or(until).min(until);
            let Some(operator) = self.operator.as_mut() else {
                self.start();
                continue;
            };
            assert!(!operator.failed(), "the operator's task ended by itself");
            tokio::select! {
                biased;
                () = self.world.died.notified() => self.died().await,
                _ = operator.changes.changed() => operator.look(&self.world),
                () = sleep_until(weather) => {}
            }
            if self.outage_until.is_some_and(|end| end <= Instant::now()) {
                self.outage_until = None;
                self.world.new_weather();
            }
        }
    }

    async fn died(&mut self) {
        // A bell that rang for an operator long gone says nothing.
        if let Some(operator) = self.operator.take_if(|operator| operator.life.is_over()) {
            operator.bury().await;
            self.come_back().await;
        }
    }

    /// The next operator starts, after a while, maybe with another idea of the time.
    async fn come_back(&mut self) {
        let down = self.world.rng(|rng| match rng.u8(..10) {
            0..5 => rng.u64(..5),
            5..9 => rng.u64(5..120),
            _ => rng.u64(120..3000),
        });
        sleep(Duration::from_secs(down)).await;
        if self.world.sets_clocks() {
            self.world.count("clock set");
            self.skew = self.world.rng(|rng| rng.i64(-CLOCK_JUMP..CLOCK_JUMP));
        }
        self.start();
    }

    fn start(&mut self) {
        self.world.arm();
        let operator = Operator::start(&self.world, &self.script.settings, self.skew);
        self.operator = Some(operator);
        self.declare();
    }

    fn declare(&self) {
        if let (Some(operator), Some(set)) = (&self.operator, &self.source) {
            operator.declare(&self.world, set);
        }
    }

    /// Waits until nothing moves. With help, a person answers whatever the operator asks.
    async fn settle(&mut self, helped: bool) -> Option<Violation> {
        let limit = Instant::now() + SETTLES_WITHIN;
        let mut rested = false;
        while Instant::now() < limit && self.world.trace.len() < BUSY {
            self.wait(Duration::from_secs(75)).await;
            if helped && self.help() {
                rested = false;
                continue;
            }
            // A late read may still change a status: only the second rest counts.
            let settled = self.operator.as_ref().is_some_and(|o| o.board.is_settled());
            let rests = settled && self.world.is_still();
            if rests && rested {
                return None;
            }
            rested = rests;
        }
        let rests = self.operator.as_ref().map(|o| o.board.resources());
        let moving = rests
            .into_iter()
            .flatten()
            .find(|(_, report)| !report.settled);
        let text =
            moving.map(|(key, report)| format!("{key}: {}", evenkeel::engine::ready_line(&report)));
        Some(Violation {
            rule: "liveness: comes to rest once the faults have stopped",
            at: usize::MAX,
            text: text.unwrap_or_else(|| self.moving_phase()),
        })
    }

    fn moving_phase(&self) -> String {
        let phases = self.operator.as_ref().map(|o| o.board.phases());
        let mut phases = phases.into_iter().flatten();
        let moving = phases.find(|(_, report)| !report.settled);
        moving.map_or_else(String::new, |(name, report)| {
            format!("{name}: {:?}", report.status.conditions)
        })
    }

    /// True when somebody was helped. Nobody is helped for ever: some wishes cannot be met.
    fn help(&mut self) -> bool {
        let Some(operator) = &self.operator else {
            return false;
        };
        let mut helped = false;
        for (key, report) in operator.board.resources() {
            let Some(ask) = people::help(&report.status).filter(|_| report.declared) else {
                continue;
            };
            let (times, retries) = self.helped.entry(key.clone()).or_default();
            let patient = ask != Ask::Retry || *retries < kinds::of(key.kind).retries();
            if *times < HELPS && patient {
                *times += 1;
                *retries += u32::from(ask == Ask::Retry);
                helped = true;
                people::put(&self.world, &key, ask);
            }
        }
        helped || self.help_phases()
    }

    /// Phases come after their resources: these need help first.
    fn help_phases(&mut self) -> bool {
        let Some(operator) = &self.operator else {
            return false;
        };
        let mut helped = false;
        for (name, report) in operator.board.phases() {
            let times = self.helped_phases.entry(name.clone()).or_default();
            if let Some(ask) = people::help_phase(&report).filter(|_| *times < HELPS) {
                *times += 1;
                helped = true;
                people::put_phase(&self.world, &name, ask);
            }
        }
        helped
    }

    fn verdict(&mut self, helped: bool) {
        if let Some(operator) = self.operator.as_mut() {
            operator.look(&self.world);
        }
        let shown = self
            .operator
            .as_ref()
            .map(|o| o.board.resources())
            .unwrap_or_default();
        for place in &self.script.fleet {
            let status = shown
                .get(&place.key)
                .map(|report| Box::new(report.status.clone()));
            self.world.note(What::Verdict {
                key: place.key.clone(),
                truth: self.world.truth(&place.key),
                status,
                helped,
            });
        }
        let mut shown = self
            .operator
            .as_ref()
            .map(|o| o.board.phases())
            .unwrap_or_default();
        for phase in &self.script.last.phases {
            self.world.note(What::PhaseEnd {
                name: phase.name.clone(),
                report: shown.remove(&phase.name).map(Box::new),
                helped,
            });
        }
    }
}
