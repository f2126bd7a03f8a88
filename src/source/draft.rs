//! One document while it is read: what every kind asks of it.

use super::diagnostic::{Fault, Problem};
use super::node::Node;
use super::text::Text;
use crate::api::{Document, DocumentKind, Key, Origin};
use std::collections::BTreeMap;

/// A document with its text.
pub(super) struct Draft<'a> {
    pub text: &'a Text,
    pub node: &'a Node,
    pub revision: &'a str,
}

/// What a document says about itself to the rest of the set, whatever else is wrong with it.
pub(super) struct Claim {
    pub kind: DocumentKind,
    pub name: String,
    pub here: Problem,
    /// The identity in GCP of a managed resource.
    pub key: Option<Key>,
    pub labels: BTreeMap<String, String>,
    pub links: Vec<Link>,
    pub selects: Vec<(Select, Problem)>,
}

/// A name of another document of the set.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub to: DocumentKind,
    pub name: String,
    /// The document waits for the other one, so that a circle would wait for ever.
    pub waits: bool,
    pub here: Problem,
}

/// A choice among the documents of the set.
#[derive(Debug, Clone)]
pub(super) enum Select {
    /// Of a phase: managed resources by label.
    Labels(crate::api::phase::Selector),
    /// Of an alert: objects by kind and name.
    Target(crate::api::alert::AlertTarget),
}

impl Claim {
    /// The name alone: nothing that it refers to.
    pub fn bare(self) -> Claim {
        Claim {
            links: Vec::new(),
            selects: Vec::new(),
            ..self
        }
    }
}

impl Draft<'_> {
    pub fn spec(&self) -> Option<&Node> {
        self.node.get("spec")
    }

    /// The value at a path of mappings, such as `spec.http.url`.
    pub fn find(&self, path: &str) -> Option<&Node> {
        path.split('.')
            .try_fold(self.node, |node, name| node.get(name))
    }

    /// A text of `metadata`.
    fn metadata(&self, name: &str) -> Option<&str> {
        self.node.get("metadata")?.get(name)?.text()
    }

    /// `metadata.name`; empty where there is none.
    pub fn name(&self) -> &str {
        self.metadata("name").unwrap_or_default()
    }

    pub fn labels(&self) -> BTreeMap<String, String> {
        let metadata = self.node.get("metadata");
        let labels = metadata.and_then(|metadata| metadata.get("labels"));
        let entries = labels.map(Node::entries).unwrap_or_default().iter();
        let texts = entries.filter_map(|entry| {
            let text = entry.value.text()?;
            Some((entry.key.clone(), text.to_owned()))
        });
        texts.collect()
    }

    pub fn origin(&self) -> Origin {
        Origin {
            file: self.text.name.clone(),
            line: self.text.line(self.node.at.start),
            revision: self.revision.to_owned(),
        }
    }

    /// The place of a field, as a problem in waiting.
    pub fn place(&self, path: &str) -> Problem {
        let fault = Fault::new(self.node.position(path), "", "").field(path);
        Problem::at(self.text, fault)
    }

    pub fn document<S>(&self, spec: S) -> Document<S> {
        Document {
            name: self.name().to_owned(),
            labels: self.labels(),
            spec,
            origin: self.origin(),
        }
    }

    /// The claim of a document of this kind; without a name there is none.
    pub fn claim(&self, kind: DocumentKind) -> Option<Claim> {
        if self.name().is_empty() {
            return None;
        }
        Some(Claim {
            kind,
            name: self.name().to_owned(),
            here: self.place("metadata.name"),
            key: None,
            labels: self.labels(),
            links: Vec::new(),
            selects: Vec::new(),
        })
    }

    /// A link at `path`, which holds `name`.
    pub fn link(&self, to: DocumentKind, name: &str, path: &str, waits: bool) -> Link {
        Link {
            to,
            name: name.to_owned(),
            waits,
            here: self.place(path),
        }
    }
}
