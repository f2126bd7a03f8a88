//! Backend services: a fingerprint on every change, backends told apart by group.

use super::{Call, Content, Meddle, Place, compute_scope, fields, short, texts};
use crate::sim::{body, content};
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key, Kind};
use fastrand::Rng;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub struct BackendService;

/// A health check that no manifest declares.
pub const THEIR_CHECK: &str = "their-check";
/// Instance groups: the last one is used by strangers only.
pub const GROUPS: [&str; 4] = ["group-0", "group-1", "group-2", "their-group"];

pub fn group(name: &str) -> String {
    format!("projects/netra-staging/zones/us-central1-a/instanceGroups/{name}")
}

fn check(key: &Key, name: &str) -> String {
    format!("{}/healthChecks/{name}", compute_scope(key))
}

/// The request that makes one with a stranger's health check and a group.
pub fn make(key: &Key) -> Call {
    Call {
        method: "POST",
        path: format!("/compute/v1/{}/backendServices", compute_scope(key)),
        body: json!({
            "name": key.name, "loadBalancingScheme": "EXTERNAL_MANAGED", "protocol": "HTTP",
            "healthChecks": [check(key, THEIR_CHECK)],
            "backends": [{"group": group(GROUPS[0])}],
        }),
    }
}

fn backends(rng: &mut Rng) -> Vec<Value> {
    let chosen = GROUPS[..3].iter().filter(|_| rng.bool());
    let chosen: Vec<_> = chosen.map(|name| group(name)).collect();
    chosen
        .into_iter()
        .map(|group| match rng.u8(..3) {
            0 => json!({"group": group}),
            _ => json!({"group": group, "capacityScaler": f64::from(rng.u32(1..=10)) / 10.0}),
        })
        .collect()
}

/// The links of the declared health checks.
fn checks(declared: &Declared) -> Option<Vec<String>> {
    let given = declared.resource.get("healthChecks").map(texts);
    let references = declared.resource.get("healthChecksRef")?.as_array();
    let names = references.into_iter().flatten();
    let links = names.filter_map(|item| Some(check(&declared.key, item["name"].as_str()?)));
    given.or(Some(links.collect()))
}

fn list<'v>(truth: &'v Value, field: &str) -> &'v [Value] {
    truth[field].as_array().map_or(&[], Vec::as_slice)
}

impl Content for BackendService {
    fn home(&self) -> (&'static str, &'static str) {
        ("compute.googleapis.com", "/compute/v1/")
    }

    fn name(&self, key: &Key) -> String {
        format!("{}/backendServices/{}", compute_scope(key), key.name)
    }

    fn resource(&self, rng: &mut Rng, place: &Place, _: &mut Value) -> Map<String, Value> {
        let mut wanted = json!({"timeoutSec": rng.i64(10..=120)});
        if rng.u8(..10) < 8 {
            wanted["loadBalancingScheme"] = json!("EXTERNAL_MANAGED");
        }
        if rng.u8(..10) < 8 {
            let names = texts(&place.lot["checks"]);
            let name = &names[rng.usize(..names.len())];
            wanted["healthChecksRef"] = json!([{"name": name}]);
        }
        if rng.bool() {
            wanted["connectionDraining"] = json!({"drainingTimeoutSec": rng.i64(0..=600)});
        }
        let mut groups = backends(rng);
        match rng.u8(..20) {
            0 => groups.push(json!({"group": group(GROUPS[0]), "capacityScaler": 0.05})),
            1 => groups.push(json!({"group": group("no-such-group")})),
            2 => wanted["timeoutSec"] = json!(0),
            _ => {}
        }
        if !groups.is_empty() {
            wanted["backends"] = json!(groups);
        }
        fields(&wanted)
    }

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec> {
        let mut spec = content::settings(rng, &[0, 0, 30, 300], &[0, 0, 120, 600]);
        if rng.bool() {
            spec.max_step
                .insert("timeoutSec".to_owned(), rng.i64(10..=40));
        }
        (rng.u8(..10) < 7).then_some(spec)
    }

    fn meddle(&self, rng: &mut Rng, place: &Place) -> Meddle {
        let names = texts(&place.lot["checks"]);
        Meddle::Deed(match rng.u8(..12) {
            0..3 => json!({"patch": {"timeoutSec": rng.i64(10..=120)}}),
            3..6 => json!({"add": GROUPS[3]}),
            6 => json!({"drop": GROUPS[rng.usize(..3)]}),
            7 => json!({"check": THEIR_CHECK}),
            8 => json!({"check": names[rng.usize(..names.len())]}),
            9..11 => json!({"delete": true}),
            _ => json!({"create": true}),
        })
    }

