//! Bodies to canonical fields, and what a service says about itself.

use super::super::secret::is_secret;
use super::super::tree::{self, Collection, Members};
use super::traffic::{self, Split};
use super::{secrets, units};
use crate::core::fields::Fields;
use crate::core::items;
use crate::core::observed::{Lifecycle, Present};
use serde_json::{Map, Value};

/// The lists and maps whose members have keys.
pub(super) const COLLECTIONS: &[Collection] = &[
    collection("labels", Members::Entries),
    collection("annotations", Members::Entries),
    collection("template.containers", Members::By("name")),
    collection("template.containers[].env", Members::By("name")),
    collection("template.containers[].ports", Members::Place),
    collection("template.containers[].resources.limits", Members::Entries),
    collection("template.vpcAccess.networkInterfaces", Members::Place),
];

const fn collection(path: &'static str, members: Members) -> Collection {
    Collection { path, members }
}

/// The parts of a service that manifests may declare.
const PARTS: &[&str] = &[
    "description",
    "labels",
    "annotations",
    "ingress",
    "scaling",
    "template",
];

/// Proto3 leaves out what is zero: these are zero when they are not there.
const ZEROS: &[(&str, &str)] = &[
    ("", "scaling.minInstanceCount"),
    ("", "template.scaling.minInstanceCount"),
    ("startupProbe", "initialDelaySeconds"),
    ("livenessProbe", "initialDelaySeconds"),
    ("resources", "cpuIdle"),
    ("resources", "startupCpuBoost"),
];

/// A GCP reply as fields, lifecycle and all.
pub(super) fn present(raw: Value) -> Present {
    let all = raw.as_object().cloned().unwrap_or_default();
    let managed: Map<String, Value> = all
        .into_iter()
        .filter(|(part, _)| PARTS.contains(&part.as_str()))
        .collect();
    let home = Home::of(&raw);
    let mut fields = canonical(&managed, &home);
    add_zeros(&mut fields);
    add_main_container(&mut fields, &raw);
    let split = Split::of(&raw["traffic"]).text();
    fields.insert(traffic::FIELD.to_owned(), split.into());
    if let Some(ready) = raw["latestReadyRevision"].as_str() {
        fields.insert(traffic::READY.to_owned(), short(ready).into());
    }
    let (lifecycle, state) = lifecycle(&raw);
    Present {
        fields,
        lifecycle,
        state,
        users: Vec::new(),
        raw,
    }
}

/// Project and location that short names belong to.
#[derive(Default)]
pub(super) struct Home {
    pub project: String,
    pub location: String,
}

impl Home {
    fn of(raw: &Value) -> Home {
        let mut parts = raw["name"].as_str().unwrap_or_default().split('/');
        let mut part = |n| parts.nth(n).unwrap_or_default().to_owned();
        Home {
            project: part(1),
            location: part(1),
        }
    }
}

