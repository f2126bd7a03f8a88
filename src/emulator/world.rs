//! Everything the emulator knows, and the path of a request through it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::access::Access;
use super::api::{Body, Eye, Request};
use super::dice::Dice;
use super::dns::Dns;
use super::domains::{Domain, Domains};
use super::enum_numbers;
use super::errors::ApiError;
use super::fields::Mask;
use super::firing::{Arrival, Faults};
use super::log::{Asked, Log, LogStatus};
use super::messages::{self, Nulls};
use super::operations::Operations;
use super::query::Params;
use super::quota::Meter;
use super::records::{Lag, Records};
use super::registry::{self, APIS};
use super::route::{self, Route};
use super::scenario::Scenario;
use super::timing::{Timing, earlier};
use super::traffic::Traffic;
use super::{Handled, Options, Outcome, RestoreError, control, reply};

/// The form of snapshots. Goes up when an older one can no longer be read.
const SNAPSHOT_VERSION: u32 = 3;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct World {
    version: u32,
    pub scenario: Scenario,
    pub seed: u64,
    pub timing: Timing,
    /// The latest time seen.
    pub clock: Timestamp,
    pub dice: Dice,
    pub access: Access,
    pub meter: Meter,
    /// The projects let in; None lets every project in.
    pub projects: Option<BTreeSet<String>>,
    pub records: Records,
    pub operations: Operations,
    pub traffic: Traffic,
    pub domains: Domains,
    #[serde(default)]
    pub dns: Dns,
    pub faults: Faults,
    pub log: Log,
}

/// What a read may see.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub at: Timestamp,
    /// Part of the place does not answer.
    pub partial: bool,
}

impl World {
    pub fn new(options: Options) -> Self {
        let Options {
            scenario,
            seed,
            timing,
        } = options;
        let mut records = Records::default();
        for (key, record) in APIS.iter().flat_map(|api| api.seed(scenario)) {
            records.change(&key, Timestamp::MIN, Lag::default(), Some(record));
        }
        let projects = scenario.project();
        let mut world = Self {
            version: SNAPSHOT_VERSION,
            scenario,
            seed,
            timing,
            clock: Timestamp::MIN,
            dice: Dice::new(seed),
            access: Access::default(),
            meter: Meter::default(),
            projects: projects.map(|project| BTreeSet::from([project.to_owned()])),
            records,
            operations: Operations::default(),
            traffic: Traffic::of(scenario),
            domains: Domains::default(),
            dns: Dns::default(),
            faults: Faults::new(seed),
            log: Log::default(),
        };
        for api in APIS {
            api.begin(&mut world);
        }
        world
    }

    pub fn snapshot(&self) -> Value {
        // Only maps with keys that are not strings could fail here, and there are none.
        serde_json::to_value(self).unwrap_or_default()
    }

