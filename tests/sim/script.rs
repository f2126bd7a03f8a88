//! The script of a run: what people and other writers do, and when. Drawn in full before it starts.

use super::content;
use super::faults::Rates;
use super::fleet::{self, Fleet};
use super::kinds::{self, Meddle, Place, Prop};
use super::prober::Temper;
use super::proofs::Proofs;
use super::set::Set;
use evenkeel::api::{Declared, Kind, Policy};
use evenkeel::emulator::Timing;
use evenkeel::engine::Settings;
use fastrand::Rng;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Everything that a seed decides beforehand.
#[derive(Debug, Clone)]
pub struct Script {
    pub fleet: Vec<Place>,
    /// What is there when the run starts.
    pub props: Vec<Prop>,
    pub settings: Settings,
    pub timing: Timing,
    pub rates: Rates,
    /// How wild the emulator's faults are, 0 to 1.
    pub wild: f64,
    /// Waits and what follows them.
    pub acts: Vec<(Duration, Act)>,
    /// What is declared in the end.
    pub last: Arc<Set>,
    /// What checks measure; none: nothing is measured.
    pub tempers: BTreeMap<String, Temper>,
}

#[derive(Debug, Clone)]
pub enum Act {
    /// A revision of the source: what changed, and the whole set.
    Declare(String, Arc<Set>),
    SourceFailed,
    Ask(usize, Wish),
    AskPhase(String, Wish),
    /// What a check measures is something else from now on.
    Turn(String, Temper),
    Foreign(usize, Meddle),
    /// Nothing gets through for this long.
    Outage(Duration),
    /// Other rates of faults.
    Weather,
    /// Few requests a minute.
    Quota,
    Restart,
    Kill,
}

/// What a person asks of the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    Pause,
    Resume,
    Retry,
    Abort,
    /// The plan that is shown now.
    Approve,
    /// A plan that is not, or no longer, the one.
    ApproveOther,
    UndoFirst,
    UndoLast,
}

impl Script {
    /// A fleet of connectors.
    pub fn connectors(seed: u64) -> Script {
        let mut rng = Rng::with_seed(seed);
        let fleet = fleet::connectors(&mut rng);
        Script::around(rng, fleet, None)
    }

    /// A fleet of every kind but for those of Certificate Manager.
    pub fn mixed(seed: u64) -> Script {
        let mut rng = Rng::with_seed(seed);
        let fleet = fleet::mixed(&mut rng);
        Script::around(rng, fleet, None)
    }

    /// A fleet of certificates of Certificate Manager.
    pub fn managed(seed: u64) -> Script {
        let mut rng = Rng::with_seed(seed);
        let fleet = fleet::managed(&mut rng);
        Script::around(rng, fleet, None)
    }

    /// A fleet of connectors or of every kind, with checks and phases.
    pub fn gated(seed: u64) -> Script {
        let mut rng = Rng::with_seed(seed);
        let fleet = if rng.bool() {
            fleet::connectors(&mut rng)
        } else {
            fleet::mixed(&mut rng)
        };
        let proofs = Proofs::draw(&mut rng, &fleet.places);
        Script::around(rng, fleet, Some(proofs))
    }

    fn around(mut rng: Rng, fleet: Fleet, proofs: Option<Proofs>) -> Script {
        let Fleet { places, props } = fleet;
        let tempers = proofs.iter().flat_map(|proofs| proofs.tempers.clone());
        let tempers = tempers.collect();
        let mut desk = Desk::new(&mut rng, &places, proofs);
        let mut acts = vec![(Duration::ZERO, desk.declare("first".to_owned()))];
        for _ in 0..rng.u8(3..16) {
            let wait = wait(&mut rng);
            let act = desk.act(&mut rng);
            acts.push((wait, act));
        }
        if desk.unreadable {
            acts.push((wait(&mut rng), desk.declare("source is back".to_owned())));
        }
        Script {
            settings: settings(&mut rng),
            timing: timing(&mut rng),
            rates: if rng.u8(..10) == 0 {
                Rates::default()
            } else {
                Rates::draw(&mut rng)
            },
            wild: if rng.u8(..10) < 2 { 0.0 } else { rng.f64() },
            acts,
            last: desk.set(),
            tempers,
            fleet: places,
            props,
        }
    }
}

