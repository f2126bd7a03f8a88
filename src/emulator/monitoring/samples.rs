//! What each metric reads off the load of one minute.

use jiff::Timestamp;

use super::catalog::{About, Metric};
use super::distribution::{Buckets, Distribution};
use super::value::{Identity, Labels, Value};
use crate::emulator::sqladmin;
use crate::emulator::traffic::connector::ConnectorLoad;
use crate::emulator::traffic::load::Load;
use crate::emulator::traffic::requests::{self, Outcome};
use crate::emulator::traffic::service::{ShareLoad, Work};
use crate::emulator::traffic::wave::{minute, whole};
use crate::emulator::world::World;

pub(super) struct Sample {
    pub identity: Identity,
    pub value: Value,
}

const SECONDS: f64 = 60.0;

/// Of what passes one way, so much comes back.
const ANSWERS: f64 = 0.6;

const PACKET_BYTES: f64 = 900.0;

/// An instance of a container with its share of requests.
const CONTAINER_CPU: f64 = 0.35;

pub(super) fn of(
    metric: &Metric,
    world: &World,
    load: &Load,
    at: Timestamp,
    project: &str,
) -> Vec<Sample> {
    let here = |name: &str| name.split('/').nth(1) == Some(project);
    match metric.about {
        About::SentBytes
        | About::ReceivedBytes
        | About::SentPackets
        | About::ReceivedPackets
        | About::ConnectorInstances
        | About::ConnectorCpu => {
            let connectors = load.connectors.iter().filter(|(name, _)| here(name));
            let sample = |(name, load): (&String, &ConnectorLoad)| Sample {
                identity: identity(&[], &connector_labels(name)),
                value: connector(metric.about, load),
            };
            connectors.map(sample).collect()
        }
        About::RunRequests
        | About::RunLatencies
        | About::RunInstances
        | About::RunStarts
        | About::RunCpu => {
            let services = load.services.iter().filter(|(name, _)| here(name));
            services
                .flat_map(|(name, shares)| shares.iter().map(move |share| (name, share)))
                .flat_map(|(name, share)| revision(metric.about, name, share, minute(at)))
                .collect()
        }
        About::LbRequests | About::LbLatencies | About::LbBackendLatencies => {
            let fronts = requests::at_fronts(world, load, at);
            let fronts = fronts
                .into_iter()
                .filter(|front| here(&front.backend_service));
            fronts
                .flat_map(|front| {
                    let labels = rule_labels(&front);
                    let outcomes = front.outcomes.into_iter();
                    outcomes.map(move |outcome| rule(metric.about, &labels, &outcome))
                })
                .collect()
        }
        About::SqlConnections | About::SqlCpu | About::SqlUp => {
            let databases = load.databases.iter().filter(|(name, _)| here(name));
            databases
                .map(|(name, load)| {
                    let (labels, value): (&[_], _) = match metric.about {
                        About::SqlConnections => {
                            (&[("database", "netra")], Value::Int(load.open().into()))
                        }
                        About::SqlUp => (&[], Value::Int(load.works.into())),
                        _ => (&[], Value::Double(if load.works { load.cpu } else { 0.0 })),
                    };
                    let identity = identity(labels, &database_labels(world, name));
                    Sample { identity, value }
                })
                .collect()
        }
    }
}

