//! Admin activity: who changed what. Each operation has an entry for its start and one for its end; a change by
//! another writer has one.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::entry::Resource;
use crate::emulator::operations::{Ending, Operation};
use crate::emulator::registry::relative;
use crate::emulator::world::World;

const LOG: &str = "cloudaudit.googleapis.com/activity";

/// Whoever calls the API, and whoever comes some other way: the emulator does not tell callers apart.
const CALLER: &str = "caller@example.com";
const ANOTHER: &str = "somebody-else@example.com";

/// What was written from `from` until before `to`.
pub(super) fn entries(world: &World, from: Timestamp, to: Timestamp) -> Vec<Value> {
    let within = |at: Timestamp| from <= at && at < to;
    let mut entries = Vec::new();
    for operation in world.operations.all() {
        if within(operation.created) {
            entries.push(of_operation(operation, true));
        }
        if !operation.is_running() && within(operation.due) {
            entries.push(of_operation(operation, false));
        }
    }
    let foreign = world
        .log
        .after(0)
        .filter(|entry| entry.foreign && within(entry.at));
    for change in foreign {
        let name = change
            .path
            .find("projects/")
            .and_then(|at| change.path.get(at..));
        let (name, service) = (name.unwrap_or_default(), service_of(world, &change.path));
        let payload = payload(&service, &change.method, name, ANOTHER);
        entries.push(entry(
            &service,
            &change.method,
            name,
            change.at,
            payload,
            "foreign",
        ));
    }
    entries
}

fn service_of(world: &World, path: &str) -> String {
    let key = world.find(path).unwrap_or_default();
    let service = key.trim_start_matches('/').split('/').next();
    service.unwrap_or_default().to_owned()
}

fn of_operation(operation: &Operation, first: bool) -> Value {
    let service = operation.key.trim_start_matches('/').split('/').next();
    let service = service.unwrap_or_default();
    let target = relative(&operation.target);
    let at = if first {
        operation.created
    } else {
        operation.due
    };
    let mut payload = payload(service, &operation.verb, target, CALLER);
    if let Some(Ending::Failed(failure)) = operation.ending.as_ref().filter(|_| !first) {
        payload["status"] = json!({"code": failure.code, "message": failure.message});
    }
    let salt = if first { "first" } else { "last" };
    let mut entry = entry(service, &operation.verb, target, at, payload, salt);
    entry["operation"] = json!({"id": relative(&operation.key), "producer": service, salt: true});
    entry
}

fn payload(service: &str, method: &str, target: &str, who: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.cloud.audit.AuditLog",
        "serviceName": service,
        "methodName": method,
        "resourceName": target,
        "authenticationInfo": {"principalEmail": who},
        "status": {},
    })
}

fn entry(
    service: &str,
    method: &str,
    target: &str,
    at: Timestamp,
    payload: Value,
    salt: &str,
) -> Value {
    let project = target.split('/').nth(1).unwrap_or_default();
    let resource = Resource {
        project: project.to_owned(),
        kind: "audited_resource",
        labels: json!({"project_id": project, "service": service, "method": method}),
    };
    let salt = format!("{target}{salt}");
    let mut entry = resource.entry(LOG, "NOTICE", at, &salt);
    entry["protoPayload"] = payload;
    entry
}
