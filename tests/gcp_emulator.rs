//! The room against the emulator in the same process, on paused time: two readings of the same API.

use async_trait::async_trait;
use bytes::Bytes;
use evenkeel::api::{Key, Kind};
use evenkeel::core::error::{Fault, FaultKind};
use evenkeel::core::observed::Operation;
use evenkeel::core::permit::{Authority, Durable, Tenure};
use evenkeel::core::record::{Intent, Sealed, Verb};
use evenkeel::emulator::{
    self, Action, Emulator, ErrorFault, FaultRule, Options, Outcome, Quota, Scenario, Timing,
};
use evenkeel::gcp::access::Access;
use evenkeel::gcp::budget::Budgets;
use evenkeel::gcp::client::{Client, Ports};
use evenkeel::gcp::clock::{Clock, SystemClock};
use evenkeel::gcp::endpoint::EmulatorBase;
use evenkeel::gcp::entropy::Entropy;
use evenkeel::gcp::http::{Http, TransportError};
use evenkeel::gcp::service::Service;
use evenkeel::gcp::vpcaccess::VpcAccess;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const P: &str = "netra-staging";
const L: &str = "us-central1";
const C: &str = "staging-connector";
/// How long operations run here.
const RUN: Duration = Duration::from_mins(1);

struct Gcp {
    emulator: Emulator,
    clock: SystemClock,
}

#[async_trait]
impl Http for Gcp {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let handled = self.emulator.handle(self.clock.now(), &request);
        tokio::time::sleep(handled.delay).await;
        match handled.outcome {
            Outcome::Reply(reply) => Ok(reply),
            Outcome::Reset => Err(TransportError::Lost("reset".to_owned())),
        }
    }
}

/// A world at 10:00:10 with one connector.
fn start() -> (Arc<Gcp>, VpcAccess) {
    let clock = SystemClock::starting_at("2026-11-23T10:00:10Z".parse().unwrap());
    let options = Options {
        scenario: Scenario::NetraStaging,
        seed: 1,
        timing: Timing::fixed(RUN, Duration::ZERO),
    };
    let gcp = Arc::new(Gcp {
        emulator: Emulator::new(options),
        clock,
    });
    let http: Arc<dyn Http> = Arc::<Gcp>::clone(&gcp);
    let client = Client::new(Ports {
        http,
        access: Access::emulator(EmulatorBase::parse("http://127.0.0.1:1", false).unwrap()),
        budgets: Budgets::new(),
        entropy: Arc::new(Entropy::seeded(1)),
        clock: Arc::new(clock),
    });
    (gcp, VpcAccess::new(Arc::new(client)))
}

async fn write(
    service: &VpcAccess,
    name: &str,
    verb: Verb,
    body: Value,
) -> Result<Operation, Fault> {
    let fields = body.as_object().into_iter().flatten();
    let intent = Intent {
        id: "i".to_owned(),
        key: Key {
            kind: Kind::VpcAccessConnector,
            project: P.to_owned(),
            location: L.to_owned(),
            name: name.to_owned(),
        },
        verb,
        object: None,
        mask: fields.map(|(name, _)| name.clone()).collect(),
        body,
        sealed: Sealed::default(),
        prepared_at: "2026-11-23T10:00:00Z".parse().unwrap(),
        request: None,
    };
    let authority = Authority {
        tenure: Tenure::Unlimited,
        apply: true,
        draining: false,
    };
    let permit = authority
        .permit(false, jiff::Timestamp::UNIX_EPOCH)
        .unwrap();
    service.write(&permit, Durable::attest(&intent)).await
}

async fn patch(service: &VpcAccess, min: u32, max: u32) -> Result<Operation, Fault> {
    let body = json!({"minInstances": min, "maxInstances": max});
    write(service, C, Verb::Patch, body).await
}

#[tokio::test(start_paused = true)]
async fn reads_patches_and_polls() {
    let (_, service) = start();
    let before = service.get(P, L, C).await.unwrap().unwrap();
    let listing = service.list(P, L).await.unwrap();
    assert_eq!(listing.items, [before]);
    assert_eq!(service.name_of(&listing.items[0]).as_deref(), Some(C));

    let accepted = patch(&service, 3, 6).await.unwrap();
    assert!(!accepted.done && accepted.created.is_some());
    assert_eq!(accepted.target, Some(service.target(P, L, C)));
    assert!(!service.operation(&accepted.name).await.unwrap().done);
    assert_eq!(service.operations(P, L).await.unwrap().len(), 1);
    tokio::time::sleep(RUN).await;
    let finished = service.operation(&accepted.name).await.unwrap();
    assert!(finished.done && finished.error.is_none());
    let after = service.get(P, L, C).await.unwrap().unwrap();
    assert_eq!(
        (&after["minInstances"], &after["maxInstances"]),
        (&json!(3), &json!(6))
    );
}