    fn deed(&self, place: &Place, deed: &Value, truth: Option<&Value>) -> Option<Call> {
        if deed["create"] == true {
            return Some(make(&place.key));
        }
        let path = self.path(&place.key);
        if deed["delete"] == true {
            let (method, body) = ("DELETE", Value::Null);
            return Some(Call { method, path, body });
        }
        let truth = truth?;
        let named = |entry: &Value, name: &Value| {
            let group = entry["group"].as_str().map(short);
            group == name.as_str()
        };
        let mut patch = deed.get("patch").cloned().unwrap_or_else(|| json!({}));
        let mut entries = list(truth, "backends").to_vec();
        if let Some(name) = deed["add"].as_str() {
            entries.retain(|entry| !named(entry, &deed["add"]));
            entries.push(json!({"group": group(name)}));
            patch["backends"] = json!(entries);
        } else if deed.get("drop").is_some() {
            entries.retain(|entry| !named(entry, &deed["drop"]));
            patch["backends"] = json!(entries);
        } else if let Some(name) = deed["check"].as_str() {
            patch["healthChecks"] = json!([check(&place.key, name)]);
        }
        patch["fingerprint"] = truth["fingerprint"].clone();
        Some(Call {
            method: "PATCH",
            path,
            body: patch,
        })
    }

    fn needs(&self, declared: &Declared) -> Vec<(Kind, String)> {
        let references = declared.resource.get("healthChecksRef");
        let names = references.and_then(Value::as_array).into_iter().flatten();
        names
            .filter_map(|item| Some((Kind::HealthCheck, item["name"].as_str()?.to_owned())))
            .collect()
    }

    fn members(&self, body: &Value) -> Option<BTreeMap<String, Value>> {
        let entries = body["backends"].as_array()?.iter();
        let by_group = |entry: &Value| {
            let group = body::relative(entry["group"].as_str().unwrap_or_default());
            (group.to_owned(), entry.clone())
        };
        Some(entries.map(by_group).collect())
    }

    fn reached(&self, declared: &Declared, truth: &Value) -> bool {
        let mut rest = declared.resource.clone();
        let wanted = rest.remove("backends").unwrap_or_default();
        rest.remove("healthChecksRef");
        let live = list(truth, "healthChecks").iter();
        let live: Vec<_> = live.filter_map(Value::as_str).map(body::relative).collect();
        let checked = checks(declared).is_none_or(|links| links == live);
        let there = |entry: &Value| {
            let mut live = list(truth, "backends").iter();
            live.any(|old| body::holds(old, entry))
        };
        let mut groups = wanted.as_array().into_iter().flatten();
        checked && groups.all(there) && body::holds(truth, &Value::Object(rest))
    }

    fn invalid(&self, declared: &Declared, truth: Option<&Value>) -> bool {
        let bad = |entry: &Value| {
            let missing = entry["group"]
                .as_str()
                .is_some_and(|g| g.ends_with("no-such-group"));
            missing || entry["capacityScaler"] == 0.05
        };
        let wanted = declared.resource.get("backends").unwrap_or(&Value::Null);
        let mut entries = wanted.as_array().into_iter().flatten();
        // Groups of instances want a health check, be it declared or live.
        let live = truth.is_some_and(|truth| !list(truth, "healthChecks").is_empty());
        let unchecked = checks(declared).is_none_or(|links| links.is_empty()) && !live;
        let grouped = wanted.as_array().is_some_and(|entries| !entries.is_empty());
        entries.any(bad) || declared.resource["timeoutSec"] == 0 || grouped && unchecked
    }

    fn incomplete(&self, declared: &Declared) -> bool {
        self.invalid(declared, None)
    }

    fn impossible(&self, declared: &Declared, truth: &Value) -> bool {
        let scheme = declared.resource.get("loadBalancingScheme");
        scheme.is_some_and(|scheme| truth["loadBalancingScheme"] != *scheme)
    }

    fn version(&self) -> Option<&'static [&'static str]> {
        Some(&["fingerprint"])
    }

    fn brief(&self, truth: &Value) -> String {
        let of = |entries: &[Value], field: &str| -> Vec<String> {
            let named = entries.iter().filter_map(|entry| match field {
                "" => entry.as_str(),
                field => entry[field].as_str(),
            });
            named.map(|link| short(link).to_owned()).collect()
        };
        format!(
            "{} s, checks {:?}, groups {:?}",
            truth["timeoutSec"],
            of(list(truth, "healthChecks"), ""),
            of(list(truth, "backends"), "group"),
        )
    }
}
