//! A prober that reads what a test sets, or what follows from the emulated connector.

use super::{CONNECTOR, LOCATION, PROJECT};
use async_trait::async_trait;
use evenkeel::api::{CheckSpec, Document, Origin};
use evenkeel::core::check::{ProberError, ProberFault, Sample, Window};
use evenkeel::emulator::Emulator;
use evenkeel::engine::{Probe, Prober};
use evenkeel::gcp::clock::Clock;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What a check measures.
#[derive(Debug, Clone)]
pub enum Reads {
    /// Seconds to connect, always the same.
    Seconds(f64),
    /// The probe cannot be made.
    Nothing,
    /// Seconds to connect, from the connector as it is.
    Connector(fn(&Value) -> f64),
}

/// One number for each check.
pub struct Meter {
    pub clock: Arc<dyn Clock>,
    pub emulator: Arc<Emulator>,
    reads: Mutex<BTreeMap<String, Reads>>,
}

impl Meter {
    pub fn new(world: &super::World) -> Arc<Meter> {
        Arc::new(Meter {
            clock: Arc::clone(&world.clock),
            emulator: Arc::clone(&world.emulator),
            reads: Mutex::default(),
        })
    }

    pub fn set(&self, check: &str, reads: Reads) {
        self.reads.lock().unwrap().insert(check.to_owned(), reads);
    }

    fn seconds(&self, check: &str) -> Option<f64> {
        match self.reads.lock().unwrap().get(check)?.clone() {
            Reads::Seconds(seconds) => Some(seconds),
            Reads::Nothing => None,
            Reads::Connector(seconds) => {
                self.emulator.advance(self.clock.now());
                let connector = self.emulator.connector(PROJECT, LOCATION, CONNECTOR)?;
                Some(seconds(&connector))
            }
        }
    }
}

#[async_trait]
impl Prober for Meter {
    async fn probe(&self, check: &Document<CheckSpec>, _: Option<Timestamp>) -> Probe {
        let since = self.clock.now();
        let outcome = self.seconds(&check.name).map(|seconds| {
            let mut window = Window::new();
            window.push(Sample::new().with("ok", true).with("connect", seconds));
            window
        });
        let error = ProberError::new(ProberFault::Unavailable, "no answer");
        Probe {
            since,
            outcome: outcome.ok_or(error),
        }
    }
}

/// A check every 10 s: connections within 5 s, three probes for a verdict.
pub fn check(name: &str) -> Document<CheckSpec> {
    let spec = json!({
        "interval": "10s", "timeout": "6s",
        "tcp": {"host": "10.20.0.3", "port": 5432, "connections": 20},
        "expect": ["connect.max < 5s"],
    });
    document(name, spec)
}

/// A document of the set that `declared` belongs to.
pub fn document<S: serde::de::DeserializeOwned>(name: &str, spec: Value) -> Document<S> {
    Document {
        name: name.to_owned(),
        labels: BTreeMap::new(),
        spec: serde_json::from_value(spec).unwrap(),
        origin: origin(),
    }
}

fn origin() -> Origin {
    super::declared(json!({})).origin
}