fn settings(rng: &mut Rng) -> Settings {
    Settings {
        deletes_per_sync: [0, 0, 1, 2][rng.usize(..4)],
        concurrency: rng.usize(1..=8),
        apply: rng.u8(..40) > 0,
        ..Settings::default()
    }
}

fn timing(rng: &mut Rng) -> Timing {
    let seconds = Duration::from_secs;
    match rng.u8(..4) {
        0 => Timing::realistic(),
        1 => Timing::demo(),
        2 => Timing::fixed(seconds(rng.u64(..120)), seconds(rng.u64(..4))),
        _ => Timing {
            operation: seconds(1)..=seconds(rng.u64(2..400)),
            read_lag: Duration::ZERO..=seconds(5),
        },
    }
}

fn wait(rng: &mut Rng) -> Duration {
    let seconds = match rng.u8(..10) {
        0..4 => rng.u64(1..60),
        4..8 => rng.u64(60..300),
        _ => rng.u64(300..1500),
    };
    Duration::from_millis(seconds * 1000 + rng.u64(..1000))
}

/// What the people at the source know: what is declared now and was before.
struct Desk<'a> {
    fleet: &'a [Place],
    now: Vec<Option<Declared>>,
    before: Vec<Vec<Declared>>,
    /// What each place's kind remembers of what it drew.
    memory: Vec<Value>,
    /// Checks and phases, where the fleet has any.
    proofs: Option<Proofs>,
    revision: u32,
    unreadable: bool,
}

impl<'a> Desk<'a> {
    fn new(rng: &mut Rng, fleet: &'a [Place], proofs: Option<Proofs>) -> Self {
        let mut desk = Desk {
            fleet,
            now: vec![None; fleet.len()],
            before: vec![Vec::new(); fleet.len()],
            memory: vec![Value::Null; fleet.len()],
            proofs,
            revision: 0,
            unreadable: false,
        };
        for index in 0..fleet.len() {
            let policy = desk.policy(rng, index);
            desk.write(rng, index, policy);
        }
        desk
    }

    fn write(&mut self, rng: &mut Rng, index: usize, policy: Policy) {
        let place = &self.fleet[index];
        let kind = kinds::of(place.key.kind);
        let fields = kind.resource(rng, place, &mut self.memory[index]);
        self.put(index, content::manifest(place, fields, policy));
    }

    fn policy(&self, rng: &mut Rng, index: usize) -> Policy {
        let mut policy = content::policy(rng, self.fleet[index].key.kind);
        if let Some(proofs) = &self.proofs {
            policy.rollout = proofs.gates(rng, policy.rollout);
        }
        policy
    }

    fn put(&mut self, index: usize, mut declared: Declared) {
        if let Some(proofs) = &self.proofs {
            proofs.label(index, &mut declared);
        }
        self.before[index].push(declared.clone());
        self.now[index] = Some(declared);
    }

    fn set(&self) -> Arc<Set> {
        let mut set: Vec<_> = self.now.iter().flatten().cloned().collect();
        // The source takes no set with a reference into nowhere.
        while let Some(index) = set.iter().position(|declared| !resolves(declared, &set)) {
            set.remove(index);
        }
        let revision = format!("files@r{}", self.revision);
        for declared in &mut set {
            declared.origin.revision.clone_from(&revision);
        }
        let mut set = Set::from(set);
        if let Some(proofs) = &self.proofs {
            set.checks = proofs.checks(&revision);
            set.phases = proofs.phases(&revision);
        }
        Arc::new(set)
    }

    fn declare(&mut self, label: String) -> Act {
        self.revision += 1;
        self.unreadable = false;
        Act::Declare(label, self.set())
    }

