//! The scenes since the beginning, so that metrics and logs can tell how things were.
//!
//! Only two things remember: a connector's instances, which only grow, and what the load balancer thinks of a
//! machine. Both are settled where a scene begins, and follow from it from then on.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use super::load;
use super::scene::{Backend, Scene};
use crate::emulator::timing::{earlier, later};

const EPOCHS_MAX: usize = 500;

/// A snapshot is written with every change: it keeps the end of the tape only.
const EPOCHS_KEPT_MAX: usize = 64;

/// How long the incident had been going on when the world was first looked at.
const BEFORE: Duration = Duration::from_hours(24);

/// Connector instances by name.
type Instances = BTreeMap<String, u32>;

/// What a load balancer thinks of its machines: by backend service, by machine.
type Health = BTreeMap<String, BTreeMap<String, bool>>;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Epoch {
    from: Timestamp,
    scene: Scene,
    /// How long a connector takes to add an instance.
    pace: Duration,
    instances: Instances,
    health: Health,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Tape {
    began: Option<Timestamp>,
    #[serde(serialize_with = "last_epochs")]
    epochs: VecDeque<Epoch>,
}

fn last_epochs<S: Serializer>(epochs: &VecDeque<Epoch>, serializer: S) -> Result<S::Ok, S::Error> {
    let skipped = epochs.len().saturating_sub(EPOCHS_KEPT_MAX);
    serializer.collect_seq(epochs.range(skipped..))
}

impl Tape {
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }

    /// The first time that anything is known of.
    pub fn began(&self) -> Timestamp {
        self.began.unwrap_or(Timestamp::MAX)
    }

    pub fn begin(&mut self, now: Timestamp) {
        self.began.get_or_insert_with(|| earlier(now, BEFORE));
    }

    /// A scene holds from `at` on, unless it is the one that does already.
    pub fn note(&mut self, at: Timestamp, scene: Scene, pace: Duration) {
        let epoch = match self.epochs.back() {
            None => Epoch::first(scene, pace),
            Some(last) if last.scene == scene && last.pace == pace => return,
            Some(last) => last.next(at.max(last.from), scene, pace),
        };
        if self
            .epochs
            .back()
            .is_some_and(|last| last.from == epoch.from && self.epochs.len() > 1)
        {
            self.epochs.pop_back();
        }
        self.epochs.push_back(epoch);
        if self.epochs.len() > EPOCHS_MAX {
            self.epochs.pop_front();
        }
    }

    fn epoch(&self, at: Timestamp) -> Option<&Epoch> {
        let after = self.epochs.partition_point(|epoch| epoch.from <= at);
        self.epochs.get(after.saturating_sub(1))
    }

    pub fn scene(&self, at: Timestamp) -> Option<&Scene> {
        Some(&self.epoch(at)?.scene)
    }

    pub fn instances(&self, at: Timestamp) -> Instances {
        self.epoch(at)
            .map(|epoch| epoch.instances(at))
            .unwrap_or_default()
    }

    pub fn health(&self, at: Timestamp) -> Health {
        self.epoch(at)
            .map(|epoch| epoch.health(at))
            .unwrap_or_default()
    }
}

impl Epoch {
    /// Everything has long come to rest.
    fn first(scene: Scene, pace: Duration) -> Self {
        let instances = wanted(&scene, &Instances::new());
        let health = found(&scene);
        Self {
            from: Timestamp::MIN,
            scene,
            pace,
            instances,
            health,
        }
    }

    fn next(&self, at: Timestamp, scene: Scene, pace: Duration) -> Self {
        Self {
            instances: self.instances(at),
            health: self.health(at),
            from: at,
            scene,
            pace,
        }
    }

    /// A connector adds one instance after the other until it has what it wants.
    fn instances(&self, at: Timestamp) -> Instances {
        let passed = at.duration_since(self.from).max(SignedDuration::ZERO);
        let grown = match self.pace.as_nanos() {
            0 => u32::MAX,
            pace => u32::try_from(passed.as_nanos().unsigned_abs() / pace).unwrap_or(u32::MAX),
        };
        let wanted = wanted(&self.scene, &self.instances);
        let grow = |(name, wanted): (String, u32)| {
            let connector = self.scene.connectors.get(&name)?;
            let before = self.instances.get(&name).copied().unwrap_or_default();
            let instances = before.max(connector.min).saturating_add(grown).min(wanted);
            Some((name, instances))
        };
        wanted.into_iter().filter_map(grow).collect()
    }

    /// A machine is seen to be well, or not, after so many checks in a row.
    fn health(&self, at: Timestamp) -> Health {
        let mut health = found(&self.scene);
        for (backend, machines) in &mut health {
            let Some(Backend::Machines {
                check: Some(check), ..
            }) = self.scene.backends.get(backend)
            else {
                continue;
            };
            let before = self.health.get(backend);
            for (machine, well) in machines {
                let was = before.and_then(|before| before.get(machine)).copied();
                let noticed = later(self.from, check.notices_after(*well)) <= at;
                // Nobody has seen a new one well yet.
                if !noticed {
                    *well = was.unwrap_or(false);
                }
            }
        }
        health
    }
}

fn wanted(scene: &Scene, present: &Instances) -> Instances {
    let offered = load::offered(scene, |_| 1.0);
    let of = |(name, connector): (&String, &super::connector::Connector)| {
        let offered = offered.get(name).copied().unwrap_or_default();
        let present = present.get(name).copied().unwrap_or_default();
        (name.clone(), connector.wanted(offered, present))
    };
    scene.connectors.iter().map(of).collect()
}

/// What checks find. Without a check every machine is taken to be well.
fn found(scene: &Scene) -> Health {
    let mut health = Health::new();
    for (name, backend) in &scene.backends {
        let Backend::Machines {
            machines,
            check,
            port,
        } = backend
        else {
            continue;
        };
        let well = |machine: &super::machine::Machine| match check {
            Some(check) => check.finds_well(machine, *port, &scene.controls),
            None => true,
        };
        let machines = machines.iter();
        let found = machines.map(|machine| (machine.name.clone(), well(machine)));
        health.insert(name.clone(), found.collect());
    }
    health
}
