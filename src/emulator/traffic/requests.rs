//! What becomes of the requests of a minute, for those who count them.

use jiff::Timestamp;

use super::load::Load;
use super::scene::Backend;
use super::service::{ShareLoad, Work};
use super::wave::{self, Attempt, minute};
use crate::emulator::compute;
use crate::emulator::query::checksum;
use crate::emulator::world::World;

/// So many requests ended like this.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::emulator) struct Outcome {
    pub status: u16,
    pub count: u32,
    /// How long each took.
    pub seconds: f64,
}

/// Requests at a path of the load balancer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::emulator) struct AtFront {
    pub host: String,
    pub path: String,
    pub proxy: String,
    pub backend_service: String,
    pub group: String,
    /// As the load balancer's metrics name it.
    pub group_kind: &'static str,
    /// Its region or zone.
    pub scope: String,
    pub outcomes: Vec<Outcome>,
}

const SECONDS: f64 = 60.0;

/// Requests a second that machines get.
const MACHINE_REQUESTS: f64 = 5.0;

/// A container starts so often where nothing makes it start again.
const START_EVERY_MINUTES: u64 = 5;

/// Starts a minute where starts come to nothing.
const STARTS_AGAIN: u32 = 2;

/// What one request comes to: its status, and how long it takes.
pub(in crate::emulator) fn one(load: &ShareLoad, work: Work, attempt: Attempt) -> (u16, f64) {
    let seconds = attempt.takes(load.takes(work), 0.1);
    if attempt.is_hit(load.unavailable(work), 0.2) {
        (503, seconds)
    } else if attempt.is_hit(load.errors, 0.5) {
        (500, seconds)
    } else if seconds > load.request_timeout {
        (504, load.request_timeout)
    } else {
        (200, seconds)
    }
}

/// The requests of a minute to a revision.
pub(in crate::emulator) fn of_share(load: &ShareLoad, work: Work, minute: i64) -> Vec<Outcome> {
    let all = load.requests_per_second * SECONDS;
    let unavailable = load.unavailable(work);
    let errors = load.errors * (1.0 - unavailable);
    let seconds = load.takes(work);
    let well = if seconds > load.request_timeout {
        504
    } else {
        200
    };
    let shares = [
        (well, 1.0 - unavailable - errors),
        (500, errors),
        (503, unavailable),
    ];
    let outcome = |(status, ratio): (u16, f64)| Outcome {
        status,
        count: dithered(all * ratio, minute, status),
        seconds: seconds.min(load.request_timeout),
    };
    shares
        .into_iter()
        .map(outcome)
        .filter(|outcome| outcome.count > 0)
        .collect()
}

/// A whole number that is right in the mean over minutes.
fn dithered(number: f64, minute: i64, salt: u16) -> u32 {
    if number <= 0.0 {
        return 0;
    }
    let number_of_minute = u32::try_from(minute.rem_euclid(1 << 20)).unwrap_or_default();
    let attempt = Attempt {
        number: number_of_minute,
    };
    wave::whole(number + attempt.place(f64::from(salt) / 1_000.0))
}

/// How many containers of a service start in a minute.
pub(in crate::emulator) fn starts(service: &str, load: &ShareLoad, minute: i64) -> u32 {
    if load.starts < 1.0 {
        return STARTS_AGAIN;
    }
    let turn = checksum(service, "start") % START_EVERY_MINUTES;
    u32::from(minute.rem_euclid(START_EVERY_MINUTES.cast_signed()) == turn.cast_signed())
}

/// The requests of a minute at each path of the load balancer.
pub(in crate::emulator) fn at_fronts(world: &World, load: &Load, at: Timestamp) -> Vec<AtFront> {
    let fronts = world.traffic.fronts.iter();
    let front = |front: &super::demand::Front| {
        let group = compute::group_of(world, &front.backend_service)?;
        let backend = world.scene_at(at)?.backends.get(&front.backend_service)?;
        Some(AtFront {
            host: front.host.clone(),
            path: front.path.clone(),
            proxy: front.proxy.clone(),
            backend_service: front.backend_service.clone(),
            group: group.name,
            group_kind: group.kind,
            scope: group.scope,
            outcomes: behind(world, load, at, &front.backend_service, backend),
        })
    };
    fronts.filter_map(front).collect()
}

fn behind(
    world: &World,
    load: &Load,
    at: Timestamp,
    backend_service: &str,
    backend: &Backend,
) -> Vec<Outcome> {
    match backend {
        Backend::Run(service) => {
            let shares = load.services.get(service).map(Vec::as_slice);
            let shares = shares.unwrap_or_default().iter();
            shares
                .flat_map(|share| of_share(share, Work::Page, minute(at)))
                .collect()
        }
        Backend::Machines { machines, .. } => {
            let mut well = machines
                .iter()
                .filter(|machine| world.is_well(at, backend_service, machine));
            let count = wave::whole(MACHINE_REQUESTS * SECONDS);
            let outcome = match well.next() {
                Some(machine) => Outcome {
                    status: 200,
                    count,
                    seconds: machine.answers.get("/").copied().unwrap_or(0.1),
                },
                None => nobody(count),
            };
            vec![outcome]
        }
        Backend::Nothing => vec![nobody(wave::whole(MACHINE_REQUESTS * SECONDS))],
    }
}

/// The load balancer has nobody to send requests to.
fn nobody(count: u32) -> Outcome {
    Outcome {
        status: 503,
        count,
        seconds: 0.005,
    }
}
