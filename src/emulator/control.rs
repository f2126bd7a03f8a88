//! The emulator's own controls under `/_emulator/`: faults, traffic, domains, DNS records, the request log, another
//! writer, secrets, storage that grows, health.
//! They are not part of Google's API, are not logged and meet no faults.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::api::Eye;
use super::faults::FaultRule;
use super::foreign::ForeignError;
use super::registry;
use super::traffic::controls::Controls;
use super::world::World;
use super::{reply, sqladmin, traffic, vpcaccess};

pub(super) const PREFIX: &str = "/_emulator/";

type Answer = Result<Value, (u16, String)>;

pub(super) fn answer(world: &mut World, request: &http::Request<Bytes>) -> Response<Bytes> {
    let what = request
        .uri()
        .path()
        .strip_prefix(PREFIX)
        .unwrap_or_default();
    let answer = match (request.method(), what) {
        (&Method::GET, "health") => Ok(health(world)),
        (&Method::GET, "world") => Ok(view(world)),
        (&Method::GET, "requests") => requests(world, request.uri().query().unwrap_or_default()),
        (&Method::DELETE, "requests") => {
            world.log.clear();
            Ok(json!({}))
        }
        (&Method::GET, "faults") => Ok(faults(world)),
        (&Method::PUT, "faults") => set_faults(world, request.body()),
        (&Method::DELETE, "faults") => {
            world.faults.set(Vec::new());
            Ok(faults(world))
        }
        (&Method::GET, "load") => Ok(traffic::view::view(world)),
        (&Method::GET, "traffic") => Ok(json!(world.traffic.controls)),
        (&Method::PUT, "traffic") => set_traffic(world, request.body()),
        (&Method::DELETE, "traffic") => {
            world.set_traffic(Controls::default());
            Ok(json!(world.traffic.controls))
        }
        (&Method::GET, "domains") => Ok(json!(world.domains)),
        (&Method::PUT, "domains") => set_domains(world, request.body()),
        (&Method::GET, "dns") => Ok(json!(world.dns)),
        (&Method::PUT, "dns") => set_dns(world, request.body()),
        (&Method::GET, "secrets") => Ok(json!(world.secret_names())),
        (&Method::PUT, "secrets") => add_secrets(world, request.body()),
        (&Method::POST, "disk") => grow_disk(world, request.body()),
        (&Method::POST, "foreign") => foreign(world, request.body()),
        _ => Err((
            404,
            format!("the emulator has no {} {PREFIX}{what}", request.method()),
        )),
    };
    match answer {
        Ok(body) => reply::json(200, &body, true),
        Err((status, message)) => reply::json(status, &json!({"error": message}), true),
    }
}

/// Where the data plane listens, which the world does not know: None for other requests.
pub(super) fn dataplane(
    request: &http::Request<Bytes>,
    told: impl FnOnce() -> Option<Value>,
) -> Option<Response<Bytes>> {
    let what = request.uri().path().strip_prefix(PREFIX)?;
    let is_authority = match (request.method(), what) {
        (&Method::GET, "dataplane") => false,
        (&Method::GET, "dataplane/ca.pem") => true,
        _ => return None,
    };
    let Some(body) = told() else {
        let error = json!({"error": "no data plane runs"});
        return Some(reply::json(404, &error, true));
    };
    Some(if is_authority {
        reply::text(200, body["ca"].as_str().unwrap_or_default())
    } else {
        reply::json(200, &body, true)
    })
}

fn health(world: &World) -> Value {
    json!({"status": "ok", "scenario": world.scenario, "seed": world.seed})
}

/// The whole world as it truly is: the connectors apart, then everything by its name.
fn view(world: &World) -> Value {
    let resources = world.everything();
    let apart = format!("//{}/", vpcaccess::SERVICE);
    let connectors = resources.iter().filter(|(key, _)| key.starts_with(&apart));
    let connectors: Vec<&Value> = connectors.map(|(_, body)| body).collect();
    json!({
        "scenario": world.scenario,
        "seed": world.seed,
        "connectors": connectors,
        "resources": resources,
        "services": world.traffic.demands,
        "runningOperations": running(world),
    })
}

fn running(world: &World) -> Vec<Value> {
    let operations = world.operations.all();
    operations
        .filter(|operation| operation.is_running())
        .filter_map(|operation| {
            let api = registry::owner(&operation.key)?;
            Some(api.operation(operation, &Eye::of(api)))
        })
        .collect()
}

