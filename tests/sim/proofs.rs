//! Draws what gated fleets are proved by: checks, what these measure in truth, and phases.

use super::kinds::{Place, pick};
use super::prober::{Temper, Truth};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{
    CheckSpec, Declared, Document, HumanDuration, Origin, PhaseSpec, Verify, VerifyMode,
};
use fastrand::Rng;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// The checks and phases of a fleet.
#[derive(Debug, Clone)]
pub struct Proofs {
    /// The phase of each place.
    lots: Vec<Option<u8>>,
    checks: Vec<(String, CheckSpec)>,
    phases: Vec<PhaseSpec>,
    pub tempers: BTreeMap<String, Temper>,
}

impl Proofs {
    pub fn draw(rng: &mut Rng, fleet: &[Place]) -> Proofs {
        let mut tempers = BTreeMap::new();
        let mut checks = Vec::new();
        for index in 0..rng.usize(1..=3) {
            let name = format!("load{index}");
            tempers.insert(name.clone(), temper(rng, fleet));
            checks.push((name, check(rng)));
        }
        let mut proofs = Proofs {
            lots: vec![None; fleet.len()],
            checks,
            phases: Vec::new(),
            tempers,
        };
        let most = [0, 1, 2, 2, 3][rng.usize(..5)];
        let mut phase = 1;
        // What others refer to stands before them, and so does its phase.
        for lot in &mut proofs.lots {
            phase = rng.u8(phase..=most.max(phase));
            *lot = (rng.u8(..5) > 0).then_some(phase);
        }
        for number in 1..=most {
            let spec = proofs.phase(rng, number);
            proofs.phases.push(spec);
        }
        proofs
    }

    /// Puts a resource into its phase.
    pub fn label(&self, index: usize, declared: &mut Declared) {
        let lot = self.lots[index].map(|phase| ("phase".to_owned(), phase.to_string()));
        declared.labels = lot.into_iter().collect();
    }

    /// What the steps of a resource must pass.
    pub fn gates(&self, rng: &mut Rng, spec: Option<RolloutSpec>) -> Option<RolloutSpec> {
        if rng.u8(..10) < 2 {
            return spec;
        }
        let mut spec = spec.unwrap_or_default();
        spec.verify = self.verify(
            rng,
            &[VerifyMode::Gate, VerifyMode::Gate, VerifyMode::Report],
        );
        spec.allow_disruptive |= rng.bool();
        Some(spec)
    }

    pub fn checks(&self, revision: &str) -> Vec<Document<CheckSpec>> {
        let made = |(name, spec): &(String, CheckSpec)| document(name, spec.clone(), revision);
        self.checks.iter().map(made).collect()
    }

    pub fn phases(&self, revision: &str) -> Vec<Document<PhaseSpec>> {
        let made = |(spec, number): (&PhaseSpec, usize)| {
            document(&phase_name(number), spec.clone(), revision)
        };
        self.phases.iter().zip(1..).map(made).collect()
    }

    pub fn phase_names(&self) -> Vec<String> {
        (1..=self.phases.len()).map(phase_name).collect()
    }

    /// Somebody edits a check or a phase.
    pub fn edit(&mut self, rng: &mut Rng) -> String {
        if rng.bool() || self.phases.is_empty() {
            let index = rng.usize(..self.checks.len());
            self.checks[index].1 = check(rng);
            return format!("{}: another check", self.checks[index].0);
        }
        let index = rng.usize(..self.phases.len());
        let number = u8::try_from(index + 1).unwrap();
        self.phases[index] = self.phase(rng, number);
        format!("{}: another phase", phase_name(index + 1))
    }

    /// What a check measures turns into something else.
    pub fn turn(&self, rng: &mut Rng, fleet: &[Place]) -> (String, Temper) {
        let (name, _) = &self.checks[rng.usize(..self.checks.len())];
        (name.clone(), temper(rng, fleet))
    }

    fn verify(&self, rng: &mut Rng, modes: &[VerifyMode]) -> Vec<Verify> {
        let mut verify = Vec::new();
        for (check, _) in &self.checks {
            if rng.bool() {
                let (check, mode) = (check.clone(), pick(rng, modes));
                verify.push(Verify { check, mode });
            }
        }
        verify
    }

    fn phase(&self, rng: &mut Rng, number: u8) -> PhaseSpec {
        let mut spec: PhaseSpec = serde_json::from_value(json!({
            "select": {"matchLabels": {"phase": number.to_string()}},
            "onFailure": pick(rng, &["Rollback", "Hold"]),
            "maxParallel": rng.u8(1..=3),
            "approval": if rng.u8(..8) == 0 { "Manual" } else { "Auto" },
        }))
        .unwrap();
        let bake = pick(rng, &[0, 0, 60, 300, 900]);
        spec.bake = (bake > 0).then(|| HumanDuration(Duration::from_secs(bake)));
        let modes = [VerifyMode::Gate, VerifyMode::Gate, VerifyMode::Baseline];
        spec.verify = self.verify(rng, &modes);
        if number > 1 && rng.u8(..8) > 0 {
            let before = json!([{"name": phase_name(usize::from(number) - 1)}]);
            spec.depends_on = serde_json::from_value(before).unwrap();
        }
        spec
    }
}

fn phase_name(number: usize) -> String {
    format!("stage{number}")
}

fn document<S>(name: &str, spec: S, revision: &str) -> Document<S> {
    let origin = Origin {
        revision: revision.to_owned(),
        ..Origin::default()
    };
    Document {
        name: name.to_owned(),
        labels: BTreeMap::new(),
        spec,
        origin,
    }
}

/// Something that takes up to 5 seconds where all is well.
fn check(rng: &mut Rng) -> CheckSpec {
    let (source, query, field, least) = match rng.u8(..8) {
        0 => {
            let query = json!({"project": "netra-staging", "filter": "metric.type = \"load\""});
            ("metric", query, "value", 30)
        }
        1 => {
            let query =
                json!({"project": "netra-staging", "filter": "load", "extract": "([0-9]+)"});
            ("log", query, "value", 30)
        }
        _ => {
            let query = json!({"host": "10.20.0.3", "port": 5432, "connections": 20});
            ("tcp", query, "connect", 10)
        }
    };
    let interval = pick(rng, &[10, 20, 30, 60]).max(least);
    let mut spec = json!({
        "interval": format!("{interval}s"),
        "timeout": "6s",
        "expect": [format!("{field}.max < 5s")],
        "passes": rng.u8(1..=3),
        "failures": rng.u8(1..=3),
        "noData": pick(rng, &["Inconclusive", "Inconclusive", "Fail", "Pass"]),
    });
    if field == "value" {
        spec["expect"] = json!(["value.max < 5"]);
    }
    spec[source] = query;
    serde_json::from_value(spec).unwrap()
}

fn temper(rng: &mut Rng, fleet: &[Place]) -> Temper {
    let salt = rng.u64(..);
    let truth = match rng.u8(..10) {
        0 | 1 => Truth::Always(1.0),
        2 => Truth::Always(pick(rng, &[5.5, 7.2, 30.0])),
        3 => Truth::Flapping {
            salt,
            every: pick(rng, &[20, 90, 600]),
        },
        _ => Truth::Content {
            of: fleet[rng.usize(..fleet.len())].key.clone(),
            salt,
        },
    };
    let mut share = |most: f64| {
        if rng.u8(..3) == 0 {
            rng.f64() * most
        } else {
            0.0
        }
    };
    Temper {
        truth,
        errors: share(0.8),
        silent: share(0.5),
        stale: share(0.6),
        blind: rng.u8(..16) == 0,
    }
}
