//! A client of the emulator in the same process, on a clock that the test moves. Every exchange with an API
//! is checked against its surface.

use std::time::Duration;

use bytes::Bytes;
use evenkeel::emulator::{Emulator, Options, Outcome, Scenario, Timing};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Exchange, Surface};

pub const REGION: &str = "/v1/projects/p1/locations/us-central1";
pub const STAGING: &str =
    "/v1/projects/netra-staging/locations/us-central1/connectors/staging-connector";

pub struct Gcp {
    pub emulator: Emulator,
    pub now: Timestamp,
    pub surface: Surface,
    pub compute: &'static Surface,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub text: String,
    pub headers: http::HeaderMap,
    pub delay: Duration,
}

impl Reply {
    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }

    pub fn rpc(&self) -> &str {
        self.body["error"]["status"].as_str().unwrap_or_default()
    }

    /// The first reason, as compute gives it.
    pub fn reason(&self) -> &str {
        self.body["error"]["errors"][0]["reason"]
            .as_str()
            .unwrap_or_default()
    }

    /// The path of compute's operation.
    pub fn compute_operation(&self) -> String {
        path_of(&self.body["selfLink"])
    }

    /// The name of the operation, as a path.
    pub fn operation(&self) -> String {
        format!(
            "/v1/{}",
            self.body["name"].as_str().expect("an operation has a name")
        )
    }
}

impl Gcp {
    /// Operations run for 60 s (a create 120 s), reads do not lag.
    pub fn new(scenario: Scenario) -> Self {
        Self::timed(
            scenario,
            1,
            Timing::fixed(Duration::from_mins(1), Duration::ZERO),
        )
    }

    pub fn timed(scenario: Scenario, seed: u64, timing: Timing) -> Self {
        let emulator = Emulator::new(Options {
            scenario,
            seed,
            timing,
        });
        Self::around(emulator)
    }

    pub fn around(emulator: Emulator) -> Self {
        let now = "2026-11-23T10:00:00Z".parse().expect("a time");
        Self {
            emulator,
            now,
            surface: Surface::vpcaccess(),
            compute: Surface::compute(),
        }
    }

    pub fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub fn get(&self, target: &str) -> Reply {
        self.call("GET", target, Value::Null)
    }

    pub fn post(&self, target: &str, body: Value) -> Reply {
        self.call("POST", target, body)
    }

    pub fn patch(&self, target: &str, body: Value) -> Reply {
        self.call("PATCH", target, body)
    }

    pub fn delete(&self, target: &str) -> Reply {
        self.call("DELETE", target, Value::Null)
    }

    pub fn call(&self, verb: &str, target: &str, body: Value) -> Reply {
        self.send(verb, target, body).expect("a reply, not a reset")
    }

    /// None: the connection was reset.
    pub fn send(&self, verb: &str, target: &str, body: Value) -> Option<Reply> {
        let bytes = if body.is_null() {
            Bytes::new()
        } else {
            Bytes::from(body.to_string())
        };
        let reply = self.send_raw(verb, target, bytes, &[])?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        // v1beta4 has the messages of v1.
        let alike = path.replace("/sql/v1beta4/", "/v1/");
        let mut surfaces = Surface::all_of_request(verb, &alike);
        let served = reply.headers["content-type"] != "text/html; charset=UTF-8";
        if served && (!surfaces.is_empty() || path.starts_with("/v1/")) {
            if surfaces.is_empty() {
                surfaces.push(&self.surface);
            }
            let (status, answer) = (reply.status, reply.body.clone());
            let exchange = Exchange {
                method: verb,
                path: &alike,
                query,
                body,
                status,
                reply: answer,
            };
            Surface::assert_one(&surfaces, &exchange);
        }
        Some(reply)
    }

    pub fn send_raw(
        &self,
        verb: &str,
        target: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Option<Reply> {
        let mut request = http::Request::builder().method(verb).uri(target);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let handled = self
            .emulator
            .handle(self.now, &request.body(body).expect("a request"));
        let Outcome::Reply(reply) = handled.outcome else {
            return None;
        };
        let text = String::from_utf8(reply.body().to_vec()).expect("text");
        Some(Reply {
            status: reply.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
            headers: reply.headers().clone(),
            delay: handled.delay,
        })
    }

    /// A connector that is READY, made through the API.
    pub fn ready(&mut self, id: &str, range: &str) -> String {
        let created = self.post(
            &format!("{REGION}/connectors?connectorId={id}"),
            connector(range),
        );
        assert_eq!(created.status, 200, "{}", created.text);
        self.wait(120);
        let path = format!("{REGION}/connectors/{id}");
        assert_eq!(self.get(&path).body["state"], "READY");
        path
    }
}

/// Where a link of compute leads, whatever its base.
pub fn path_of(link: &Value) -> String {
    let link = link.as_str().expect("a link");
    let (_, path) = link.split_once("/compute/").expect("a link of compute");
    format!("/compute/{path}")
}

pub fn connector(range: &str) -> Value {
    json!({"network": "default", "ipCidrRange": range, "minInstances": 2, "maxInstances": 3})
}

pub fn size(min: i32, max: i32) -> Value {
    json!({"minInstances": min, "maxInstances": max})
}

pub const SIZE: &str = "updateMask=minInstances,maxInstances";
