//! What a sweep costs: one LIST for every 500 resources of a kind, however many there are.

use bytes::Bytes;
use evenkeel::api::Kind;
use evenkeel::cli::embedded::Embedded;
use evenkeel::emulator::{Emulator, Options, Outcome, Scenario, Timing};
use evenkeel::engine::Services;
use evenkeel::gcp::access::Access;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports};
use evenkeel::gcp::clock::{Clock, SystemClock};
use evenkeel::gcp::endpoint::EmulatorBase;
use evenkeel::gcp::entropy::Entropy;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Lists 2,000 resources of a kind and returns how many came, and how many reads it took.
async fn sweep(kind: Kind, places: &[&str]) -> (usize, usize) {
    sweep_of(Scenario::Many, |_| (), kind, places).await
}

async fn sweep_of(
    scenario: Scenario,
    prepare: impl FnOnce(&Emulator),
    kind: Kind,
    places: &[&str],
) -> (usize, usize) {
    let timing = Timing::instant();
    let options = Options {
        scenario,
        seed: 1,
        timing,
    };
    let emulator = Arc::new(Emulator::new(options));
    prepare(&emulator);
    let before = emulator.requests().len();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let http = Embedded {
        emulator: Arc::clone(&emulator),
        clock: Arc::clone(&clock),
    };
    let services = Services::new(&Arc::new(Client::new(Ports {
        http: Arc::new(http),
        access: Access::emulator(EmulatorBase::parse("http://127.0.0.1:1/", false).unwrap()),
        budgets: Budgets::new(),
        entropy: Arc::new(Entropy::seeded(1)),
        clock,
    })));
    let mut found = 0;
    for place in places {
        found += services
            .of(kind)
            .list("netra-many", place)
            .await
            .unwrap()
            .items
            .len();
    }
    (found, emulator.requests().len() - before)
}

#[tokio::test(start_paused = true)]
async fn two_thousand_cost_four_reads() {
    for kind in [Kind::HealthCheck, Kind::BackendService] {
        let places = ["global", "us-central1", "europe-west1"];
        assert_eq!(sweep(kind, &places).await, (2000, 4), "{kind}");
    }
}

/// Managed certificates are global only; one read more tells which proxies serve them.
#[tokio::test(start_paused = true)]
async fn certificates_come_with_their_proxies() {
    assert_eq!(
        sweep(Kind::SslCertificate, &["global"]).await,
        (2000, 4 + 1)
    );
}

/// A certificate of Certificate Manager comes with what proves it and what serves it: one read more for
/// each of authorizations, maps and the entries of a map.
#[tokio::test(start_paused = true)]
async fn managed_certificates_come_with_their_surroundings() {
    let make = |emulator: &Emulator| {
        let post = |collection: &str, id: &str, body: Value| {
            let place = "http://127.0.0.1:1/v1/projects/netra-many/locations/global";
            let request = http::Request::builder()
                .method("POST")
                .uri(format!("{place}/{collection}Id={id}"))
                .body(Bytes::from(body.to_string()))
                .unwrap();
            let handled = emulator.handle(Timestamp::now(), &request);
            let Outcome::Reply(reply) = handled.outcome else {
                panic!("no reply");
            };
            assert!(reply.status().is_success(), "{:?}", reply.body());
        };
        post("certificateMaps?certificateMap", "front", json!({}));
        for index in 0..501 {
            let managed = json!({"managed": {"domains": [format!("d{index}.example.com")]}});
            post("certificates?certificate", &format!("c{index}"), managed);
        }
    };
    let found = sweep_of(Scenario::Empty, make, Kind::ManagedCertificate, &["global"]).await;
    assert_eq!(found, (501, 2 + 1 + 1 + 1));
}
