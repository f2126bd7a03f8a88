//! What checks measure: numbers that follow from how the world is, slow, missing, or old.

use super::kinds;
use super::trace::{Reading, What};
use super::world::World;
use async_trait::async_trait;
use evenkeel::api::{CheckSpec, Document, Key, Kind, Source};
use evenkeel::core::check::{ProberError, ProberFault, Sample, Window};
use evenkeel::engine::{Probe, Prober};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::sleep;

/// From here on it is bad, in seconds; every check of the simulation says so.
pub const BAD: f64 = 5.0;
/// What may be measured of some content: one in three is bad.
const SECONDS: [f64; 9] = [0.5, 1.0, 1.0, 2.0, 3.0, 4.0, 5.5, 7.2, 12.0];
/// Old readings that may come once more.
const REMEMBERED: usize = 12;

/// How a check behaves.
#[derive(Debug, Clone)]
pub struct Temper {
    pub truth: Truth,
    /// Shares of the probes that cannot be made, bring nothing, or bring an old reading.
    pub errors: f64,
    pub silent: f64,
    pub stale: f64,
    /// It can never be made, not in calm either.
    pub blind: bool,
}

/// What there is to be measured.
#[derive(Debug, Clone)]
pub enum Truth {
    /// Seconds, whatever happens.
    Always(f64),
    /// It follows from how a resource truly is.
    Content { of: Key, salt: u64 },
    /// Another one after so many seconds.
    Flapping { salt: u64, every: i64 },
}

/// What there is to be measured in the world, by check.
#[derive(Debug, Default)]
pub struct Nature {
    tempers: Mutex<BTreeMap<String, Temper>>,
}

impl Nature {
    pub fn new(tempers: BTreeMap<String, Temper>) -> Nature {
        Nature {
            tempers: Mutex::new(tempers),
        }
    }

    pub fn is_measured(&self) -> bool {
        !self.tempers.lock().unwrap().is_empty()
    }

    pub fn turn(&self, check: String, temper: Temper) {
        self.tempers.lock().unwrap().insert(check, temper);
    }

    /// Probes work from now on, but for those that never do.
    pub fn calm(&self) {
        for temper in self.tempers.lock().unwrap().values_mut() {
            (temper.errors, temper.silent, temper.stale) = (0.0, 0.0, 0.0);
        }
    }

    fn of(&self, check: &str) -> Option<Temper> {
        self.tempers.lock().unwrap().get(check).cloned()
    }
}

/// The prober of one operator.
pub struct Gauger {
    world: Arc<World>,
    skew: SignedDuration,
    /// What was read before, with its time.
    old: Mutex<BTreeMap<String, Vec<(Timestamp, Reading)>>>,
}

impl Gauger {
    pub fn new(world: &Arc<World>, skew: SignedDuration) -> Gauger {
        Gauger {
            world: Arc::clone(world),
            skew,
            old: Mutex::default(),
        }
    }

    /// What a probe brings now, and from when that is.
    fn read(&self, check: &Document<CheckSpec>, began: Timestamp) -> (Timestamp, Reading) {
        let name = &check.name;
        let Some(temper) = self.world.nature.of(name) else {
            return (began, Reading::Error);
        };
        let (error, silent, stale) = self.world.rng(|rng| (rng.f64(), rng.f64(), rng.f64()));
        if temper.blind || error < temper.errors {
            self.world.count("probe not made");
            return (began, Reading::Error);
        }
        if silent < temper.silent {
            self.world.count("probe without data");
            return (began, Reading::Silent);
        }
        let mut old = self.old.lock().unwrap();
        let old = old.entry(name.clone()).or_default();
        if stale < temper.stale && !old.is_empty() {
            self.world.count("old reading");
            let index = self.world.rng(|rng| rng.usize(..old.len()));
            return old[index].clone();
        }
        let reading = Reading::Seconds(self.seconds(&temper.truth));
        if old.len() == REMEMBERED {
            old.remove(0);
        }
        old.push((began, reading.clone()));
        (began, reading)
    }

    fn seconds(&self, truth: &Truth) -> f64 {
        match truth {
            Truth::Always(seconds) => *seconds,
            Truth::Content { of, salt } => {
                let content = self.world.truth(of).map(|truth| content(of, &truth));
                drawn(*salt, &content)
            }
            Truth::Flapping { salt, every } => {
                drawn(*salt, &(self.world.now().as_second() / every))
            }
        }
    }
}

#[async_trait]
impl Prober for Gauger {
    async fn probe(&self, check: &Document<CheckSpec>, _: Option<Timestamp>) -> Probe {
        let began = self.world.now();
        let most = u64::try_from(check.spec.timeout.0.as_millis()).unwrap_or(u64::MAX);
        let (way, back) = self.world.rng(|rng| match rng.u8(..4) {
            0 => (rng.u64(..most / 2), rng.u64(..most / 2)),
            _ => (rng.u64(1..60), rng.u64(1..60)),
        });
        sleep(Duration::from_millis(way)).await;
        let (since, reading) = self.read(check, began);
        sleep(Duration::from_millis(back)).await;
        self.world.note(What::Probed {
            check: check.name.clone(),
            began,
            since,
            reading: reading.clone(),
        });
        Probe {
            since: since + self.skew,
            outcome: outcome(&check.spec, &reading),
        }
    }
}

fn outcome(spec: &CheckSpec, reading: &Reading) -> Result<Window, ProberError> {
    let field = match spec.source() {
        Some(Source::Tcp(_)) => "connect",
        _ => "value",
    };
    let mut window = Window::new();
    match reading {
        Reading::Error => {
            return Err(ProberError::new(ProberFault::Unavailable, "no answer"));
        }
        Reading::Silent => {}
        Reading::Seconds(seconds) => window.push(Sample::new().with(field, *seconds)),
    }
    Ok(window)
}

/// The content of a resource; the first word of some says how it works just now.
fn content(key: &Key, truth: &serde_json::Value) -> String {
    let brief = kinds::of(key.kind).brief(truth);
    let states = [
        Kind::VpcAccessConnector,
        Kind::RunService,
        Kind::SqlInstance,
    ];
    match brief.split_once(' ') {
        Some((_, content)) if states.contains(&key.kind) => content.to_owned(),
        _ => brief,
    }
}

fn drawn(salt: u64, from: &impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    (salt, from).hash(&mut hasher);
    let index = hasher.finish() % SECONDS.len() as u64;
    SECONDS[usize::try_from(index).unwrap_or_default()]
}
