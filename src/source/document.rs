//! One file to declared resources: envelope, schema, rollout, then the rules of the kind.

use super::Check;
use super::diagnostic::{Fault, Faults, Problem};
use super::lines::Places;
use super::node::{Data, Node, describe};
use super::suggest::{did_you_mean, nearest, quote};
use super::text::Text;
use super::{rollout, schema, yaml};
use crate::api::backend_service::BackendServiceResource;
use crate::api::health_check::HealthCheckResource;
use crate::api::managed_certificate::ManagedCertificateResource;
use crate::api::run_service::RunServiceResource;
use crate::api::sql_instance::SqlInstanceResource;
use crate::api::ssl_certificate::SslCertificateResource;
use crate::api::vpc_access_connector::VpcAccessConnectorResource;
use crate::api::{
    API_VERSION, Declared, Finding, GROUP, Key, Kind, ManagedSpec, Origin, Policy, Reference,
    Severity, crd,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What `kubectl get -o yaml` adds to `metadata`: the server's, not the author's.
const SERVER_METADATA: &[&str] = &[
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "finalizers",
    "ownerReferences",
];

/// What became of one document.
pub(super) struct Outcome {
    /// Present when the document has no error.
    pub declared: Option<Declared>,
    /// Present when the document says who it is, whatever else is wrong with it.
    pub claim: Option<Claim>,
    pub places: Places,
}

/// The identity that a document claims, and where.
pub(super) struct Claim {
    pub key: Key,
    pub name: String,
    pub here: Problem,
    /// The manifests it refers to, and where.
    pub references: Vec<(Reference, Problem)>,
}

/// The schema of each kind's whole document, made once for a set.
pub(super) struct Schemas(Vec<(Kind, Value)>);

impl Schemas {
    pub fn new() -> Self {
        let document = |kind: Kind| {
            serde_json::json!({
                "type": "object",
                "required": ["metadata", "spec"],
                "properties": {
                    "apiVersion": {},
                    "kind": {},
                    "metadata": crd::metadata_schema(),
                    "spec": crd::spec_schema(kind),
                },
            })
        };
        Schemas(
            Kind::ALL
                .iter()
                .map(|kind| (*kind, document(*kind)))
                .collect(),
        )
    }

    fn of(&self, kind: Kind) -> &Value {
        let found = self.0.iter().find(|(known, _)| *known == kind);
        found.map_or(&Value::Null, |(_, schema)| schema)
    }
}

/// Reads the documents of one text.
pub(super) struct Reader<'a> {
    text: &'a Text,
    schemas: &'a Schemas,
    check: &'a dyn Check,
    revision: &'a str,
    pub documents: usize,
    outcomes: Vec<Outcome>,
    faults: Faults,
}

impl<'a> Reader<'a> {
    pub fn new(
        text: &'a Text,
        schemas: &'a Schemas,
        check: &'a dyn Check,
        revision: &'a str,
    ) -> Self {
        Reader {
            text,
            schemas,
            check,
            revision,
            documents: 0,
            outcomes: Vec::new(),
            faults: Faults::default(),
        }
    }

    pub fn finish(self) -> (Vec<Outcome>, Faults) {
        (self.outcomes, self.faults)
    }

    pub fn file(&mut self) {
        for node in yaml::parse(&self.text.body, &mut self.faults) {
            self.document(node, true);
        }
    }

    fn document(&mut self, node: Node, list_allowed: bool) {
        if !matches!(node.data, Data::Map(_)) {
            self.documents += 1;
            let message = format!("a manifest is a mapping, and this is {}", describe(&node));
            let help = format!("start it with `apiVersion: {API_VERSION}` and `kind:`");
            self.faults.push(Fault::new(node.at, message, help));
        } else if list_allowed && node.get("kind").and_then(Node::text) == Some("List") {
            self.list(node);
        } else {
            self.documents += 1;
            self.manifest(node);
        }
    }

    /// `kind: List`, as `kubectl get -o yaml` prints several objects.
    fn list(&mut self, node: Node) {
        let Data::Map(entries) = node.data else {
            return;
        };
        for entry in entries {
            match (entry.key.as_str(), entry.value.data) {
                ("items", Data::List(items)) => {
                    for item in items {
                        self.document(item, false);
                    }
                }
                ("apiVersion" | "kind" | "metadata", _) => {}
                (key, _) => {
                    let known = ["apiVersion", "kind", "metadata", "items"];
                    let message = format!("unknown field {} in a List", quote(key));
                    let help = did_you_mean(key, &known);
                    self.faults.push(Fault::new(entry.key_at, message, help));
                }
            }
        }
    }

