//! Health checks: no version, so the last writer wins.

use super::{Call, Content, Meddle, Place, compute_scope, fields, pick};
use crate::sim::{body, content};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key};
use fastrand::Rng;
use serde_json::{Map, Value, json};

pub struct HealthCheck;

/// The request that makes one with Google's defaults.
pub fn make(key: &Key) -> Call {
    Call {
        method: "POST",
        path: format!("/compute/v1/{}/healthChecks", compute_scope(key)),
        body: json!({"name": key.name, "type": "HTTP", "httpHealthCheck": {"port": 8000}}),
    }
}

fn number(declared: &Declared, truth: Option<&Value>, field: &str, default: i64) -> i64 {
    let live = truth.and_then(|truth| truth[field].as_i64());
    let wanted = declared.resource.get(field).and_then(Value::as_i64);
    wanted.or(live).unwrap_or(default)
}

/// Interval and timeout that go together.
fn times(rng: &mut Rng) -> Value {
    let interval = rng.i64(5..=60);
    json!({"checkIntervalSec": interval, "timeoutSec": rng.i64(1..=interval)})
}

impl Content for HealthCheck {
    fn home(&self) -> (&'static str, &'static str) {
        ("compute.googleapis.com", "/compute/v1/")
    }

    fn name(&self, key: &Key) -> String {
        format!("{}/healthChecks/{}", compute_scope(key), key.name)
    }

    fn resource(&self, rng: &mut Rng, _: &Place, _: &mut Value) -> Map<String, Value> {
        let mut wanted = times(rng);
        if rng.u8(..10) < 6 {
            wanted["unhealthyThreshold"] = json!(rng.i64(2..=10));
        }
        if rng.u8(..10) < 9 {
            let path = pick(rng, &["/", "/health", "/health/basic"]);
            wanted["type"] = json!("HTTP");
            wanted["httpHealthCheck"] = json!({"port": 8000 + rng.i64(0..3), "requestPath": path});
        }
        match rng.u8(..20) {
            0 => wanted["timeoutSec"] = json!(61),
            1 => wanted["healthyThreshold"] = json!(11),
            _ => {}
        }
        fields(&wanted)
    }

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec> {
        let mut spec = content::settings(rng, &[0, 0, 30, 300], &[0, 0, 120, 600]);
        if rng.bool() {
            spec.max_step.insert("unhealthyThreshold".to_owned(), 2);
        }
        (rng.u8(..10) < 7).then_some(spec)
    }

    fn meddle(&self, rng: &mut Rng, _: &Place) -> Meddle {
        Meddle::Deed(match rng.u8(..10) {
            0..4 => json!({"patch": times(rng)}),
            4..7 => json!({"patch": {"unhealthyThreshold": rng.i64(1..=10)}}),
            7..9 => json!({"delete": true}),
            _ => json!({"create": true}),
        })
    }

    fn deed(&self, place: &Place, deed: &Value, _: Option<&Value>) -> Option<Call> {
        if deed["create"] == true {
            return Some(make(&place.key));
        }
        let patch = deed.get("patch");
        Some(Call {
            method: if patch.is_some() { "PATCH" } else { "DELETE" },
            path: self.path(&place.key),
            body: patch.cloned().unwrap_or_default(),
        })
    }

    fn reached(&self, declared: &Declared, truth: &Value) -> bool {
        body::holds(truth, &Value::Object(declared.resource.clone()))
    }

    fn invalid(&self, declared: &Declared, truth: Option<&Value>) -> bool {
        let interval = number(declared, truth, "checkIntervalSec", 5);
        let timeout = number(declared, truth, "timeoutSec", 5);
        timeout > interval || number(declared, truth, "healthyThreshold", 2) > 10
    }

    fn incomplete(&self, declared: &Declared) -> bool {
        !declared.resource.contains_key("httpHealthCheck")
    }

    fn brief(&self, truth: &Value) -> String {
        let text = |field: &str| truth[field].to_string();
        format!(
            "every {} s within {} s, {} up {} down, {}",
            text("checkIntervalSec"),
            text("timeoutSec"),
            text("healthyThreshold"),
            text("unhealthyThreshold"),
            text("httpHealthCheck"),
        )
    }
}