fn requests(world: &World, query: &str) -> Answer {
    let after = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
    let after = match after {
        Some((_, text)) => text
            .parse()
            .map_err(|_| (400, format!("after: expected a number, got \"{text}\"")))?,
        None => 0,
    };
    let entries: Vec<_> = world.log.after(after).collect();
    Ok(json!({"requests": entries, "last": world.log.last_seq()}))
}

fn faults(world: &World) -> Value {
    let rules: Vec<_> = world.faults.rules().collect();
    json!({"rules": rules, "fired": world.faults.fired()})
}

fn set_faults(world: &mut World, body: &Bytes) -> Answer {
    let json = read_json(body)?;
    let rules = FaultRule::list_from_json(&json).map_err(|error| (400, error.to_string()))?;
    world.faults.set(rules);
    Ok(faults(world))
}

/// `{"demand": 1.5, "services": {"shop": 2}, "faults": [{"fault": "tls_slow", "seconds": 8}], "logs": []}`; see
/// [`Controls`] for the words.
fn set_traffic(world: &mut World, body: &Bytes) -> Answer {
    let controls = Controls::from_json(&read_json(body)?);
    world.set_traffic(controls.map_err(|message| (400, message))?);
    Ok(json!(world.traffic.controls))
}

/// `{"shop.example.com": "not-visible"}`; see [`Domain`] for the words.
fn set_domains(world: &mut World, body: &Bytes) -> Answer {
    let named = serde_json::from_value(read_json(body)?);
    world.set_domains(named.map_err(|error| (400, error.to_string()))?);
    Ok(json!(world.domains))
}

/// `{"_acme-challenge.example.com.": "4f1c.2.authorize.certificatemanager.goog."}`: the CNAME records that are
/// published, in place of those before.
fn set_dns(world: &mut World, body: &Bytes) -> Answer {
    let records = serde_json::from_value(read_json(body)?);
    world.set_dns(records.map_err(|_| (400, "expected an object of names and texts".to_owned()))?);
    Ok(json!(world.dns))
}

/// `{"projects/p/secrets/db-password": "the value"}`: each gets another version. Values are never shown.
fn add_secrets(world: &mut World, body: &Bytes) -> Answer {
    let named: BTreeMap<String, String> = serde_json::from_value(read_json(body)?)
        .map_err(|_| (400, "expected an object of names and texts".to_owned()))?;
    for (name, value) in &named {
        world.add_secret(name, value);
    }
    Ok(json!(world.secret_names()))
}

/// `{"name": "/v1/projects/*/instances/*", "gb": 60}`: storage that grows by itself.
fn grow_disk(world: &mut World, body: &Bytes) -> Answer {
    let json = read_json(body)?;
    let name = json["name"].as_str().unwrap_or_default();
    let gb = json["gb"].as_i64();
    let gb = gb.ok_or((400, "gb: expected a whole number".to_owned()))?;
    sqladmin::grow_disk(world, name, gb).map_err(|message| (400, message))
}

/// `{"name": "/compute/v1/projects/*/global/healthChecks/*", "fields": {...}}`, or `"delete": true` for the fields.
fn foreign(world: &mut World, body: &Bytes) -> Answer {
    let json = read_json(body)?;
    let name = json["name"]
        .as_str()
        .ok_or((400, "name: expected a string".to_owned()))?;
    let now = world.clock;
    let done = match (&json["fields"], &json["delete"]) {
        (Value::Null, Value::Bool(true)) => world.foreign_delete(now, name),
        (fields @ Value::Object(_), Value::Null) => world.foreign_patch(now, name, fields),
        _ => {
            return Err((
                400,
                "expected either fields: {...} or delete: true".to_owned(),
            ));
        }
    };
    match done {
        Ok(()) => Ok(world.truth_at(name).unwrap_or(json!({}))),
        Err(error @ ForeignError::NotFound(_)) => Err((404, error.to_string())),
        Err(error @ ForeignError::Fields(_)) => Err((400, error.to_string())),
    }
}

fn read_json(body: &Bytes) -> Answer {
    serde_json::from_slice(body).map_err(|error| (400, format!("the body is not JSON: {error}")))
}