#[tokio::test(start_paused = true)]
async fn creates_and_deletes() {
    let (_, service) = start();
    assert_eq!(service.get(P, L, "other").await, Ok(None));
    let body = json!({"network": "default", "ipCidrRange": "10.99.0.0/28",
        "minInstances": 2, "maxInstances": 3});
    let accepted = write(&service, "other", Verb::Create, body.clone())
        .await
        .unwrap();
    tokio::time::sleep(RUN * 3).await;
    let created = service.operation(&accepted.name).await.unwrap();
    assert!(created.done && created.error.is_none(), "{created:?}");
    let again = write(&service, "other", Verb::Create, body)
        .await
        .unwrap_err();
    assert_eq!(again.kind, FaultKind::AlreadyExists);
    write(&service, "other", Verb::Delete, Value::Null)
        .await
        .unwrap();
    tokio::time::sleep(RUN * 3).await;
    assert_eq!(service.get(P, L, "other").await, Ok(None));
    let gone = write(&service, "other", Verb::Delete, Value::Null)
        .await
        .unwrap_err();
    assert_eq!(gone.kind, FaultKind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn refusals_have_their_kinds() {
    let (gcp, service) = start();
    assert_eq!(
        patch(&service, 3, 50).await.unwrap_err().kind,
        FaultKind::Invalid
    );
    patch(&service, 3, 6).await.unwrap();
    assert_eq!(
        patch(&service, 4, 7).await.unwrap_err().kind,
        FaultKind::Busy
    );
    tokio::time::sleep(RUN).await;
    // Shrinking is refused for good.
    let refused = patch(&service, 2, 3).await;
    let failed = match refused {
        Err(fault) => fault,
        Ok(operation) => {
            tokio::time::sleep(RUN).await;
            service
                .operation(&operation.name)
                .await
                .unwrap()
                .error
                .unwrap()
        }
    };
    assert_eq!(failed.kind, FaultKind::Invalid, "{failed}");
    for access in [
        emulator::Access::Denied,
        emulator::Access::ApiDisabled,
        emulator::Access::AnyToken,
    ] {
        gcp.emulator.set_access(access);
        for fault in [
            service.get(P, L, "absent").await.unwrap_err(),
            service.list(P, L).await.unwrap_err(),
            patch(&service, 4, 8).await.unwrap_err(),
        ] {
            assert_eq!(fault.kind, FaultKind::Denied, "{fault}");
        }
        tokio::time::sleep(RUN).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_location_is_not_an_absent_connector() {
    let (_, service) = start();
    let answer = service.get(P, "nowhere1", C).await;
    assert!(answer.is_err(), "{answer:?}");
    assert!(service.list(P, "nowhere1").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_is_unclear_and_the_write_is_not_repeated() {
    for action in [Action::ResetBefore, Action::ResetAfter] {
        let (gcp, service) = start();
        let rule = FaultRule::new(action).on("PATCH", "");
        gcp.emulator.set_faults(vec![rule]);
        assert_eq!(
            patch(&service, 3, 6).await.unwrap_err().kind,
            FaultKind::Unclear
        );
        let writes = gcp
            .emulator
            .requests()
            .iter()
            .filter(|r| r.method == "PATCH")
            .count();
        assert_eq!(writes, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn reads_get_over_an_outage() {
    let (gcp, service) = start();
    let outage = ErrorFault {
        status: 503,
        ..ErrorFault::default()
    };
    let rule = FaultRule::new(Action::Error(outage)).on("GET", "").times(4);
    gcp.emulator.set_faults(vec![rule]);
    assert!(service.get(P, L, C).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_is_left_alone_until_the_next_minute() {
    let (gcp, service) = start();
    gcp.emulator.set_quota(Quota {
        reads_per_minute: 1,
        writes_per_minute: 0,
    });
    assert!(service.list(P, L).await.is_ok());
    let fault = service.list(P, L).await.unwrap_err();
    let FaultKind::Throttled { after: Some(after) } = fault.kind else {
        panic!("{fault}")
    };
    assert!(
        after >= Duration::from_secs(49) && after <= Duration::from_secs(52),
        "{after:?}"
    );
    let sent = gcp.emulator.requests().len();
    assert!(service.list(P, L).await.is_err());
    assert_eq!(gcp.emulator.requests().len(), sent);
    tokio::time::sleep(after).await;
    assert!(service.list(P, L).await.is_ok());
    // Writes are counted apart.
    assert!(patch(&service, 3, 6).await.is_ok());
}
