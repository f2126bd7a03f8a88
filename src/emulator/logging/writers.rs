//! Who writes what: each writer tells of one short span what the load did in it.
//!
//! Busy services log one request in many here; the shares of statuses and the texts are right, the totals are
//! what metrics are for. What Google writes for a connector is not on record: the warnings about its capacity
//! are made up, and say so in their log's name.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::entry::{Resource, seconds, spread};
use crate::emulator::sqladmin;
use crate::emulator::traffic::connector::ConnectorLoad;
use crate::emulator::traffic::controls::LineSeverity;
use crate::emulator::traffic::database::DatabaseLoad;
use crate::emulator::traffic::load::Load;
use crate::emulator::traffic::requests::{self, AtFront};
use crate::emulator::traffic::service::{ShareLoad, Work};
use crate::emulator::traffic::wave::{Attempt, minute, whole};
use crate::emulator::world::World;

/// Entries are made in spans of this many seconds.
pub(super) const SPAN_SECONDS: i64 = 10;
pub(super) const SPAN: Duration = Duration::from_secs(10);
const SPANS_A_MINUTE: u32 = 6;

/// Requests of a revision, and of a path of the load balancer, that are logged in a span.
const REQUESTS_LOGGED: u32 = 2;

/// A connector that is used more than this is worth a warning.
const CAPACITY: f64 = 0.8;

const CONNECTOR_TYPE: &str = "vpc_access_connector";
const REVISION_TYPE: &str = "cloud_run_revision";
const DATABASE_TYPE: &str = "cloudsql_database";
const BALANCER_TYPE: &str = "http_load_balancer";

const REQUESTS: &str = "run.googleapis.com/requests";
const STDERR: &str = "run.googleapis.com/stderr";
const STDOUT: &str = "run.googleapis.com/stdout";
const CONNECTOR: &str = "vpcaccess.googleapis.com/emulated-capacity";

/// One span of one world.
pub(super) struct Span<'a> {
    pub world: &'a World,
    pub load: &'a Load,
    pub from: Timestamp,
}