/// Last part of a name.
pub(super) fn short(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// A body as fields, each value in the one spelling that is compared.
pub(super) fn canonical(body: &Map<String, Value>, home: &Home) -> Fields {
    let fields = tree::flatten(body, COLLECTIONS);
    let mut out = Fields::new();
    for (path, value) in with_empty_values(fields, body) {
        let (path, value) = one(path, value, home);
        out.insert(path, value);
    }
    out
}

/// A variable without value and source has the empty value, which Google leaves out.
fn with_empty_values(mut fields: Fields, body: &Map<String, Value>) -> Fields {
    let containers = body.get("template").map(|t| &t["containers"]);
    for container in containers.and_then(Value::as_array).into_iter().flatten() {
        let name = container["name"].as_str().unwrap_or_default();
        for variable in container["env"].as_array().into_iter().flatten() {
            let bare = variable.get("value").is_none() && variable.get("valueSource").is_none();
            if let Some(env) = variable["name"].as_str().filter(|_| bare) {
                let path = format!("template.containers[{name}].env[{env}].value");
                fields.insert(path, "".into());
            }
        }
    }
    fields
}

fn one(path: String, value: Value, home: &Home) -> (String, Value) {
    let Value::String(text) = &value else {
        return (path, value);
    };
    let changed = match items::generic(&path).as_ref() {
        "template.timeout" => units::duration(text),
        "template.containers[].resources.limits[]" if path.ends_with("[cpu]") => units::cpu(text),
        "template.containers[].resources.limits[]" => units::memory(text),
        "template.vpcAccess.connector" => connector(text, home),
        "template.vpcAccess.networkInterfaces[].network"
        | "template.vpcAccess.networkInterfaces[].subnetwork" => short(text).to_owned(),
        "template.containers[].env[].valueSource.secretKeyRef.secret" => {
            let own = format!("projects/{}/secrets/", home.project);
            text.strip_prefix(&own).unwrap_or(text).to_owned()
        }
        "template.containers[].env[].value" => return variable(path, value),
        _ => return (path, value),
    };
    (path, changed.into())
}

/// A connector by its full name: Google answers with the short or the full one.
pub(super) fn connector(text: &str, home: &Home) -> String {
    if text.contains('/') {
        return text.to_owned();
    }
    let Home { project, location } = home;
    format!("projects/{project}/locations/{location}/connectors/{text}")
}

fn variable(path: String, value: Value) -> (String, Value) {
    let name = name_of_variable(&path);
    let text = value.as_str().unwrap_or_default();
    if !is_secret(name, text) {
        return (path, value);
    }
    let sign = secrets::fingerprint(name, text);
    (path.replace("].value", "].valueDigest"), sign.into())
}

/// `A` of `template.containers[x].env[A].value`.
pub(super) fn name_of_variable(path: &str) -> &str {
    let after = path.split(".env[").nth(1).unwrap_or_default();
    after.split(']').next().unwrap_or_default()
}

fn add_zeros(fields: &mut Fields) {
    let mut zeros = Vec::new();
    for (parent, field) in ZEROS {
        if parent.is_empty() {
            zeros.push((*field).to_owned());
            continue;
        }
        let inside = format!(".{parent}.");
        let prefixes = fields.keys().filter_map(|path| path.split_once(&inside));
        zeros.extend(prefixes.map(|(before, _)| format!("{before}{inside}{field}")));
        let limits = format!(".{parent}.limits[");
        let prefixes = fields.keys().filter_map(|path| path.split_once(&limits));
        zeros.extend(prefixes.map(|(before, _)| format!("{before}{inside}{field}")));
    }
    for path in zeros {
        let zero = if path.ends_with("Idle") || path.ends_with("Boost") {
            Value::Bool(false)
        } else {
            0.into()
        };
        fields.entry(path).or_insert(zero);
    }
}

/// The container that serves requests: the only one, else the one with a port, else the first.
pub(super) fn main_container(raw: &Value) -> Option<String> {
    let containers = raw["template"]["containers"].as_array()?;
    let serves = containers
        .iter()
        .find(|c| c["ports"].as_array().is_some_and(|ports| !ports.is_empty()));
    let main = serves.or_else(|| containers.first())?;
    Some(main["name"].as_str().unwrap_or_default().to_owned())
}

/// A manifest may leave the name of that container out, so its fields are there without it too.
fn add_main_container(fields: &mut Fields, raw: &Value) {
    let Some(name) = main_container(raw).filter(|name| !name.is_empty()) else {
        return;
    };
    let prefix = format!("template.containers[{name}].");
    let unnamed: Fields = fields
        .iter()
        .filter_map(|(path, value)| Some((path.strip_prefix(&prefix)?, value)))
        .map(|(rest, value)| (format!("template.containers[].{rest}"), value.clone()))
        .collect();
    fields.extend(unnamed);
}

/// Ready: Google has taken the newest generation in, and it works. A failed condition takes new
/// content, so it is no end; whatever else is under way is waited for.
fn lifecycle(raw: &Value) -> (Lifecycle, String) {
    if raw.get("deleteTime").is_some() {
        return (Lifecycle::Deleting, "DELETING".to_owned());
    }
    if raw["reconciling"].as_bool() == Some(true) || raw["observedGeneration"] != raw["generation"]
    {
        return (Lifecycle::Busy, "RECONCILING".to_owned());
    }
    let condition = &raw["terminalCondition"];
    let state = condition["state"].as_str().unwrap_or("STATE_UNSPECIFIED");
    match state {
        "CONDITION_SUCCEEDED" if traffic_is_moving(raw) => {
            (Lifecycle::Busy, "RECONCILING".to_owned())
        }
        "CONDITION_SUCCEEDED" => (Lifecycle::Ready, state.to_owned()),
        "CONDITION_FAILED" => {
            let message = condition["message"].as_str().unwrap_or("no message");
            let message = crate::core::conditions::bounded(message.to_owned());
            (Lifecycle::Unhealthy, format!("{state}: {message}"))
        }
        _ => (Lifecycle::Busy, state.to_owned()),
    }
}

/// What the service does with traffic is not yet what its spec says.
fn traffic_is_moving(raw: &Value) -> bool {
    let statuses = &raw["trafficStatuses"];
    let known = statuses.as_array().is_some_and(|all| !all.is_empty());
    known && Split::of(statuses) != Split::of(&raw["traffic"])
}
