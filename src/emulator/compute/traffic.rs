//! What the traffic model sees of a backend service: a Cloud Run service, or machines and their health check.
//!
//! A machine is a record of its own (`projects/*/zones/*/instances/*`) with `group`, `ipAddress`, the `ports` it
//! answers on, and in `answers` the seconds that each path takes. Another writer may set its `health`, which then
//! holds whatever a check would find.

use serde_json::{Map, Value};

use super::collection::{Record, fields, items, text, value};
use super::place::Name;
use crate::emulator::api::Api;
use crate::emulator::certificatemanager;
use crate::emulator::traffic::handshake::{self, Leaf};
use crate::emulator::traffic::machine::{Check, Machine};
use crate::emulator::traffic::scene::Backend;
use crate::emulator::world::World;

/// By its name, from `projects` on; None when there is no such backend service.
pub(in crate::emulator) fn backend_of(world: &World, name: &str) -> Option<Backend> {
    let service = record(world, name)?;
    // A capacity of 0 takes a backend out.
    let open = |backend: &&Value| backend["capacityScaler"].as_f64() != Some(0.0);
    let groups = items(service, "backends").iter().filter(open);
    let groups: Vec<&str> = groups
        .filter_map(|backend| backend["group"].as_str())
        .collect();
    if let Some(service) = groups.iter().find_map(|group| run_service(world, group)) {
        return Some(Backend::Run(service));
    }
    let machines: Vec<Machine> = groups
        .iter()
        .flat_map(|group| machines(world, group))
        .collect();
    if machines.is_empty() {
        return Some(Backend::Nothing);
    }
    let check = items(service, "healthChecks")
        .first()
        .and_then(Value::as_str);
    let port = groups
        .iter()
        .find_map(|group| named_port(world, group, text(service, "portName")));
    let port = port.or_else(|| u16::try_from(value(service, "port").as_i64()?).ok());
    Some(Backend::Machines {
        machines,
        check: check.and_then(|check| check_of(record(world, check)?)),
        port: port.unwrap_or(80),
    })
}

/// The group that a backend service sends most to: its first one.
pub(in crate::emulator) struct Group {
    /// From `projects` on.
    pub name: String,
    /// As the load balancer's metrics name it.
    pub kind: &'static str,
    /// Its region or zone.
    pub scope: String,
}

pub(in crate::emulator) fn group_of(world: &World, backend_service: &str) -> Option<Group> {
    let backend = items(record(world, backend_service)?, "backends").first()?;
    let name = backend["group"].as_str()?;
    let parsed = Name::parse(name)?;
    Some(Group {
        name: name.to_owned(),
        kind: match parsed.collection {
            "instanceGroups" => "INSTANCE_GROUP",
            _ => "NETWORK_ENDPOINT_GROUP",
        },
        scope: parsed
            .scope
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned(),
    })
}

/// The machines of a group, in the order of their names.
pub(super) fn machines(world: &World, group: &str) -> Vec<Machine> {
    let project = group.split('/').nth(1).unwrap_or_default();
    let prefix = super::Compute.key(&format!("projects/{project}/zones/"));
    let all = world.records.all_under(&prefix);
    all.filter(|(key, record)| key.contains("/instances/") && record["group"] == group)
        .map(|(key, record)| machine(crate::emulator::registry::relative(key), fields(record)))
        .collect()
}

fn machine(name: &str, record: &Record) -> Machine {
    let port = |port: &Value| u16::try_from(port.as_u64()?).ok();
    let forced = match text(record, "health") {
        "" => None,
        word => Some(word == "HEALTHY"),
    };
    let answers = value(record, "answers").as_object();
    let seconds = |(path, seconds): (&String, &Value)| Some((path.clone(), seconds.as_f64()?));
    Machine {
        name: name.to_owned(),
        ports: items(record, "ports").iter().filter_map(port).collect(),
        answers: answers.into_iter().flatten().filter_map(seconds).collect(),
        forced,
    }
}

