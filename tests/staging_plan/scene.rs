//! The world of the plan, the checks of `manifests/staging`, and probes that stand beside its services.

use crate::common::World;
use crate::common::wire::client::Gcp;
use crate::common::wire::plan;
use async_trait::async_trait;
use evenkeel::api::{CheckSpec, Document};
use evenkeel::check::{Ask, Prober as _, Probers};
use evenkeel::cli::vantage;
use evenkeel::core::check::{Criteria, Evaluation};
use evenkeel::emulator::dataplane::{Dataplane, Listen};
use evenkeel::emulator::{Controls, Scenario};
use evenkeel::engine::{Probe, Prober};
use evenkeel::gcp::clock::{Clock, SystemClock};
use evenkeel::secrets::LocalSecrets;
use evenkeel::source::{self, Input, NoCheck, Set};
use jiff::Timestamp;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

pub fn manifests() -> Set {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("manifests/staging");
    let set = source::load(&[Input::Path(folder)], &NoCheck);
    set.unwrap_or_else(|errors| panic!("{}", errors.render(false)))
}

pub struct Scene {
    pub world: World,
    pub set: Set,
    probers: Arc<Here>,
}

/// Probes of this machine, with all that they reach.
struct Here {
    probers: Probers,
    clock: Arc<dyn Clock>,
    /// What the probes reach lives as long as they do.
    _dataplane: Arc<Dataplane>,
}

#[async_trait]
impl Prober for Here {
    async fn probe(&self, check: &Document<CheckSpec>, step: Option<Timestamp>) -> Probe {
        let ask = Ask {
            now: self.clock.now(),
            not_before: step,
        };
        let reading = self.probers.probe(&check.spec, ask).await;
        Probe {
            since: reading.since,
            outcome: reading.outcome,
        }
    }
}

impl Scene {
    /// Before the plan. Call inside a paused runtime.
    pub async fn incident() -> Scene {
        Scene::on(World::new()).await
    }

    /// After the plan, carried out by hand.
    pub async fn settled() -> Scene {
        let mut gcp = Gcp::new(Scenario::NetraStaging);
        plan::all(&mut gcp);
        let mut world = World::new();
        world.clock = Arc::new(SystemClock::starting_at(gcp.now));
        world.emulator = Arc::new(gcp.emulator);
        Scene::on(world).await
    }

    async fn on(mut world: World) -> Scene {
        let clock = Arc::clone(&world.clock);
        let now = Arc::new(move || clock.now());
        let dataplane = Dataplane::start(Arc::clone(&world.emulator), now, Listen::default());
        let dataplane = Arc::new(dataplane.await.unwrap());
        let secrets = Arc::new(LocalSecrets::with_environment(None, Box::new(|_| None)));
        let probers = Probers::new(secrets, 500)
            .at(vantage::beside(&dataplane))
            .with_google(&world.client());
        let probers = Arc::new(Here {
            probers,
            clock: Arc::clone(&world.clock),
            _dataplane: dataplane,
        });
        world.prober = Arc::clone(&probers) as _;
        Scene {
            world,
            set: manifests(),
            probers,
        }
    }

    pub fn check(&self, name: &str) -> &Document<CheckSpec> {
        let found = self.set.checks.iter().find(|check| check.name == name);
        found.unwrap_or_else(|| panic!("no check {name}"))
    }

    /// What one probe of a check says now.
    pub async fn read(&self, name: &str) -> Evaluation {
        let check = self.check(name);
        let probe = self.probers.probe(check, None).await;
        let criteria = Criteria::of(&check.spec).unwrap();
        criteria.evaluate(probe.since, &probe.outcome)
    }

    /// Sets what goes wrong, and lets the world notice.
    pub async fn traffic(&self, controls: &Value) {
        let controls = Controls::from_json(controls).unwrap();
        self.world.emulator.advance(self.world.clock.now());
        self.world.emulator.set_traffic(controls).unwrap();
        tokio::time::sleep(std::time::Duration::from_mins(12)).await;
    }
}