    fn manifest(&mut self, mut node: Node) {
        strip_server_fields(&mut node);
        let mut faults = Faults::default();
        let kind = envelope(&node, &mut faults);
        if let Some(kind) = kind {
            let outcome = self.of_kind(kind, &node, &mut faults);
            self.outcomes.push(outcome);
        }
        self.faults.append(faults);
    }

    fn of_kind(&self, kind: Kind, node: &Node, faults: &mut Faults) -> Outcome {
        let schema = self.schemas.of(kind);
        let start = node.at.start;
        schema::walk(node, schema, "", start..start, faults);
        if let Some(spec) = node.get("spec") {
            let resource = &schema["properties"]["spec"]["properties"]["resource"];
            rollout::check(kind, spec, resource, faults);
        }
        let loose = self.loose(kind, node);
        for finding in self.check.check(&loose) {
            take_in(finding, node, faults);
        }
        let claim = claims(&loose.key).then(|| self.claim(&loose, node));
        let policy = if faults.errors() == 0 {
            typed(kind, node, faults)
        } else {
            None
        };
        let declared = policy.map(|policy| Declared { policy, ..loose });
        let places = declared.as_ref().map(|_| self.places(node));
        Outcome {
            declared,
            claim,
            places: places.unwrap_or_default(),
        }
    }

    /// The document as far as it can be understood, for rules that must speak in the same run as
    /// the schema.
    fn loose(&self, kind: Kind, node: &Node) -> Declared {
        let metadata = node.get("metadata");
        let spec = node.get("spec");
        let text = |of: Option<&Node>, name: &str| {
            let found = of.and_then(|node| node.get(name)).and_then(Node::text);
            found.map(str::to_owned)
        };
        let name = text(metadata, "name").unwrap_or_default();
        let resource = spec.and_then(|spec| spec.get("resource"));
        Declared {
            key: Key {
                kind,
                project: text(spec, "project").unwrap_or_default(),
                location: text(spec, "location").unwrap_or_default(),
                name: text(spec, "resourceName").unwrap_or_else(|| name.clone()),
            },
            name,
            labels: metadata.map(labels).unwrap_or_default(),
            resource: resource.map(Node::to_object).unwrap_or_default(),
            policy: spec.map(loose_policy).unwrap_or_default(),
            origin: Origin {
                file: self.text.name.clone(),
                line: self.text.line(node.at.start),
                revision: self.revision.to_owned(),
            },
        }
    }

    fn claim(&self, declared: &Declared, node: &Node) -> Claim {
        let at = node.position("metadata.name");
        let here = Fault::new(at, "", "").field("metadata.name");
        let references = self.check.references(declared).into_iter().map(|to| {
            let at = Fault::new(node.position(&to.path), "", "").field(&to.path);
            (to, Problem::at(self.text, at))
        });
        Claim {
            key: declared.key.clone(),
            name: declared.name.clone(),
            here: Problem::at(self.text, here),
            references: references.collect(),
        }
    }

    fn places(&self, node: &Node) -> Places {
        let mut places = Places::new();
        let start = self.text.line_column(node.at.start);
        places.insert("spec".to_owned(), start);
        self.places_below(node, "", &mut places);
        places
    }

    fn places_below(&self, node: &Node, path: &str, places: &mut Places) {
        for entry in node.entries() {
            let path = schema::join(path, &entry.key);
            let place = self.text.line_column(entry.place().start);
            self.places_below(&entry.value, &path, places);
            if let Data::List(items) = &entry.value.data {
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.places_below(item, &path, places);
                    places.insert(path, self.text.line_column(item.at.start));
                }
            }
            places.insert(path, place);
        }
    }
}

fn strip_server_fields(node: &mut Node) {
    node.retain(|key| key != "status");
    if let Some(metadata) = node.get_mut("metadata") {
        metadata.retain(|key| !SERVER_METADATA.contains(&key));
    }
}

/// `apiVersion` and `kind`: without a known kind nothing else can be judged.
fn envelope(node: &Node, faults: &mut Faults) -> Option<Kind> {
    let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    if let Some(fault) = foreign(node, &kinds) {
        faults.push(fault);
        return None;
    }
    word(node, "apiVersion", &[API_VERSION], faults);
    let kind = word(node, "kind", &kinds, faults);
    Kind::ALL
        .iter()
        .copied()
        .find(|known| Some(known.as_str()) == kind)
}

