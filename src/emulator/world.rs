//! Everything the emulator knows, and the path of a request through it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Method, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::Access;
use super::connectors::Connector;
use super::dice::Dice;
use super::errors::ApiError;
use super::fields::Mask;
use super::firing::{Arrival, Faults};
use super::log::{Log, LogEntry, LogStatus};
use super::messages::{self, Message};
use super::operations::Operation;
use super::query::{Params, loggable};
use super::quota::Meter;
use super::records::{Lag, Record};
use super::route::{Call, Route, Version};
use super::scenario::{Scenario, Service};
use super::timing::{Timing, earlier};
use super::{Handled, Options, Outcome, RestoreError, control, locations, reply};

/// The form of snapshots. Goes up when an older one can no longer be read.
const SNAPSHOT_VERSION: u32 = 1;

#[derive(Debug, Clone, Serialize, Deserialize)]
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
    pub records: BTreeMap<String, Record>,
    pub operations: BTreeMap<String, Operation>,
    /// The running operations by the time they end.
    pub running: BTreeSet<(Timestamp, String)>,
    pub services: Vec<Service>,
    pub faults: Faults,
    pub log: Log,
}

/// One API request, read as far as its method allows.
pub(super) struct Request<'a> {
    pub http_method: &'a Method,
    pub path: &'a str,
    pub route: &'a Route,
    pub params: &'a Params,
    pub body: &'a [u8],
}

/// What a read may see.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub at: Timestamp,
    /// Part of the region does not answer.
    pub partial: bool,
}

impl World {
    pub fn new(options: Options) -> Self {
        let Options {
            scenario,
            seed,
            timing,
        } = options;
        let record = |connector: Connector| {
            let mut record = Record::default();
            let name = connector.name.clone();
            record.change(Timestamp::MIN, Lag::default(), Some(connector));
            (name, record)
        };
        Self {
            version: SNAPSHOT_VERSION,
            scenario,
            seed,
            timing,
            clock: Timestamp::MIN,
            dice: Dice::new(seed),
            access: Access::default(),
            meter: Meter::default(),
            projects: scenario
                .project()
                .map(|project| BTreeSet::from([project.to_owned()])),
            records: scenario.connectors().into_iter().map(record).collect(),
            operations: BTreeMap::new(),
            running: BTreeSet::new(),
            services: scenario.services(),
            faults: Faults::new(seed),
            log: Log::default(),
        }
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
        self.clock = self.clock.max(now);
        self.settle();
    }

    /// A connector shows a new state from now on, to everyone.
    pub fn show(&mut self, name: &str, connector: Option<Connector>) {
        let record = self.records.entry(name.to_owned()).or_default();
        record.change(self.clock, Lag::default(), connector);
    }

    pub fn handle(&mut self, now: Timestamp, request: &http::Request<Bytes>) -> Handled {
        self.advance(now);
        if request.uri().path().starts_with(control::PREFIX) {
            let reply = control::answer(self, request);
            return Handled {
                delay: std::time::Duration::ZERO,
                outcome: Outcome::Reply(reply),
            };
        }
        let (method, path) = (request.method(), request.uri().path());
        let route = Route::find(method, path);
        let mut entry = self.log_entry(request, route.as_ref());
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
        Handled {
            delay,
            outcome: reply.map_or(Outcome::Reset, Outcome::Reply),
        }
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
            Err(error) => error.reply(),
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
        let params = Params::read(request.uri().query().unwrap_or_default(), route)?;
        let mask = params
            .fields
            .as_deref()
            .map(|text| Mask::parse(text, answer_of(route)));
        let mask = mask.transpose()?;
        self.check_parent(route)?;
        let request = Request {
            http_method: request.method(),
            path: request.uri().path(),
            route,
            params: &params,
            body: request.body(),
        };
        let body = self.dispatch(&request, view)?;
        let body = if let Some(mask) = mask {
            mask.apply(body)
        } else {
            body
        };
        Ok(reply::json(200, &body, params.pretty))
    }

    fn dispatch(&mut self, request: &Request, view: View) -> Result<Value, ApiError> {
        let (route, params) = (request.route, request.params);
        if !route.is_write() {
            messages::read_nothing(request.body)?;
        }
        match route.call {
            Call::ListLocations => locations::list(route, params),
            Call::ListConnectors => self.list_connectors(route, params, view),
            Call::GetConnector => self.get_connector(route, view),
            Call::CreateConnector => self.create_connector(request),
            Call::PatchConnector => self.patch_connector(request),
            Call::DeleteConnector => self.delete_connector(request),
            Call::ListOperations => self.list_operations(route, params, view),
            Call::GetOperation => self.get_operation(route),
        }
    }

    fn log_entry(&self, request: &http::Request<Bytes>, route: Option<&Route>) -> LogEntry {
        let query = request.uri().query().unwrap_or_default();
        let parameter = |wanted: &[&str]| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(name, _)| wanted.contains(&name.as_ref()))
                .map(|(_, value)| value.into_owned())
        };
        let target = route.and_then(|route| match route.call {
            Call::CreateConnector => {
                Some(route.connector_name(&parameter(&["connectorId", "connector_id"])?))
            }
            Call::GetConnector | Call::PatchConnector | Call::DeleteConnector => {
                Some(route.connector_name(&route.id))
            }
            _ => None,
        });
        let connector = target.and_then(|name| self.truth(&name));
        let changes = route.is_some_and(Route::is_write);
        LogEntry {
            seq: 0,
            at: self.clock,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: loggable(query),
            update_mask: parameter(&["updateMask", "update_mask"]),
            body: logged_body(request.body()),
            status: LogStatus::RESET,
            landed: false,
            state: connector.map(|connector| connector.state.name().to_owned()),
            before: connector
                .filter(|_| changes)
                .map(|connector| connector.body(Version::V1)),
            faults: Vec::new(),
            foreign: false,
        }
    }
}

fn logged_body(body: &Bytes) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let text = || Value::from(String::from_utf8_lossy(body).into_owned());
    Some(serde_json::from_slice(body).unwrap_or_else(|_| text()))
}

/// The message of a successful reply.
fn answer_of(route: &Route) -> &'static Message {
    match (route.call, route.version) {
        (Call::ListLocations, _) => &messages::LIST_LOCATIONS,
        (Call::ListConnectors, Version::V1) => &messages::LIST_CONNECTORS,
        (Call::ListConnectors, Version::V1Beta1) => &messages::LIST_CONNECTORS_BETA,
        (Call::GetConnector, Version::V1) => &messages::CONNECTOR,
        (Call::GetConnector, Version::V1Beta1) => &messages::CONNECTOR_BETA,
        (Call::ListOperations, _) => &messages::LIST_OPERATIONS,
        (_, _) => &messages::OPERATION,
    }
}