impl Span<'_> {
    /// Everything that is written in it, in no order; only what is about this type of resource, if one is wanted.
    pub fn entries(&self, kind: Option<&str>) -> Vec<Value> {
        let wanted = |known: &str| kind.is_none_or(|kind| kind == known);
        let mut entries = Vec::new();
        if wanted(CONNECTOR_TYPE) {
            for (name, load) in &self.load.connectors {
                self.connector(name, *load, &mut entries);
            }
        }
        if wanted(REVISION_TYPE) {
            for (name, shares) in &self.load.services {
                for load in shares {
                    self.revision(name, load, &mut entries);
                }
            }
        }
        if wanted(DATABASE_TYPE) {
            for (name, load) in &self.load.databases {
                self.database(name, *load, &mut entries);
            }
        }
        if wanted(BALANCER_TYPE) {
            for front in requests::at_fronts(self.world, self.load, self.from) {
                self.front(&front, &mut entries);
            }
        }
        self.injected(&mut entries);
        entries
    }

    /// The span's place in its minute, from 0.
    fn place(&self) -> u32 {
        let second = self.from.as_second().rem_euclid(60);
        u32::try_from(second / SPAN_SECONDS).unwrap_or_default()
    }

    /// Numbers the events of all spans in a row, `each` a span.
    fn attempt(&self, each: u32, index: u32) -> Attempt {
        let span = self
            .from
            .as_second()
            .div_euclid(SPAN_SECONDS)
            .rem_euclid(1 << 24);
        let first = u32::try_from(span).unwrap_or_default().wrapping_mul(each);
        Attempt {
            number: first.wrapping_add(index),
        }
    }

    /// How many of so many events a minute fall into this span.
    fn share(&self, a_minute: u32) -> u32 {
        let (place, all) = (self.place(), SPANS_A_MINUTE);
        a_minute * (place + 1) / all - a_minute * place / all
    }

    fn connector(&self, name: &str, load: ConnectorLoad, entries: &mut Vec<Value>) {
        if self.share(1) == 0 {
            return;
        }
        let resource = connector_resource(name);
        let (used, busy) = (load.utilisation(), load.cpu);
        let mut warn = |text: String| {
            let times = spread(self.from, SPAN, 1);
            entries.extend(times.map(|(_, at)| resource.text(CONNECTOR, "WARNING", at, &text)));
        };
        let id = last(name);
        if used > CAPACITY {
            let (percent, instances) = (used * 100.0, load.instances);
            warn(format!(
                "Connector {id} is near its capacity: throughput {percent:.0}% of {:.0} Mbps with {instances} instances.",
                load.capacity_mbps
            ));
        }
        if busy > CAPACITY {
            warn(format!(
                "Connector {id} is near its capacity: CPU {:.0}% with {} instances.",
                busy * 100.0,
                load.instances
            ));
        }
    }

    fn revision(&self, name: &str, load: &ShareLoad, entries: &mut Vec<Value>) {
        let resource = revision_resource(name, &load.revision);
        let host = crate::emulator::run::hosts(name)[0].clone();
        for (index, at) in spread(self.from, SPAN, REQUESTS_LOGGED) {
            let attempt = self.attempt(REQUESTS_LOGGED, index);
            let (status, took) = requests::one(load, Work::Page, attempt);
            let request = json!({
                "requestMethod": "GET",
                "requestUrl": format!("https://{host}/api/items"),
                "status": status,
                "latency": seconds(took),
                "protocol": "HTTP/1.1",
                "remoteIp": "198.51.100.7",
                "userAgent": "Mozilla/5.0",
            });
            let mut entry = resource.entry(REQUESTS, severity(status), at, &index.to_string());
            entry["httpRequest"] = request;
            if status == 503 {
                let text = "The request failed because either the HTTP response was malformed or connection to the \
                            instance had an error.";
                entry["textPayload"] = json!(text);
            }
            entries.push(entry);
        }
        let mut write = |log: &str, severity: &str, count: u32, text: &str| {
            let times = spread(self.from, SPAN, count);
            entries.extend(times.map(|(_, at)| resource.text(log, severity, at, text)));
        };
        for (severity, log, text, a_minute) in self.application(name, load) {
            write(log, severity, self.share(a_minute), &text);
        }
    }

    /// What the application writes: severity, log, text, times a minute.
    fn application(
        &self,
        name: &str,
        load: &ShareLoad,
    ) -> Vec<(&'static str, &'static str, String, u32)> {
        let ratio = |ratio: f64| whole((ratio * 10.0).ceil());
        let refused = self.refused(name);
        let starts = requests::starts(name, load, minute(self.from));
        let start = if load.starts < 1.0 {
            let text = format!(
                "startup phase database timed out; it takes {:.1}s",
                load.startup
            );
            ("ERROR", STDERR, text, starts)
        } else {
            let text = format!("startup phase database completed in {:.1}s", load.startup);
            ("INFO", STDOUT, text, starts)
        };
        let mut lines = vec![start];
        let mut fail = |text: &str, a_minute: u32| {
            if a_minute > 0 {
                lines.push(("ERROR", STDERR, text.to_owned(), a_minute));
            }
        };
        if load.database {
            fail(
                "connection to server failed: timeout expired",
                ratio(load.lost),
            );
            fail(
                "FATAL: remaining connection slots are reserved for non-replication superuser connections",
                ratio(refused),
            );
            fail(
                "QueuePool limit of size 5 overflow 10 reached, connection timed out",
                if load.pool_times_out { 2 } else { 0 },
            );
        }
        fail(
            "Unhandled exception while handling GET /api/items",
            ratio(load.errors),
        );
        lines
    }

    /// The share of connections that the database of a service refuses.
    fn refused(&self, service: &str) -> f64 {
        let mut demands = self.world.traffic.demands.iter();
        let demand = demands.find(|demand| demand.service == service);
        let database = demand.and_then(|demand| self.load.databases.get(demand.database.as_ref()?));
        database.map_or(0.0, DatabaseLoad::refused)
    }

    fn database(&self, name: &str, load: DatabaseLoad, entries: &mut Vec<Value>) {
        let part = |index: usize| part(name, index);
        let resource = Resource {
            project: part(1),
            kind: DATABASE_TYPE,
            labels: json!({
                "project_id": part(1),
                "database_id": format!("{}:{}", part(1), part(3)),
                "region": sqladmin::region_of(self.world, name),
            }),
        };
        let log = "cloudsql.googleapis.com/postgres.log";
        let text = if !load.works {
            "FATAL:  the database system is starting up"
        } else if load.refused() > 0.0 {
            "FATAL:  remaining connection slots are reserved for non-replication superuser connections"
        } else {
            return;
        };
        let times = spread(self.from, SPAN, self.share(4));
        entries.extend(times.map(|(_, at)| resource.text(log, "ERROR", at, text)));
    }

    fn front(&self, front: &AtFront, entries: &mut Vec<Value>) {
        let project = part(&front.backend_service, 1);
        let resource = Resource {
            kind: BALANCER_TYPE,
            labels: json!({
                "project_id": project,
                "zone": "global",
                "backend_service_name": last(&front.backend_service),
                "forwarding_rule_name": "staging-https-rule",
                "target_proxy_name": last(&front.proxy),
                "url_map_name": "staging-url-map",
            }),
            project,
        };
        let all: u32 = front.outcomes.iter().map(|outcome| outcome.count).sum();
        for (index, at) in spread(self.from, SPAN, REQUESTS_LOGGED) {
            let place = self.attempt(REQUESTS_LOGGED, index).place(0.3) * f64::from(all);
            let mut passed = 0.0;
            let hit = front.outcomes.iter().find(|outcome| {
                passed += f64::from(outcome.count);
                place < passed
            });
            let Some(outcome) = hit else { continue };
            let details = match outcome.status {
                503 if outcome.seconds < 0.1 => "failed_to_pick_backend",
                503 => "backend_connection_closed_before_data_sent_to_client",
                _ => "response_sent_by_backend",
            };
            let mut entry = resource.entry("requests", severity(outcome.status), at, &front.path);
            entry["httpRequest"] = json!({
                "requestMethod": "GET",
                "requestUrl": format!("https://{}{}", front.host, front.path),
                "status": outcome.status,
                "latency": seconds(outcome.seconds),
                "remoteIp": "198.51.100.7",
                "userAgent": "Mozilla/5.0",
            });
            entry["jsonPayload"] = json!({
                "@type": "type.googleapis.com/google.cloud.loadbalancing.type.LoadBalancerLogEntry",
                "statusDetails": details,
                "backendTargetProjectNumber": "projects/0",
                "remoteIp": "198.51.100.7",
            });
            entries.push(entry);
        }
    }

    /// The lines that the controls ask for.
    fn injected(&self, entries: &mut Vec<Value>) {
        let scene = self.world.scene_at(self.from);
        let lines = scene.map_or(&[][..], |scene| &scene.controls.logs);
        for line in lines {
            let wanted = line.service.as_deref();
            let resource = match wanted {
                None => {
                    let first = self.load.connectors.keys().next();
                    first.map(|name| (connector_resource(name), CONNECTOR))
                }
                Some(service) => {
                    let mut services = self.load.services.iter();
                    let found = services.find(|(name, _)| last(name) == service);
                    found.and_then(|(name, shares)| {
                        let share = shares.first()?;
                        Some((revision_resource(name, &share.revision), STDERR))
                    })
                }
            };
            let Some((resource, log)) = resource else {
                continue;
            };
            let severity = match line.severity {
                LineSeverity::Info => "INFO",
                LineSeverity::Warning => "WARNING",
                LineSeverity::Error => "ERROR",
                LineSeverity::Critical => "CRITICAL",
            };
            let times = spread(self.from, SPAN, self.share(line.per_minute));
            entries.extend(times.map(|(_, at)| resource.text(log, severity, at, &line.text)));
        }
    }
}

fn connector_resource(name: &str) -> Resource {
    let part = |index: usize| part(name, index);
    Resource {
        project: part(1),
        kind: CONNECTOR_TYPE,
        labels: json!({"project_id": part(1), "location": part(3), "connector_name": part(5)}),
    }
}

fn revision_resource(name: &str, revision: &str) -> Resource {
    let part = |index: usize| part(name, index);
    Resource {
        project: part(1),
        kind: REVISION_TYPE,
        labels: json!({
            "project_id": part(1),
            "location": part(3),
            "service_name": part(5),
            "configuration_name": part(5),
            "revision_name": revision,
        }),
    }
}

fn severity(status: u16) -> &'static str {
    match status {
        500.. => "ERROR",
        400..=499 => "WARNING",
        _ => "INFO",
    }
}

fn part(name: &str, index: usize) -> String {
    name.split('/').nth(index).unwrap_or_default().to_owned()
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}