    /// Something about checks or phases.
    fn prove(&mut self, rng: &mut Rng) -> Option<Act> {
        let proofs = self.proofs.as_mut()?;
        match rng.u8(..100) {
            0..10 => {
                let (check, temper) = proofs.turn(rng, self.fleet);
                Some(Act::Turn(check, temper))
            }
            10..17 => {
                let names = proofs.phase_names();
                let name = names.get(rng.usize(..names.len().max(1)))?.clone();
                let all = [
                    Wish::Retry,
                    Wish::Retry,
                    Wish::Approve,
                    Wish::ApproveOther,
                    Wish::Pause,
                ];
                Some(Act::AskPhase(name, all[rng.usize(..all.len())]))
            }
            17..25 => {
                let label = proofs.edit(rng);
                Some(self.declare(label))
            }
            _ => None,
        }
    }

    fn act(&mut self, rng: &mut Rng) -> Act {
        if let Some(act) = self.prove(rng) {
            return act;
        }
        let index = rng.usize(..self.fleet.len());
        let name = self.fleet[index].key.name.clone();
        match rng.u8(..100) {
            0..34 => self.edit(rng, index),
            34..40 => {
                // Restored by the next declaration.
                self.revision += 1;
                self.unreadable = true;
                Act::Declare("the source is empty".to_owned(), Arc::default())
            }
            40..43 => {
                self.unreadable = true;
                Act::SourceFailed
            }
            43..48 => {
                self.now[index] = None;
                let others = rng.usize(..=self.now.len());
                self.now
                    .iter_mut()
                    .take(others / 2)
                    .for_each(|other| *other = None);
                self.declare(format!("{name} and {} others leave the source", others / 2))
            }
            48..68 => Act::Ask(index, wish(rng)),
            68..82 => {
                let place = &self.fleet[index];
                Act::Foreign(index, kinds::of(place.key.kind).meddle(rng, place))
            }
            82..86 => Act::Outage(Duration::from_secs(rng.u64(60..3000))),
            86..91 => Act::Weather,
            91..93 => Act::Quota,
            93..96 => Act::Restart,
            _ => Act::Kill,
        }
    }

    fn edit(&mut self, rng: &mut Rng, index: usize) -> Act {
        let name = self.fleet[index].key.name.clone();
        let Some(mut now) = self.now[index].clone() else {
            let last = self.before[index].last().cloned();
            self.now[index] = last;
            return self.declare(format!("{name} comes back"));
        };
        let label = match rng.u8(..10) {
            0..5 => {
                let policy = if rng.bool() {
                    now.policy
                } else {
                    self.policy(rng, index)
                };
                self.write(rng, index, policy);
                "new content"
            }
            5..7 => {
                let versions = &self.before[index];
                let old = versions[rng.usize(..versions.len())].clone();
                self.put(index, old);
                "revert"
            }
            7 => {
                now.policy.suspend = !now.policy.suspend;
                self.put(index, now);
                "suspend toggled"
            }
            8 => {
                now.policy = self.policy(rng, index);
                self.put(index, now);
                "new settings"
            }
            _ => "an unrelated commit",
        };
        self.declare(format!("{name}: {label}"))
    }
}

fn wish(rng: &mut Rng) -> Wish {
    use Wish::{Abort, Approve, ApproveOther, Pause, Resume, Retry, UndoFirst, UndoLast};
    let all = [
        Pause,
        Resume,
        Resume,
        Retry,
        Retry,
        Retry,
        Abort,
        Approve,
        Approve,
        ApproveOther,
        UndoFirst,
        UndoLast,
    ];
    all[rng.usize(..all.len())]
}

fn resolves(declared: &Declared, set: &[Declared]) -> bool {
    let needs = kinds::of(declared.key.kind).needs(declared);
    let there = |(kind, name): &(Kind, String)| {
        set.iter()
            .any(|other| other.key.kind == *kind && other.name == *name)
    };
    needs.iter().all(there)
}
