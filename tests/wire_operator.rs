//! Everything the operator sends, and every reply it gets, against Google's own description.

mod common;
mod wire;

use async_trait::async_trait;
use bytes::Bytes;
use common::{World, declared, grown, run, steps_of};
use evenkeel::api::envelope::{Deletion, RolloutSpec};
use evenkeel::cli::embedded::Embedded;
use evenkeel::emulator::{Action, FaultRule};
use evenkeel::gcp::http::{Http, TransportError};
use evenkeel::journal::Journal;
use http::{Request, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MINUTE: Duration = Duration::from_mins(1);

/// One request as it went over the wire, with its reply.
#[derive(Debug, Clone)]
struct Seen {
    method: String,
    path: String,
    query: String,
    body: Value,
    reply: Option<(u16, Value)>,
}

struct Recorder {
    inner: Embedded,
    seen: Arc<Mutex<Vec<Seen>>>,
}

fn json_of(bytes: &Bytes) -> Value {
    if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(bytes).expect("JSON")
    }
}

#[async_trait]
impl Http for Recorder {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut seen = Seen {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            body: json_of(request.body()),
            reply: None,
        };
        let reply = self.inner.send(request).await;
        if let Ok(response) = &reply {
            seen.reply = Some((response.status().as_u16(), json_of(response.body())));
        }
        self.seen.lock().unwrap().push(seen);
        reply
    }
}

#[test]
fn every_request_and_reply_is_as_google_describes_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    run(|| async move {
        let mut world = World::new();
        world.settings.deletes_per_sync = 1;
        let inner = Embedded {
            emulator: Arc::clone(&world.emulator),
            clock: Arc::clone(&world.clock),
        };
        let recorder = Arc::new(Recorder { inner, seen: log });
        let journal = Arc::clone(&world.journal) as Arc<dyn Journal>;
        let operator = world.operator_on(recorder, journal);

        // Create, grow in steps, change the machine type, lose replies, delete.
        let mut second = declared(json!({
            "minInstances": 2, "maxInstances": 4, "network": "default", "ipCidrRange": "10.9.0.0/28",
            "machineType": "e2-micro"
        }));
        second.key.name = "second".into();
        second.name = "second".into();
        second.policy.deletion = Deletion::Delete;
        operator
            .declare(vec![declared(grown()), second.clone()])
            .await;
        tokio::time::sleep(20 * MINUTE).await;
        let lost = FaultRule::new(Action::ResetAfter).on("PATCH", "/").times(1);
        world.emulator.set_faults(vec![lost]);
        second
            .resource
            .insert("machineType".into(), json!("e2-standard-4"));
        second.policy.rollout = Some(RolloutSpec {
            allow_disruptive: true,
            ..steps_of(1, 1)
        });
        operator.declare(vec![declared(grown()), second]).await;
        tokio::time::sleep(20 * MINUTE).await;
        operator.declare(vec![declared(grown())]).await;
        tokio::time::sleep(20 * MINUTE).await;
        operator.stop().await;
    });

    let seen = seen.lock().unwrap();
    let mut methods = std::collections::BTreeSet::new();
    for one in seen.iter() {
        let surface = wire::Surface::of_request(&one.method, &one.path);
        let surface = surface.unwrap_or_else(|| panic!("no API has such a method: {one:#?}"));
        let problems = surface.request_problems(&one.method, &one.path, &one.query, &one.body);
        assert!(problems.is_empty(), "{problems:#?}\nin {one:#?}");
        if let Some((status, reply)) = &one.reply {
            surface.assert(&wire::Exchange {
                method: &one.method,
                path: &one.path,
                query: &one.query,
                body: one.body.clone(),
                status: *status,
                reply: reply.clone(),
            });
        }
        methods.extend(surface.method_id(&one.method, &one.path));
    }
    let all = ["create", "delete", "get", "list", "patch"].map(|verb| format!("connectors.{verb}"));
    for wanted in all
        .iter()
        .map(String::as_str)
        .chain(["operations.get", "operations.list"])
    {
        assert!(
            methods.iter().any(|id| id.ends_with(wanted)),
            "{wanted} not met in {methods:?}"
        );
    }
    println!("{} requests, {} methods", seen.len(), methods.len());
}