    pub fn from_snapshot(snapshot: &Value) -> Result<Self, RestoreError> {
        let refuse = |reason: String| RestoreError {
            expected: SNAPSHOT_VERSION,
            reason,
        };
        match snapshot.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(SNAPSHOT_VERSION) => {}
            Some(version) => return Err(refuse(format!("it has version {version}"))),
            None => return Err(refuse("it has no version".to_owned())),
        }
        Self::deserialize(snapshot).map_err(|error| refuse(error.to_string()))
    }

    /// Time passes; it never runs backwards.
    pub fn advance(&mut self, now: Timestamp) {
        self.watch(self.clock);
        self.begin_traffic(now);
        self.clock = self.clock.max(now);
        self.settle();
    }

    /// A record changes from now on, for everyone.
    pub fn show(&mut self, key: &str, record: Option<Value>) {
        self.records.change(key, self.clock, Lag::default(), record);
    }

    pub fn set_domains(&mut self, domains: BTreeMap<String, Domain>) {
        self.domains.set(domains);
        for api in APIS {
            api.domains_changed(self);
        }
    }

    pub fn set_dns(&mut self, records: BTreeMap<String, String>) {
        self.dns.set(records);
        for api in APIS {
            api.dns_changed(self);
        }
    }

    /// The true state of a record as its API shows it, through the front door of Google.
    pub fn truth_body(&self, key: &str) -> Option<Value> {
        let api = registry::owner(key)?;
        Some(api.show(key, self.records.truth(key)?, &Eye::of(api)))
    }

    /// Every resource as it truly is, by its key.
    pub fn everything(&self) -> Map<String, Value> {
        let all = self.records.all_under("//");
        all.filter_map(|(key, _)| Some((key.to_owned(), self.truth_body(key)?)))
            .collect()
    }

    /// Whether an operation is changing the resource at this path.
    pub fn is_busy(&self, path: &str) -> bool {
        let readings = Route::all(&http::Method::GET, path);
        let running = |route: &Route| self.operations.running_on(&route.key()).is_some();
        readings.iter().any(running)
    }

    /// The reply, and whether there is anything new to keep.
    pub fn handle(&mut self, now: Timestamp, request: &http::Request<Bytes>) -> (Handled, bool) {
        self.advance(now);
        if request.uri().path().starts_with(control::PREFIX) {
            let handled = Handled {
                delay: std::time::Duration::ZERO,
                outcome: Outcome::Reply(control::answer(self, request)),
            };
            return (handled, request.method() != http::Method::GET);
        }
        let (method, path) = (request.method(), request.uri().path());
        let route = self.route(request);
        let asked = Asked::read(request, route.as_ref());
        let mut entry = self.log_entry(asked, route.as_ref());
        let arrival = self.faults.arrival(method, path, route.as_ref());
        let delay = arrival.delay;
        let reply = self.reply(request, route.as_ref(), arrival, &mut entry.landed);
        let reply = reply.filter(|_| !self.faults.reply_lost(method, path));
        entry.status = match &reply {
            Some(reply) => LogStatus::Code(reply.status().as_u16()),
            None => LogStatus::RESET,
        };
        entry.faults = self.faults.take_just_fired();
        self.log.push(entry);
        let handled = Handled {
            delay,
            outcome: reply.map_or(Outcome::Reset, Outcome::Reply),
        };
        (handled, route.is_some_and(|route| route.is_write()))
    }

    /// APIs with hosts of their own at Google may share a path here: then the host decides, or who has the
    /// operation in question, or who serves the location, or the order of the registry.
    fn route(&self, request: &http::Request<Bytes>) -> Option<Route> {
        let mut routes = Route::all(request.method(), request.uri().path());
        let host = route::host(request.uri(), request.headers()).unwrap_or_default();
        if let Some(named) = APIS.iter().find(|api| host.contains(api.service())) {
            routes.retain(|route| route.api.service() == named.service());
        }
        let owned = |route: &Route| self.operations.get(&route.key()).is_some();
        let serves = |route: &Route| route.api.serves(route.var("location"));
        let best = routes.iter().position(owned);
        let best = best.or_else(|| routes.iter().position(serves));
        routes.into_iter().nth(best.unwrap_or(0))
    }

    /// None: the connection closes before the request is looked at.
    fn reply(
        &mut self,
        request: &http::Request<Bytes>,
        route: Option<&Route>,
        arrival: Arrival,
        landed: &mut bool,
    ) -> Option<Response<Bytes>> {
        if arrival.reset {
            return None;
        }
        if let Some(error) = arrival.error {
            return Some(error.reply());
        }
        let Some(route) = route else {
            return Some(reply::no_such_path(request.uri().path()));
        };
        let view = View {
            at: earlier(self.clock, arrival.stale),
            partial: arrival.partial,
        };
        Some(match self.call(request, route, view) {
            Ok(response) => {
                *landed = route.is_write();
                response
            }
            Err(error) => error.in_shape(route.api.shape()).reply(),
        })
    }

    /// Who, how often, what, in the order Google asks.
    fn call(
        &mut self,
        request: &http::Request<Bytes>,
        route: &Route,
        view: View,
    ) -> Result<Response<Bytes>, ApiError> {
        self.access.check(request.headers(), route)?;
        self.meter.charge(self.clock, route)?;
        let params = Params::read(
            request.uri().query().unwrap_or_default(),
            request.headers(),
            route,
        )?;
        let mask = params
            .fields
            .as_deref()
            .map(|text| Mask::parse(text, route.method.answer))
            .transpose()?;
        route.api.admit(self, route)?;
        let base = route::base(request.uri(), request.headers());
        let request = Request {
            verb: request.method(),
            path: request.uri().path(),
            route,
            params: &params,
            body: read_body(route.method.body, request.body())?,
            view,
            base: &base,
        };
        let body = (route.method.call)(self, &request)?;
        let body = match mask {
            Some(mask) => mask.apply(body),
            None => body,
        };
        let body = if params.enum_numbers {
            enum_numbers::encode(route.api, route.method.answer, body)
        } else {
            body
        };
        Ok(reply::json(200, &body, params.pretty))
    }
}

fn read_body(takes: Body, body: &[u8]) -> Result<Map<String, Value>, ApiError> {
    match takes {
        Body::Nothing => messages::read_nothing(body).map(|()| Map::new()),
        Body::Message(message, place) => messages::read(message, place, body, Nulls::Unset),
        Body::Merge(message, place) => messages::read(message, place, body, Nulls::Keep),
    }
}
