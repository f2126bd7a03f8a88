//! One file to documents: envelope, schema, then the rules of each kind.

use super::diagnostic::{Fault, Faults};
use super::draft::{Claim, Draft};
use super::lines::Places;
use super::node::{Data, Node, describe};
use super::suggest::{did_you_mean, quote};
use super::text::Text;
use super::{Check, envelope, managed, plain, schema, yaml};
use crate::api::{
    API_VERSION, AlertSpec, CheckSpec, Declared, Document, DocumentKind, PhaseSpec, crd,
};
use serde_json::Value;
use std::sync::LazyLock;

/// A document without errors.
pub(super) enum Item {
    Managed(Box<(Declared, Places)>),
    Check(Box<Document<CheckSpec>>),
    Phase(Box<Document<PhaseSpec>>),
    Alert(Box<Document<AlertSpec>>),
}

/// What became of one document.
pub(super) struct Outcome {
    /// Present when the document has no error.
    pub item: Option<Item>,
    /// Present when the document says who it is, whatever else is wrong with it.
    pub claim: Option<Claim>,
}

/// The schema of a kind's whole document, made once.
pub(super) fn schema_of(kind: DocumentKind) -> &'static Value {
    static ALL: LazyLock<Vec<(DocumentKind, Value)>> = LazyLock::new(|| {
        let document = |kind: DocumentKind| {
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
        let kinds = DocumentKind::all();
        kinds.map(|kind| (kind, document(kind))).collect()
    });
    let found = ALL.iter().find(|(known, _)| *known == kind);
    found.map_or(&Value::Null, |(_, schema)| schema)
}

/// Reads the documents of one text.
pub(super) struct Reader<'a> {
    text: &'a Text,
    check: &'a dyn Check,
    revision: &'a str,
    pub documents: usize,
    outcomes: Vec<Outcome>,
    faults: Faults,
}

impl<'a> Reader<'a> {
    pub fn new(text: &'a Text, check: &'a dyn Check, revision: &'a str) -> Self {
        Reader {
            text,
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
        envelope::strip_server_fields(&mut node);
        let mut faults = Faults::default();
        if let Some(kind) = envelope::kind(&node, &mut faults) {
            let outcome = self.of_kind(kind, &node, &mut faults);
            self.outcomes.push(outcome);
        }
        self.faults.append(faults);
    }

    fn of_kind(&self, kind: DocumentKind, node: &Node, faults: &mut Faults) -> Outcome {
        let schema = schema_of(kind);
        let start = node.at.start;
        schema::walk(node, schema, "", start..start, faults);
        let draft = Draft {
            text: self.text,
            node,
            revision: self.revision,
        };
        match kind {
            DocumentKind::Managed(kind) => {
                let resource = &schema["properties"]["spec"]["properties"]["resource"];
                managed::read(kind, &draft, resource, self.check, faults)
            }
            DocumentKind::Check => plain::check(&draft, faults),
            DocumentKind::Phase => plain::phase(&draft, faults),
            DocumentKind::Alert => plain::alert(&draft, faults),
        }
    }
}