fn identity(metric: &[(&'static str, &str)], resource: &Labels) -> Identity {
    let metric = metric.iter();
    Identity {
        metric: metric
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect(),
        resource: resource.clone(),
    }
}

fn connector(about: About, load: &ConnectorLoad) -> Value {
    let bytes = load.carried_mbps() * 1e6 / 8.0 * SECONDS;
    let count = |number: f64| Value::Int(whole_i64(number));
    match about {
        About::SentBytes => count(bytes),
        About::ReceivedBytes => count(bytes * ANSWERS),
        About::SentPackets => count(bytes / PACKET_BYTES),
        About::ReceivedPackets => count(bytes * ANSWERS / PACKET_BYTES),
        About::ConnectorInstances => Value::Int(load.instances.into()),
        _ => {
            let instances = load.instances.into();
            Value::Distribution(Distribution::around(Buckets::Ratio, load.cpu, instances))
        }
    }
}

fn connector_labels(name: &str) -> Labels {
    let part = |index: usize| part(name, index);
    [
        ("project_id", part(1)),
        ("location", part(3)),
        ("connector_name", part(5)),
    ]
    .into()
}

fn revision(about: About, name: &str, load: &ShareLoad, minute: i64) -> Vec<Sample> {
    let part = |index: usize| part(name, index);
    let resource: Labels = [
        ("project_id", part(1)),
        ("location", part(3)),
        ("service_name", part(5)),
        ("configuration_name", part(5)),
        ("revision_name", load.revision.clone()),
    ]
    .into();
    let one = |labels: &[(&'static str, &str)], value: Value| Sample {
        identity: identity(labels, &resource),
        value,
    };
    let outcomes = || requests::of_share(load, Work::Page, minute).into_iter();
    let codes = |outcome: &Outcome, value: Value| {
        let (code, class) = codes(outcome);
        one(
            &[("response_code", &code), ("response_code_class", &class)],
            value,
        )
    };
    match about {
        About::RunRequests => outcomes()
            .map(|outcome| codes(&outcome, Value::Int(outcome.count.into())))
            .collect(),
        About::RunLatencies => outcomes()
            .map(|outcome| codes(&outcome, Value::Distribution(latencies(&outcome))))
            .collect(),
        About::RunInstances => {
            let active = busy_instances(load);
            let idle = load.available.saturating_sub(active);
            let states = [("active", active), ("idle", idle)];
            let states = states.into_iter();
            states
                .map(|(state, count)| one(&[("state", state)], Value::Int(count.into())))
                .collect()
        }
        About::RunStarts => {
            let starts = requests::starts(name, load, minute);
            let milliseconds = load.startup * 1_000.0;
            let value = Distribution::around(Buckets::Latency, milliseconds, starts.into());
            let sample = (starts > 0).then(|| one(&[], Value::Distribution(value)));
            sample.into_iter().collect()
        }
        _ => {
            let count = load.available.into();
            let value = Distribution::around(Buckets::Ratio, CONTAINER_CPU, count);
            vec![one(&[], Value::Distribution(value))]
        }
    }
}

/// Instances that have a request; the others stand by.
fn busy_instances(load: &ShareLoad) -> u32 {
    let busy = whole((load.requests_per_second / 40.0).ceil()).max(1);
    busy.min(load.available)
}

fn codes(outcome: &Outcome) -> (String, String) {
    (
        outcome.status.to_string(),
        format!("{}xx", outcome.status / 100),
    )
}

fn latencies(outcome: &Outcome) -> Distribution {
    Distribution::around(
        Buckets::Latency,
        outcome.seconds * 1_000.0,
        outcome.count.into(),
    )
}

fn rule(about: About, resource: &Labels, outcome: &Outcome) -> Sample {
    let (code, class) = codes(outcome);
    let labels = [
        ("response_code", code.as_str()),
        ("response_code_class", class.as_str()),
        ("cache_result", "DISABLED"),
    ];
    let value = match about {
        About::LbRequests => Value::Int(outcome.count.into()),
        _ => Value::Distribution(latencies(outcome)),
    };
    Sample {
        identity: identity(&labels, resource),
        value,
    }
}

fn rule_labels(front: &requests::AtFront) -> Labels {
    let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
    [
        ("project_id", part(&front.backend_service, 1)),
        ("region", "global".to_owned()),
        ("forwarding_rule_name", "staging-https-rule".to_owned()),
        ("url_map_name", "staging-url-map".to_owned()),
        ("target_proxy_name", last(&front.proxy)),
        ("matched_url_path_rule", front.path.clone()),
        ("backend_target_name", last(&front.backend_service)),
        ("backend_target_type", "BACKEND_SERVICE".to_owned()),
        ("backend_name", last(&front.group)),
        ("backend_type", front.group_kind.to_owned()),
        ("backend_scope", front.scope.clone()),
    ]
    .into()
}

fn database_labels(world: &World, name: &str) -> Labels {
    let (project, instance) = (part(name, 1), part(name, 3));
    [
        ("database_id", format!("{project}:{instance}")),
        ("region", sqladmin::region_of(world, name)),
        ("project_id", project),
    ]
    .into()
}

fn part(name: &str, index: usize) -> String {
    name.split('/').nth(index).unwrap_or_default().to_owned()
}

/// What the model counts in a minute is far below the 2^52 that a double holds exactly.
#[allow(clippy::cast_possible_truncation)]
fn whole_i64(number: f64) -> i64 {
    number.clamp(0.0, 1e15) as i64
}
