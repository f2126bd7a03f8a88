//! What the simulation knows of each kind: what people declare, what strangers do, and how a
//! resource stands, seen from the outside.
//!
//! Written from Google's documents and from `docs/kinds`; nothing here is shared with `src/kinds`.

pub mod backend_service;
pub mod certificate;
pub mod connector;
pub mod health_check;
pub mod managed_certificate;
pub mod run_service;
pub mod sql_instance;

use super::body;
use super::trace::Sent;
use evenkeel::api::envelope::RolloutSpec;
use evenkeel::api::{Declared, Key, Kind};
use evenkeel::emulator::{Domain, Emulator};
use fastrand::Rng;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A resource of the fleet.
#[derive(Debug, Clone)]
pub struct Place {
    pub key: Key,
    /// What was drawn for it once, in its kind's own form.
    pub lot: Value,
}

/// Something that is there when the run starts.
#[derive(Debug, Clone)]
pub enum Prop {
    /// As the emulator keeps it, by its full name.
    Record(String, Value),
    /// Made by a request, long ago.
    Made(Call),
}

/// A request of somebody else.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: &'static str,
    /// With its query.
    pub path: String,
    pub body: Value,
}

/// What another writer does.
#[derive(Debug, Clone)]
pub enum Meddle {
    /// Fields change at once, bound by no rule.
    Patch(Value),
    /// It is gone at once.
    Delete,
    Break,
    /// Something through the API, in the words of the kind.
    Deed(Value),
    /// What becomes of proving a domain.
    Domain(String, Domain),
}

/// One kind.
pub trait Content: Sync {
    /// The service and the root of its paths: `vpcaccess.googleapis.com`, `/v1/`.
    fn home(&self) -> (&'static str, &'static str);

    /// The name of the resource, from `projects` on.
    fn name(&self, key: &Key) -> String;

    /// Whether the resource is, or consists of, the object with this name.
    fn owns(&self, key: &Key, object: &str) -> bool {
        self.name(key) == object
    }

    /// Declared fields: valid mostly, some that GCP refuses, some that cannot be reached. `memory`
    /// is kept for the next draw.
    fn resource(&self, rng: &mut Rng, place: &Place, memory: &mut Value) -> Map<String, Value>;

    fn rollout(&self, rng: &mut Rng) -> Option<RolloutSpec>;

    fn meddle(&self, rng: &mut Rng, place: &Place) -> Meddle;

    /// The request of a [`Meddle::Deed`]; `None` where it makes no sense now.
    fn deed(&self, place: &Place, deed: &Value, truth: Option<&Value>) -> Option<Call>;

    /// The resource as it truly is.
    fn truth(&self, emulator: &Emulator, key: &Key) -> Option<Value> {
        emulator.truth(&self.path(key))
    }

    fn path(&self, key: &Key) -> String {
        format!("{}{}", self.home().1, self.name(key))
    }

    /// The manifests that this one refers to.
    fn needs(&self, _: &Declared) -> Vec<(Kind, String)> {
        Vec::new()
    }

    /// The members, by what tells them apart, of the lists that others write to as well. `None`: the
    /// body has no such list.
    fn members(&self, _: &Value) -> Option<BTreeMap<String, Value>> {
        None
    }

    /// Live is as declared, and works.
    fn reached(&self, declared: &Declared, truth: &Value) -> bool;

    /// From the outside it cannot be told whether it is reached.
    fn open(&self, _: &Declared, _: &Value) -> bool {
        false
    }

    /// GCP does not bring live to where it is declared to be.
    fn impossible(&self, _: &Declared, _: &Value) -> bool {
        false
    }

    /// GCP refuses it, alone or together with what is live.
    fn invalid(&self, declared: &Declared, truth: Option<&Value>) -> bool;

    /// Not enough is declared to make the resource.
    fn incomplete(&self, _: &Declared) -> bool {
        false
    }

    /// What it waits for does not come by itself.
    fn stuck(&self, _: &Declared, _: Option<&Value>) -> bool {
        false
    }

    /// GCP says that it does not work.
    fn broken(&self, _: &Value) -> bool {
        false
    }

    /// Where a change carries the version it was decided on, so that GCP refuses what raced.
    fn version(&self) -> Option<&'static [&'static str]> {
        None
    }

    /// How often a person tries again what failed.
    fn retries(&self) -> u32 {
        12
    }

    /// What is wrong with the form of a patch.
    fn malformed(&self, sent: &Sent) -> Option<String> {
        (!sent.mask.is_empty()).then(|| "this API has no masks".to_owned())
    }

    /// A part of a patch that need not be there.
    fn idle(&self, sent: &Sent, before: &Value) -> Option<String> {
        let leaves = body::leaves(&body::content(&sent.body));
        let mut idle = leaves
            .into_iter()
            .filter(|(path, value)| body::holds(body::at(before, path), value));
        idle.next().map(|(path, _)| path.join("."))
    }

    /// In a few words, for the timeline.
    fn brief(&self, truth: &Value) -> String;
}

pub fn of(kind: Kind) -> &'static dyn Content {
    match kind {
        Kind::VpcAccessConnector => &connector::Connector,
        Kind::SslCertificate => &certificate::Certificate,
        Kind::HealthCheck => &health_check::HealthCheck,
        Kind::BackendService => &backend_service::BackendService,
        Kind::RunService => &run_service::RunService,
        Kind::SqlInstance => &sql_instance::SqlInstance,
        Kind::ManagedCertificate => &managed_certificate::ManagedCertificate,
    }
}

/// The name of the object that a mutating request is about, or makes.
pub fn object_of(method: &str, path: &str, query: &str, body: Option<&Value>) -> Option<String> {
    let name = &path[path.find("projects/")?..];
    if method != "POST" {
        return Some(name.to_owned());
    }
    let mut query = url::form_urlencoded::parse(query.as_bytes());
    let id = query
        .find(|(name, _)| name.ends_with("Id") && name != "requestId")
        .map(|(_, id)| id.into_owned());
    let named = body.and_then(|body| Some(body["name"].as_str()?.to_owned()));
    Some(format!("{name}/{}", id.or(named)?))
}

/// The declared policy settings that every kind has.
pub fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

pub fn fields(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The texts of a list.
pub fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The last part of a name or link.
pub fn short(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or(link)
}

/// Where a resource of Compute Engine lives.
pub fn compute_scope(key: &Key) -> String {
    match key.location.as_str() {
        "global" => format!("projects/{}/global", key.project),
        region => format!("projects/{}/regions/{region}", key.project),
    }
}
