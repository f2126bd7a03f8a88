//! What the traffic model sees of a service: the revisions that take its traffic, and what is in their way to
//! the network and to a database.

use serde_json::Value;

use super::check::{number, text};
use super::names;
use super::rollout::key;
use crate::emulator::traffic::service::{Share, Way};
use crate::emulator::world::World;

/// Seconds that the application of the scenario waits for a connection to its database, and for one of its pool,
/// unless its environment says otherwise.
const DATABASE_TIMEOUT: f64 = 30.0;
const POOL_TIMEOUT: f64 = 10.0;

/// Both must be long enough: the application gives up with the first one.
const DATABASE_TIMEOUTS: [&str; 2] = ["CLOUD_SQL_CONNECTIONS_TIMEOUT", "DB_CONNECTION_TIMEOUT"];
const POOL_TIMEOUT_NAME: &str = "SQLALCHEMY_POOL_TIMEOUT";

/// The revisions that take traffic of a service by its name, from `projects` on. None when it is not there.
pub(in crate::emulator) fn shares(world: &World, service: &str) -> Vec<Share> {
    let Some(record) = world.records.truth(&key(service)) else {
        return Vec::new();
    };
    let targets = record["trafficStatuses"].as_array();
    let targets = targets.map(Vec::as_slice).unwrap_or_default();
    let share = |target: &Value| {
        let revision = match text(target, "revision") {
            "" => text(record, "latestReady"),
            named => named,
        };
        let percent = u32::try_from(number(target, "percent")).ok()?;
        let name = format!("{service}/revisions/{revision}");
        let template = &world.records.truth(&key(&name))?["template"];
        (percent > 0).then(|| of_template(revision, f64::from(percent) / 100.0, template))
    };
    targets.iter().filter_map(share).collect()
}

/// A revision that takes this part of the traffic.
pub(super) fn of_template(revision: &str, part: f64, template: &Value) -> Share {
    let container = main_container(template);
    let seconds = |name: &str| environment(container, name)?.parse::<f64>().ok();
    let count =
        |object: &Value, name: &str| u32::try_from(number(object, name)).unwrap_or_default();
    let timeouts = DATABASE_TIMEOUTS.iter().filter_map(|name| seconds(name));
    let timeout = text(template, "timeout").trim_end_matches('s');
    Share {
        revision: revision.to_owned(),
        part,
        way: way(&template["vpcAccess"]),
        all_traffic: text(&template["vpcAccess"], "egress") == "ALL_TRAFFIC",
        min_instances: count(&template["scaling"], "minInstanceCount"),
        max_instances: count(&template["scaling"], "maxInstanceCount").max(1),
        concurrency: count(template, "maxInstanceRequestConcurrency"),
        database_timeout: timeouts.reduce(f64::min).unwrap_or(DATABASE_TIMEOUT),
        pool_timeout: seconds(POOL_TIMEOUT_NAME).unwrap_or(POOL_TIMEOUT),
        request_timeout: timeout.parse().unwrap_or(300.0),
        startup_window: startup_window(container),
    }
}

/// The host names of a service.
pub(in crate::emulator) fn hosts(service: &str) -> [String; 2] {
    let uris = [names::uri(service, ""), names::numbered_uri(service)];
    uris.map(|uri| uri.trim_start_matches("https://").to_owned())
}

fn way(access: &Value) -> Way {
    let interfaces = access["networkInterfaces"].as_array();
    match text(access, "connector") {
        "" if interfaces.is_some_and(|list| !list.is_empty()) => Way::Direct,
        "" => Way::None,
        connector => Way::Connector(connector.to_owned()),
    }
}

/// The one that takes requests.
fn main_container(template: &Value) -> &Value {
    let containers = template["containers"].as_array();
    let mut containers = containers.map(Vec::as_slice).unwrap_or_default().iter();
    let first = containers.clone().next();
    let takes_requests = containers.find(|container| container["ports"].is_array());
    takes_requests.or(first).unwrap_or(&Value::Null)
}

fn environment<'a>(container: &'a Value, name: &str) -> Option<&'a str> {
    let variables = container["env"].as_array()?;
    let variable = variables.iter().find(|variable| variable["name"] == name)?;
    variable["value"].as_str()
}

/// Until the last probe that may fail.
fn startup_window(container: &Value) -> f64 {
    let probe = &container["startupProbe"];
    let seconds = number(probe, "initialDelaySeconds").saturating_add(
        number(probe, "failureThreshold").saturating_mul(number(probe, "periodSeconds")),
    );
    f64::from(u32::try_from(seconds).unwrap_or(u32::MAX))
}
