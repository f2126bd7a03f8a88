//! An emulated GCP, filled through its own API and read as the command line reads it.

use super::Create;
use bytes::Bytes;
use evenkeel::api::{Key, Kind};
use evenkeel::cli::embedded::Embedded;
use evenkeel::cli::export::Found;
use evenkeel::emulator::{Emulator, Options, Outcome, Scenario, Timing};
use evenkeel::engine::Services;
use evenkeel::gcp::access::Access;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports};
use evenkeel::gcp::clock::{Clock, SystemClock};
use evenkeel::gcp::endpoint::EmulatorBase;
use evenkeel::gcp::entropy::Entropy;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub const PROJECT: &str = "netra-staging";

pub struct Gcp {
    pub emulator: Arc<Emulator>,
    pub services: Services,
    clock: Arc<dyn Clock>,
}

impl Gcp {
    /// Call inside a paused runtime.
    pub fn new() -> Gcp {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::starting_at(
            "2026-11-23T10:00:00Z".parse().unwrap(),
        ));
        let emulator = Arc::new(Emulator::new(Options {
            scenario: Scenario::NetraStaging,
            seed: 7,
            timing: Timing::instant(),
        }));
        Gcp::around(emulator, clock)
    }

    /// The same GCP as somebody else's.
    pub fn around(emulator: Arc<Emulator>, clock: Arc<dyn Clock>) -> Gcp {
        let http = Embedded {
            emulator: Arc::clone(&emulator),
            clock: Arc::clone(&clock),
        };
        let client = Client::new(Ports {
            http: Arc::new(http),
            access: Access::emulator(EmulatorBase::parse("http://127.0.0.1:1/", false).unwrap()),
            budgets: Budgets::new(),
            entropy: Arc::new(Entropy::seeded(7)),
            clock: Arc::clone(&clock),
        });
        Gcp {
            emulator,
            services: Services::new(&Arc::new(client)),
            clock,
        }
    }

    /// A call that GCP must take; it has taken effect when this returns.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:1/{path}"))
            .body(bytes)
            .unwrap();
        let Outcome::Reply(reply) = self.emulator.handle(self.clock.now(), &request).outcome else {
            panic!("{method} {path}: no reply");
        };
        let text = String::from_utf8_lossy(reply.body()).into_owned();
        assert!(
            reply.status().is_success(),
            "{method} {path} {body}: {text}"
        );
        self.pass(5).await;
        serde_json::from_str(&text).unwrap()
    }

    pub async fn create(&self, one: &Create) {
        self.call("POST", &one.path, &one.body).await;
    }

    pub async fn pass(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Everything there is.
    pub async fn survey(&self) -> Vec<Found> {
        let mut found = Vec::new();
        for kind in Kind::ALL.iter().copied() {
            let service = self.services.of(kind);
            let survey = service.survey(PROJECT).await.unwrap();
            assert!(survey.unreachable.is_empty());
            found.extend(survey.found.into_iter().map(|(location, raw)| Found {
                key: Key {
                    kind,
                    project: PROJECT.to_owned(),
                    location,
                    name: service.name_of(&raw).unwrap(),
                },
                raw,
            }));
        }
        found
    }
}