/// A manifest of somebody else: one finding, not one for each word.
fn foreign(node: &Node, kinds: &[&str]) -> Option<Fault> {
    let version = node.get("apiVersion")?.text()?;
    let kind = node.get("kind")?;
    let name = kind.text()?;
    let ours = version.starts_with(GROUP) || kinds.contains(&name);
    if ours || nearest(version, &[API_VERSION]).is_some() {
        return None;
    }
    let message = format!(
        "evenkeel does not know {} of {}",
        quote(name),
        quote(version)
    );
    let help = "keep evenkeel's manifests in a directory of their own";
    let limit = format!("only {}, of {API_VERSION}", kinds.join(", "));
    Some(
        Fault::new(kind.at.clone(), message, help)
            .field("kind")
            .limit(limit),
    )
}

/// A field that must hold one of a few words.
fn word<'n>(node: &'n Node, name: &str, known: &[&str], faults: &mut Faults) -> Option<&'n str> {
    let one_of = || known.join(", ");
    let Some(entry) = node.entry(name) else {
        let start = node.at.start;
        let help = format!("add `{name}: {}`", known.first().unwrap_or(&""));
        let message = format!("the manifest has no `{name}`");
        faults.push(Fault::new(start..start, message, help).field(name));
        return None;
    };
    let text = entry.value.text();
    if !text.is_some_and(|text| known.contains(&text)) {
        let what = describe(&entry.value).replace("the text ", "");
        let message = format!("{name} is {what}, which evenkeel does not know");
        let help = match text {
            Some(text) => did_you_mean(text, known).replace("known here: ", "write one of "),
            None => format!("write `{name}: {}`", known.first().unwrap_or(&"")),
        };
        let fault = Fault::new(entry.place(), message, help).field(name);
        faults.push(fault.limit(format!("one of {}", one_of())));
    }
    text
}

/// A finding of the kind takes the place of what the schema says about the same value, since it
/// knows the limit's source and the way out.
fn take_in(finding: Finding, node: &Node, faults: &mut Faults) {
    let same = |fault: &Fault| fault.field.as_deref() == Some(finding.path.as_str());
    if finding.severity == Severity::Error {
        faults
            .list
            .retain(|fault| !(fault.about_value && same(fault)));
    }
    if faults.list.iter().any(same) {
        return;
    }
    let mut fault = Fault::new(node.position(&finding.path), finding.message, finding.help);
    fault.field = Some(finding.path);
    fault.limit = finding.limit;
    fault.severity = finding.severity;
    faults.push(fault);
}

fn claims(key: &Key) -> bool {
    !(key.project.is_empty() || key.location.is_empty() || key.name.is_empty())
}

fn labels(metadata: &Node) -> BTreeMap<String, String> {
    let labels = metadata
        .get("labels")
        .map(Node::entries)
        .unwrap_or_default();
    let text = |node: &Node| node.text().map(str::to_owned);
    labels
        .iter()
        .filter_map(|entry| Some((entry.key.clone(), text(&entry.value)?)))
        .collect()
}

fn loose_policy(spec: &Node) -> Policy {
    serde_json::from_value::<ManagedSpec<Map<String, Value>>>(spec.to_json())
        .map(policy)
        .unwrap_or_default()
}

/// The last word: the typed form must read what the schema let through.
fn typed(kind: Kind, node: &Node, faults: &mut Faults) -> Option<Policy> {
    let spec = node.get("spec").map(Node::to_json).unwrap_or_default();
    let read = match kind {
        Kind::VpcAccessConnector => {
            serde_json::from_value::<ManagedSpec<VpcAccessConnectorResource>>(spec).map(policy)
        }
        Kind::HealthCheck => {
            serde_json::from_value::<ManagedSpec<HealthCheckResource>>(spec).map(policy)
        }
        Kind::BackendService => {
            serde_json::from_value::<ManagedSpec<BackendServiceResource>>(spec).map(policy)
        }
        Kind::SslCertificate => {
            serde_json::from_value::<ManagedSpec<SslCertificateResource>>(spec).map(policy)
        }
        Kind::ManagedCertificate => {
            serde_json::from_value::<ManagedSpec<ManagedCertificateResource>>(spec).map(policy)
        }
        Kind::RunService => {
            serde_json::from_value::<ManagedSpec<RunServiceResource>>(spec).map(policy)
        }
        Kind::SqlInstance => {
            serde_json::from_value::<ManagedSpec<SqlInstanceResource>>(spec).map(policy)
        }
    };
    read.map_err(|error| {
        let at = node.position("spec");
        let message = format!("spec cannot be read: {error}");
        faults.push(Fault::new(at, message, "correct the value named above").field("spec"));
    })
    .ok()
}

fn policy<R>(spec: ManagedSpec<R>) -> Policy {
    Policy {
        rollout: spec.rollout,
        drift: spec.drift,
        deletion: spec.deletion,
        adopt: spec.adopt,
        suspend: spec.suspend,
    }
}
