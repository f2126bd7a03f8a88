//! The emulator's own controls under `/_emulator/`: faults, the request log, another writer, health.
//! They are not part of Google's API, are not logged and meet no faults.

use bytes::Bytes;
use http::{Method, Response};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::faults::FaultRule;
use super::foreign::ForeignError;
use super::reply;
use super::route::Version;
use super::world::World;

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

fn health(world: &World) -> Value {
    json!({"status": "ok", "scenario": world.scenario, "seed": world.seed})
}

fn view(world: &World) -> Value {
    let connectors: Vec<Value> = world
        .records
        .values()
        .filter_map(|record| Some(record.truth()?.body(Version::V1)))
        .collect();
    let running: Vec<Value> = world
        .operations
        .values()
        .filter(|operation| operation.is_running())
        .map(super::operations::Operation::body)
        .collect();
    json!({
        "scenario": world.scenario,
        "seed": world.seed,
        "connectors": connectors,
        "services": world.services,
        "runningOperations": running,
    })
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

/// `{"name": "projects/*/locations/*/connectors/*", "fields": {...}}`, or `"delete": true` for the fields.
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
        Ok(()) => Ok(world
            .truth(name)
            .map_or(json!({}), |connector| connector.body(Version::V1))),
        Err(error @ ForeignError::NoConnector(_)) => Err((404, error.to_string())),
        Err(error @ ForeignError::Fields(_)) => Err((400, error.to_string())),
    }
}

fn read_json(body: &Bytes) -> Answer {
    serde_json::from_slice(body).map_err(|error| (400, format!("the body is not JSON: {error}")))
}