/// The certificate that a proxy shows to whoever asks for `name`. What is still being issued cannot be shown; what
/// could not be renewed is, until it ends.
///
/// A certificate map overrides the list, and goes by the host names of its entries; in a list "the first certificate
/// is the primary one", which goes to whoever asks for nothing that is known.
pub(in crate::emulator) fn leaf_for(
    world: &World,
    proxy: &str,
    name: Option<&str>,
) -> Option<Leaf> {
    let shown = leaves_of(world, proxy);
    let fits = |(host, leaf): &&(String, Leaf)| match (name, host.as_str()) {
        (Some(name), "") => leaf.is_for(name) && !has_map(world, proxy),
        (Some(name), host) => handshake::covers(host, name),
        (None, _) => false,
    };
    let primary = |(host, _): &&(String, Leaf)| host.is_empty();
    let found = shown
        .iter()
        .find(fits)
        .or_else(|| shown.iter().find(primary));
    found.map(|(_, leaf)| leaf.clone())
}

/// All that a proxy can show: the host name of its entry, which is empty for those of a list and for the primary
/// entry of a map, and the certificate.
pub(in crate::emulator) fn leaves_of(world: &World, proxy: &str) -> Vec<(String, Leaf)> {
    let Some(fields) = record(world, proxy) else {
        return Vec::new();
    };
    let project = proxy.split('/').nth(1).unwrap_or_default();
    let map = text(fields, "certificateMap");
    if !map.is_empty() {
        return certificatemanager::leaves_of_map(world, map, project);
    }
    let names = items(fields, "sslCertificates")
        .iter()
        .filter_map(Value::as_str);
    let shown = names.filter_map(|name| {
        let own = || leaf(record(world, name)?);
        let leaf = own().or_else(|| certificatemanager::leaf_of(world, name, project))?;
        Some((String::new(), leaf))
    });
    shown.collect()
}

fn has_map(world: &World, proxy: &str) -> bool {
    record(world, proxy).is_some_and(|proxy| !text(proxy, "certificateMap").is_empty())
}

fn leaf(certificate: &Record) -> Option<Leaf> {
    let names = items(certificate, "subjectAlternativeNames").iter();
    let names: Vec<String> = names
        .filter_map(|name| name.as_str().map(str::to_owned))
        .collect();
    let expires = text(certificate, "expireTime").parse().ok()?;
    (!names.is_empty()).then(|| handshake::managed(names, expires))
}

fn record<'a>(world: &'a World, name: &str) -> Option<&'a Map<String, Value>> {
    let record = world.records.truth(&super::Compute.key(name))?;
    Some(fields(record))
}

fn run_service(world: &World, group: &str) -> Option<String> {
    let name = Name::parse(group)?;
    let service = value(record(world, group)?, "cloudRun")["service"].as_str()?;
    let region = name.scope.strip_prefix("regions/")?;
    Some(format!(
        "projects/{}/locations/{region}/services/{service}",
        name.project
    ))
}

fn named_port(world: &World, group: &str, wanted: &str) -> Option<u16> {
    let ports = items(record(world, group)?, "namedPorts");
    let named = ports.iter().find(|port| port["name"] == wanted)?;
    u16::try_from(named["port"].as_u64()?).ok()
}

fn check_of(check: &Record) -> Option<Check> {
    let kind = text(check, "type");
    let block = match kind {
        "HTTP" => "httpHealthCheck",
        "TCP" => "tcpHealthCheck",
        other => {
            // Seen for its thresholds only: see `Check::finds_well`.
            debug_assert!(!other.is_empty());
            ""
        }
    };
    let block = value(check, block);
    let number = |name: &str| u32::try_from(value(check, name).as_u64()?).ok();
    let port = block["port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    Some(Check {
        kind: kind.to_owned(),
        port: port.filter(|_| block["portSpecification"] != "USE_SERVING_PORT"),
        path: block["requestPath"].as_str().unwrap_or("/").to_owned(),
        interval: number("checkIntervalSec")?,
        timeout: number("timeoutSec")?,
        healthy: number("healthyThreshold")?,
        unhealthy: number("unhealthyThreshold")?,
    })
}
