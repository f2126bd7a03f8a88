//! What a client gets for an HTTP request, through the load balancer, at Cloud Run or beside a service.

use serde_json::{Value, json};

use super::controls::Fault;
use super::requests;
use super::scene::Backend;
use super::service::{ShareLoad, Work};
use crate::emulator::world::World;

/// The next answer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct Answer {
    pub seconds: f64,
    pub status: u16,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) enum Body {
    Json(Value),
    Text(String),
}

impl Answer {
    /// What the platform itself says.
    fn text(seconds: f64, status: u16, text: &str) -> Self {
        Self {
            seconds,
            status,
            body: Body::Text(format!("{text}\n")),
        }
    }
}

const NO_INSTANCE: &str = "The request was aborted because there was no available instance.";
const UNAVAILABLE: &str = "Service Unavailable";
const NO_BACKEND: &str = "no healthy upstream";

/// What a path asks of an application.
fn work(path: &str) -> Work {
    match path.trim_end_matches('/') {
        "/health/basic" | "/health/live" | "/healthz" => Work::Basic,
        "/health" | "/health/ready" => Work::Health,
        "/golden-path" => Work::GoldenPath,
        _ => Work::Page,
    }
}

impl World {
    /// The answer to a request for a host, as the edge routes it.
    pub fn answer_at(&mut self, host: &str, path: &str) -> Answer {
        let host = host.split(':').next().unwrap_or_default().to_lowercase();
        if let Some(service) = self.run_service(&host) {
            return self.answer_of(&service, path);
        }
        let known = self.front_of(&host).or_else(|| self.traffic.fronts.first());
        let Some(host) = known.map(|front| front.host.clone()) else {
            return Answer::text(0.005, 404, "Not Found");
        };
        let within = |prefix: &str| {
            prefix == "/" || path == prefix || path.starts_with(&format!("{prefix}/"))
        };
        let fronts = self.traffic.fronts.iter();
        let fronts = fronts.filter(|front| front.host == host && within(&front.path));
        let front = fronts.max_by_key(|front| front.path.len()).cloned();
        let Some(front) = front else {
            return Answer::text(0.005, 404, "Not Found");
        };
        self.watch(self.clock);
        let scene = self.scene_at(self.clock);
        let backend = scene
            .and_then(|scene| scene.backends.get(&front.backend_service))
            .cloned();
        match backend {
            Some(Backend::Run(service)) => self.answer_of(&service, path),
            Some(Backend::Machines { .. }) => {
                let rest = path.strip_prefix(front.path.as_str()).unwrap_or(path);
                let path = if rest.starts_with('/') { rest } else { "/" };
                self.answer_of_machine(&front.backend_service, path)
            }
            Some(Backend::Nothing) | None => Answer::text(0.005, 503, NO_BACKEND),
        }
    }

    /// The answer of a Cloud Run service.
    pub fn answer_of(&mut self, service: &str, path: &str) -> Answer {
        let attempt = self.traffic.attempt(&format!("request {service}"));
        let load = self.load();
        let shares = load.as_ref().and_then(|load| load.services.get(service));
        let shares = shares.map(Vec::as_slice).unwrap_or_default();
        let place = attempt.place(0.9);
        let mut passed = 0.0;
        let share = shares.iter().find(|share| {
            passed += share.part;
            place < passed
        });
        let Some(share) = share.or(shares.last()) else {
            return Answer::text(0.005, 404, "Not Found");
        };
        if share.available == 0 {
            return Answer::text(1.0, 503, NO_INSTANCE);
        }
        let work = work(path);
        let (status, seconds) = requests::one(share, work, attempt);
        let by_platform = attempt.is_hit(share.unavailable(Work::Basic), 0.2);
        if status == 503 && by_platform {
            return Answer::text(seconds, status, UNAVAILABLE);
        }
        let body = body(service, share, work, status);
        Answer {
            seconds,
            status,
            body,
        }
    }

    /// The answer of the next machine that the load balancer finds well.
    fn answer_of_machine(&mut self, backend_service: &str, path: &str) -> Answer {
        let attempt = self.traffic.attempt(&format!("request {backend_service}"));
        let scene = self.scene_at(self.clock);
        let backend = scene.and_then(|scene| scene.backends.get(backend_service));
        let Some(Backend::Machines { machines, port, .. }) = backend else {
            return Answer::text(0.005, 503, NO_BACKEND);
        };
        let well = machines
            .iter()
            .filter(|machine| self.is_well(self.clock, backend_service, machine));
        let well: Vec<_> = well.collect();
        let turn = attempt.number as usize % well.len().max(1);
        let Some(machine) = well.get(turn) else {
            return Answer::text(0.005, 503, NO_BACKEND);
        };
        if !machine.ports.contains(port) {
            return Answer::text(0.01, 502, "upstream connect error");
        }
        let slow = self.traffic.controls.amount(Fault::AppSlow);
        match machine.answers.get(path) {
            Some(seconds) => {
                let name = machine.name.rsplit('/').next().unwrap_or_default();
                Answer {
                    seconds: attempt.takes(seconds + slow, 0.1),
                    status: 200,
                    body: Body::Json(json!({"status": "healthy", "machine": name})),
                }
            }
            None => Answer::text(0.01, 404, "Not Found"),
        }
    }
}

fn body(service: &str, load: &ShareLoad, work: Work, status: u16) -> Body {
    let id = service.rsplit('/').next().unwrap_or_default();
    let well = status == 200;
    let mut body = json!({
        "status": if well { "healthy" } else { "unhealthy" },
        "service": id,
        "revision": load.revision,
    });
    if work == Work::Health {
        body["startup"] =
            json!({"databaseSeconds": rounded(load.startup), "inTime": load.starts >= 1.0});
        if load.database {
            body["database"] = json!({
                "status": if well { "up" } else { "unreachable" },
                "connectSeconds": rounded(load.connect),
                "querySeconds": rounded(load.query),
                "poolTimesOut": load.pool_times_out,
            });
        }
    }
    if status == 500 {
        body["error"] = json!("Unhandled exception");
    }
    Body::Json(body)
}

fn rounded(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}
